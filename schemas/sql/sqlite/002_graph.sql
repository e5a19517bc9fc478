-- Version 2 of the store: the graph. Rows are added and never changed. Ids are 64-bit hashes of what
-- a row is, as signed numbers, so that the same thing has the same id in every store. `team` stands
-- first in every key: a database that is divided by it keeps a team's rows together.
CREATE TABLE node (
  team        TEXT    NOT NULL,
  id          INTEGER NOT NULL,
  kind        TEXT    NOT NULL,
  key         TEXT    NOT NULL CHECK (length(key) BETWEEN 1 AND 1024),
  title       TEXT,
  recorded_ns INTEGER NOT NULL,
  PRIMARY KEY (team, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE edge (
  team        TEXT    NOT NULL,
  id          INTEGER NOT NULL,
  kind        TEXT    NOT NULL,
  from_id     INTEGER NOT NULL,
  to_id       INTEGER NOT NULL,
  qualifier   TEXT,
  recorded_ns INTEGER NOT NULL,
  PRIMARY KEY (team, id),
  FOREIGN KEY (team, from_id) REFERENCES node (team, id),
  FOREIGN KEY (team, to_id) REFERENCES node (team, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX edge_out ON edge (team, from_id, id);
CREATE INDEX edge_in ON edge (team, to_id, id);

-- Sorted by edge: the evidence for one edge is one run of pages.
CREATE TABLE evidence (
  team        TEXT    NOT NULL,
  edge_id     INTEGER NOT NULL,
  source      TEXT    NOT NULL,
  author      TEXT    NOT NULL,
  id          INTEGER NOT NULL,
  reference   TEXT    NOT NULL,
  supports    INTEGER NOT NULL CHECK (supports IN (0, 1)),
  at_ns       INTEGER NOT NULL,
  recorded_ns INTEGER NOT NULL,
  note        TEXT,
  PRIMARY KEY (team, edge_id, source, author, id),
  FOREIGN KEY (team, edge_id) REFERENCES edge (team, id)
) STRICT, WITHOUT ROWID;
