-- Version 4 of the store: which edges came or got evidence, in the order of the commits, so that who holds the graph in memory asks only
-- for what came since. Only the newest rows are kept: who is further behind reads everything again.
CREATE TABLE change (
  team    TEXT    NOT NULL,
  number  INTEGER NOT NULL,
  edge_id INTEGER NOT NULL,
  PRIMARY KEY (team, number)
) STRICT, WITHOUT ROWID;
