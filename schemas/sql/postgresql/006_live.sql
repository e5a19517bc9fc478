-- Version 6 of the store: incidents that a daemon keeps open, who keeps them, and which signs of trouble belong to which. An incident's
-- page is in `incident`; `body` is what its keeper needs to go on after a restart. Whoever keeps one says so until lease_ns; then
-- another may claim it. A sign is of one incident; when that has closed it is of none. Times are nanoseconds since 1970, UTC.
CREATE TABLE live (
  team       text   COLLATE "C" NOT NULL,
  id         text   COLLATE "C" NOT NULL CHECK (id <> ''),
  state      text   NOT NULL CHECK (state IN ('open', 'closed', 'merged')),
  merged_to  text,              -- of merged
  owner      text   NOT NULL,
  lease_ns   bigint NOT NULL,
  opened_ns  bigint NOT NULL,
  changed_ns bigint NOT NULL,
  closed_ns  bigint,
  body       text   NOT NULL,
  PRIMARY KEY (team, id)
);

CREATE INDEX live_open ON live (team, lease_ns) WHERE state = 'open';

CREATE TABLE live_sign (
  team text   COLLATE "C" NOT NULL,
  sign bigint NOT NULL,
  id   text   COLLATE "C" NOT NULL,
  PRIMARY KEY (team, sign)
);

CREATE INDEX live_sign_by_incident ON live_sign (team, id);
