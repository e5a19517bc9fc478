-- Version 3 of the store: what SQLite is to assume of the graph when it plans. Without it, it takes a
-- team for as rare as a node, and looks for the edges of one node among all that the team has. The
-- figures are orders of magnitude (rows; then rows a value of each longer beginning of the key); an
-- ANALYZE replaces them with those of the file.
ANALYZE sqlite_schema; -- makes the table
DELETE FROM sqlite_stat1;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('node', 'node', '1000000 1000000 1'),
  ('edge', 'edge', '1000000 1000000 1'),
  ('edge', 'edge_out', '1000000 1000000 10 1'),
  ('edge', 'edge_in', '1000000 1000000 10 1'),
  ('evidence', 'evidence', '10000000 10000000 10 8 2 1');
ANALYZE sqlite_schema; -- reads it
