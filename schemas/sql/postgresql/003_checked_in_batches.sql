-- Version 3 of the store: what evidence and edges refer to is looked up once for a whole batch, in the
-- transaction that adds it, and no longer row by row by foreign keys, which took half of the time and
-- wrote a lock into each edge that they found. Nothing is ever taken away, so that what was there when
-- a row came stays there; and a database that is divided by team has no keys that lead across.
ALTER TABLE evidence DROP CONSTRAINT evidence_team_edge_id_fkey;
ALTER TABLE edge DROP CONSTRAINT edge_team_from_id_fkey;
ALTER TABLE edge DROP CONSTRAINT edge_team_to_id_fkey;
