-- Version 7 of the store: what is drawn of an incident, beside its document: schemas/json/timeline.schema.json as one zstd frame. It is
-- replaced when the incident is triaged again, and may be there a moment before the document is.
CREATE TABLE picture (
  team     text  COLLATE "C" NOT NULL,
  id       text  COLLATE "C" NOT NULL CHECK (id <> ''),
  document bytea NOT NULL,
  PRIMARY KEY (team, id)
);

-- What is compressed is not compressed again.
ALTER TABLE picture ALTER COLUMN document SET STORAGE EXTERNAL;
