-- Version 1 of the store: incidents as their JSON documents, with the columns that lists need.
-- Run inside the transaction that also counts the version up. Times are nanoseconds since 1970, UTC.
-- `team` stands first in every key, so that a database that is divided by it (Citus:
-- create_distributed_table('incident', 'team'), the other tables colocated with it) keeps a team's
-- rows on one node, and every join and foreign key stays there.
CREATE TABLE incident (
  team        text   COLLATE "C" NOT NULL,
  id          text   COLLATE "C" NOT NULL CHECK (id <> ''),
  at_ns       bigint NOT NULL,
  stored_ns   bigint NOT NULL,
  verdict     text   NOT NULL,
  service     text,             -- of the first hypothesis; NULL where there is none
  cause       text,
  probability double precision,
  document    text   NOT NULL,  -- schemas/json/triage.schema.json, byte for byte: not jsonb
  PRIMARY KEY (team, id)
);

CREATE INDEX incident_by_stored ON incident (team, stored_ns DESC, id);
