-- Version 1 of the store: incidents as their JSON documents, with the columns that lists need.
-- Run inside one transaction that also sets user_version. Times are nanoseconds since 1970, UTC.
CREATE TABLE incident (
  id          TEXT    NOT NULL PRIMARY KEY CHECK (id <> ''),
  at_ns       INTEGER NOT NULL,
  stored_ns   INTEGER NOT NULL,
  verdict     TEXT    NOT NULL,
  service     TEXT,             -- of the first hypothesis; NULL where there is none
  cause       TEXT,
  probability REAL,
  document    TEXT    NOT NULL  -- schemas/json/triage.schema.json
) STRICT;

CREATE INDEX incident_by_stored ON incident (stored_ns DESC, id);
