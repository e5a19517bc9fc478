-- Version 2 of the store: the graph, with the meaning of the SQLite file's tables. Rows are added and
-- never changed. Ids are 64-bit hashes of what a row is, as signed numbers.
CREATE TABLE node (
  team        text   COLLATE "C" NOT NULL,
  id          bigint NOT NULL,
  kind        text   NOT NULL,
  key         text   NOT NULL CHECK (length(key) BETWEEN 1 AND 1024),
  title       text,
  recorded_ns bigint NOT NULL,
  PRIMARY KEY (team, id)
);

CREATE TABLE edge (
  team        text   COLLATE "C" NOT NULL,
  id          bigint NOT NULL,
  kind        text   NOT NULL,
  from_id     bigint NOT NULL,
  to_id       bigint NOT NULL,
  qualifier   text,
  recorded_ns bigint NOT NULL,
  PRIMARY KEY (team, id),
  FOREIGN KEY (team, from_id) REFERENCES node (team, id),
  FOREIGN KEY (team, to_id) REFERENCES node (team, id)
);

CREATE INDEX edge_out ON edge (team, from_id, id);
CREATE INDEX edge_in ON edge (team, to_id, id);

-- The order of the key is the order in which the evidence for an edge is read.
CREATE TABLE evidence (
  team        text   COLLATE "C" NOT NULL,
  edge_id     bigint NOT NULL,
  source      text   COLLATE "C" NOT NULL,
  author      text   COLLATE "C" NOT NULL,
  id          bigint NOT NULL,
  reference   text   NOT NULL,
  supports    smallint NOT NULL CHECK (supports IN (0, 1)),
  at_ns       bigint NOT NULL,
  recorded_ns bigint NOT NULL,
  note        text,
  PRIMARY KEY (team, edge_id, source, author, id),
  FOREIGN KEY (team, edge_id) REFERENCES edge (team, id)
);
