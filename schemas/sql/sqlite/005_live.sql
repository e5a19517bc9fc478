-- Version 5 of the store: incidents that a daemon keeps open, who keeps them, and which signs of trouble belong to which. An incident's
-- page is in `incident`; `body` is what its keeper needs to go on after a restart. Whoever keeps one says so until lease_ns; then
-- another may claim it. A sign is of one incident; when that has closed it is of none. Times are nanoseconds since 1970, UTC.
CREATE TABLE live (
  id         TEXT    NOT NULL PRIMARY KEY CHECK (id <> ''),
  state      TEXT    NOT NULL CHECK (state IN ('open', 'closed', 'merged')),
  merged_to  TEXT,              -- of merged
  owner      TEXT    NOT NULL,
  lease_ns   INTEGER NOT NULL,
  opened_ns  INTEGER NOT NULL,
  changed_ns INTEGER NOT NULL,
  closed_ns  INTEGER,
  body       TEXT    NOT NULL
) STRICT;

CREATE INDEX live_open ON live (lease_ns) WHERE state = 'open';

CREATE TABLE live_sign (
  sign INTEGER NOT NULL PRIMARY KEY,
  id   TEXT    NOT NULL
) STRICT;

CREATE INDEX live_sign_by_incident ON live_sign (id);
