-- +goose Up

-- One row: the position of the ledger and the last id given out of each kind.
-- Whoever writes holds this row.
CREATE TABLE heads (
	one          INTEGER PRIMARY KEY CHECK (one = 1),
	seq          BIGINT NOT NULL DEFAULT 0,
	user_id      BIGINT NOT NULL DEFAULT 0,
	namespace_id BIGINT NOT NULL DEFAULT 0,
	project_id   BIGINT NOT NULL DEFAULT 0,
	token_id     BIGINT NOT NULL DEFAULT 0,
	package_id   BIGINT NOT NULL DEFAULT 0,
	version_id   BIGINT NOT NULL DEFAULT 0,
	file_id      BIGINT NOT NULL DEFAULT 0
);
INSERT INTO heads (one) VALUES (1);

CREATE TABLE entries (
	seq     INTEGER PRIMARY KEY,
	at      BIGINT NOT NULL, -- microseconds
	actor   TEXT NOT NULL,   -- JSON
	verb    TEXT NOT NULL,
	object  TEXT NOT NULL,
	sha256  BLOB NOT NULL,   -- of the payload
	payload TEXT NOT NULL    -- JSON
);

-- The directory. Its rows hold the records of the ledger as JSON beside the
-- columns that constraints and look-ups need.

CREATE TABLE users (
	id     INTEGER PRIMARY KEY,
	key    TEXT NOT NULL UNIQUE, -- lower-case user name
	record TEXT NOT NULL
);

-- Groups, personal namespaces and projects share one space of paths.
CREATE TABLE routes (
	key   TEXT PRIMARY KEY, -- lower-case full path
	level BIGINT NOT NULL,
	id    BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE namespaces (
	id     INTEGER PRIMARY KEY,
	record TEXT NOT NULL
);

CREATE TABLE projects (
	id     INTEGER PRIMARY KEY,
	record TEXT NOT NULL
);

CREATE TABLE members (
	level     BIGINT NOT NULL,
	target_id BIGINT NOT NULL,
	user_id   BIGINT NOT NULL,
	record    TEXT NOT NULL,
	PRIMARY KEY (level, target_id, user_id)
) WITHOUT ROWID;

CREATE TABLE tokens (
	id        INTEGER PRIMARY KEY,
	digest    BLOB NOT NULL UNIQUE,
	kind      TEXT NOT NULL,
	user_id   BIGINT NOT NULL,
	level     BIGINT NOT NULL,
	target_id BIGINT NOT NULL,
	issue_key TEXT UNIQUE, -- job tokens: issuer and job, so that a job has one live token
	record    TEXT NOT NULL
);
CREATE INDEX tokens_by_target ON tokens (level, target_id, kind, id);
CREATE INDEX tokens_by_user ON tokens (user_id, kind, id);

CREATE TABLE admissions (
	project_id  BIGINT NOT NULL,
	level       BIGINT NOT NULL,
	admitted_id BIGINT NOT NULL,
	PRIMARY KEY (project_id, level, admitted_id)
) WITHOUT ROWID;

CREATE TABLE settings (
	level     BIGINT NOT NULL,
	target_id BIGINT NOT NULL,
	record    TEXT NOT NULL,
	PRIMARY KEY (level, target_id)
) WITHOUT ROWID;

-- What is published. A row of versions, files or tags is true from the ledger
-- position from_seq until until_seq (null: still true) and never changes in
-- between; a change of a version closes its row and opens another of the same id.

CREATE TABLE packages (
	id         INTEGER PRIMARY KEY,
	project_id BIGINT NOT NULL,
	format     TEXT NOT NULL,
	name       TEXT NOT NULL,
	key        TEXT NOT NULL,
	UNIQUE (format, key, project_id)
);
CREATE INDEX packages_by_project ON packages (project_id, id);

CREATE TABLE versions (
	id         BIGINT NOT NULL,
	from_seq   BIGINT NOT NULL,
	until_seq  BIGINT,
	package_id BIGINT NOT NULL,
	number     TEXT NOT NULL,
	key        TEXT NOT NULL,
	status     TEXT NOT NULL,
	metadata   TEXT,
	creator_id BIGINT NOT NULL,
	pipeline   TEXT,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (id, from_seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX versions_live ON versions (package_id, key) WHERE until_seq IS NULL;

CREATE TABLE files (
	id         INTEGER PRIMARY KEY,
	from_seq   BIGINT NOT NULL,
	until_seq  BIGINT,
	until_at   BIGINT,
	purged_seq BIGINT, -- set when the bytes were given up
	version_id BIGINT NOT NULL,
	path       TEXT NOT NULL,
	copy       BIGINT NOT NULL,
	size       BIGINT NOT NULL,
	sha256     BLOB NOT NULL,
	md5        TEXT NOT NULL,
	sha1       TEXT NOT NULL,
	sha512     TEXT NOT NULL,
	pipeline   TEXT,
	created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX files_live ON files (version_id, path, copy) WHERE until_seq IS NULL;
CREATE INDEX files_by_digest ON files (sha256) WHERE purged_seq IS NULL;
CREATE INDEX files_to_purge ON files (until_at) WHERE until_seq IS NOT NULL AND purged_seq IS NULL;

CREATE TABLE tags (
	package_id BIGINT NOT NULL,
	name       TEXT NOT NULL,
	from_seq   BIGINT NOT NULL,
	until_seq  BIGINT,
	version_id BIGINT NOT NULL,
	PRIMARY KEY (package_id, name, from_seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX tags_live ON tags (package_id, name) WHERE until_seq IS NULL;

-- Where bytes are. Not part of the ledger: it says nothing that a reader sees.
-- Exactly one of key (in the blob store) and data (right here) is set.
CREATE TABLE blobs (
	id     INTEGER PRIMARY KEY,
	sha256 BLOB NOT NULL UNIQUE,
	size   BIGINT NOT NULL,
	key    TEXT UNIQUE,
	data   BLOB
);

-- Downloads by file and day, added up in memory and written in batches.
CREATE TABLE downloads (
	file_id BIGINT NOT NULL,
	day     BIGINT NOT NULL, -- days since 1970-01-01 UTC
	count   BIGINT NOT NULL,
	last_at BIGINT NOT NULL,
	PRIMARY KEY (file_id, day)
) WITHOUT ROWID;

CREATE TABLE jobs (
	id          INTEGER PRIMARY KEY AUTOINCREMENT, -- never given out again: a late worker may still hold it
	kind        TEXT NOT NULL,
	key         TEXT NOT NULL,
	payload     TEXT NOT NULL,
	run_at      BIGINT NOT NULL,
	lease_until BIGINT NOT NULL DEFAULT 0,
	attempts    BIGINT NOT NULL DEFAULT 0,
	error       TEXT NOT NULL DEFAULT '',
	UNIQUE (kind, key)
);
CREATE INDEX jobs_due ON jobs (run_at);
