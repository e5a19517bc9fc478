-- Version 4 of the store: which edges came or got evidence, a row a batch, in the order of the commits, so that who holds the graph in
-- memory asks only for what came since. `edges` has their ids, eight bytes each, the lowest first; `number` counts the ids of all rows up
-- to and with this one. Only the newest rows are kept: who is further behind reads everything again.
CREATE TABLE change (
  team   TEXT    NOT NULL,
  number INTEGER NOT NULL,
  edges  BLOB    NOT NULL,
  PRIMARY KEY (team, number)
) STRICT;
