-- Version 6 of the store: what is drawn of an incident, beside its document: schemas/json/timeline.schema.json as one zstd frame. It is
-- replaced when the incident is triaged again, and may be there a moment before the document is.
CREATE TABLE picture (
  id       TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
  document BLOB NOT NULL
) STRICT;
