-- Version 5 of the store: what a walk of the graph reads lies in the indexes that it goes by. Rows of one
-- node or edge came at many times and lie in as many pages of the table; in an index they lie side by
-- side. Of evidence that is all but its note, which may be longer than an index takes. Making an index
-- anew takes as long as the table is large: the time limit of a statement is not for it.
SET LOCAL statement_timeout = 0;
ALTER TABLE evidence DROP CONSTRAINT evidence_pkey;
ALTER TABLE evidence ADD PRIMARY KEY (team, edge_id, source, author, id) INCLUDE (reference, supports, at_ns, recorded_ns);
DROP INDEX edge_out;
DROP INDEX edge_in;
CREATE INDEX edge_out ON edge (team, from_id, id) INCLUDE (kind, to_id, qualifier, recorded_ns);
CREATE INDEX edge_in ON edge (team, to_id, id) INCLUDE (kind, from_id, qualifier, recorded_ns);
