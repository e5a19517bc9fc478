-- Version 4 of the store: which transaction brought a row, so that who holds the graph in memory asks only for what came since. A
-- transaction's number is given when it begins to write, and rows are seen when it commits: who asks again from the oldest number that
-- was still open at the last time misses nothing. Rows of before have none; they were there when the first such question was asked. Numbers
-- grow with the places of the rows, so that ranges of pages are all that an index has to hold.
ALTER TABLE edge ADD COLUMN changed bigint;
ALTER TABLE edge ALTER COLUMN changed SET DEFAULT (pg_current_xact_id()::text::bigint);
ALTER TABLE evidence ADD COLUMN changed bigint;
ALTER TABLE evidence ALTER COLUMN changed SET DEFAULT (pg_current_xact_id()::text::bigint);
CREATE INDEX edge_changed ON edge USING brin (team, changed) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX evidence_changed ON evidence USING brin (team, changed) WITH (pages_per_range = 32, autosummarize = on);
