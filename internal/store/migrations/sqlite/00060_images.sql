-- +goose Up

-- Container images.
ALTER TABLE heads ADD COLUMN repository_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE heads ADD COLUMN part_id BIGINT NOT NULL DEFAULT 0;

CREATE TABLE repositories (
	id         INTEGER PRIMARY KEY,
	project_id BIGINT NOT NULL,
	name       TEXT NOT NULL, -- what follows the project's path; '' for nothing
	created_at BIGINT NOT NULL,
	UNIQUE (project_id, name)
);

-- What repositories hold: manifests, and the blobs that manifests name. A row is
-- true from the ledger position from_seq until until_seq (null: still true).
CREATE TABLE parts (
	id            INTEGER PRIMARY KEY,
	from_seq      BIGINT NOT NULL,
	until_seq     BIGINT,
	until_at      BIGINT,
	purged_seq    BIGINT, -- set when the bytes were given up
	repository_id BIGINT NOT NULL,
	manifest      BIGINT NOT NULL, -- 1, or 0 for a blob
	sha256        BLOB NOT NULL,
	sha512        TEXT NOT NULL,
	digest        TEXT NOT NULL, -- by which it was pushed
	size          BIGINT NOT NULL,
	media_type    TEXT NOT NULL,
	subject       TEXT NOT NULL,
	artifact_type TEXT NOT NULL,
	annotations   TEXT,
	creator_id    BIGINT NOT NULL,
	pipeline      TEXT,
	created_at    BIGINT NOT NULL,
	idle_at       BIGINT -- since when nothing may need it; null: something does
);
CREATE UNIQUE INDEX parts_live ON parts (repository_id, sha256, manifest) WHERE until_seq IS NULL;
CREATE INDEX parts_sha512 ON parts (repository_id, sha512) WHERE until_seq IS NULL AND sha512 <> '';
CREATE INDEX parts_by_subject ON parts (repository_id, subject, id) WHERE until_seq IS NULL AND subject <> '';
CREATE INDEX parts_by_digest ON parts (sha256) WHERE purged_seq IS NULL;
CREATE INDEX parts_idle ON parts (idle_at) WHERE until_seq IS NULL AND idle_at IS NOT NULL;
CREATE INDEX parts_to_purge ON parts (until_at) WHERE until_seq IS NOT NULL AND purged_seq IS NULL;

-- What manifests name. They are there as long as the manifest is.
CREATE TABLE part_children (
	parent_id BIGINT NOT NULL,
	child_id  BIGINT NOT NULL,
	PRIMARY KEY (parent_id, child_id)
) WITHOUT ROWID;
CREATE INDEX part_parents ON part_children (child_id, parent_id);

CREATE TABLE image_tags (
	repository_id BIGINT NOT NULL,
	name          TEXT NOT NULL,
	from_seq      BIGINT NOT NULL,
	until_seq     BIGINT,
	part_id       BIGINT NOT NULL,
	pushed_at     BIGINT NOT NULL,
	PRIMARY KEY (repository_id, name, from_seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX image_tags_live ON image_tags (repository_id, name) WHERE until_seq IS NULL;
CREATE INDEX image_tags_by_part ON image_tags (part_id) WHERE until_seq IS NULL;

-- Blobs on their way in. Not part of the ledger: nobody sees them.
CREATE TABLE image_uploads (
	id         TEXT PRIMARY KEY,
	project_id BIGINT NOT NULL,
	repository TEXT NOT NULL,
	owner      TEXT NOT NULL, -- who began it
	upload     TEXT NOT NULL, -- of the blob store; '' while nothing has come
	size       BIGINT NOT NULL,
	state      BLOB NOT NULL, -- of the checksums
	touched_at BIGINT NOT NULL -- microseconds
) WITHOUT ROWID;
CREATE INDEX image_uploads_by_upload ON image_uploads (upload) WHERE upload <> '';
CREATE INDEX image_uploads_by_time ON image_uploads (touched_at);
CREATE INDEX image_uploads_by_owner ON image_uploads (owner);
