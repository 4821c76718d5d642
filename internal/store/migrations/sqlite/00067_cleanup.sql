-- +goose Up

-- Cleanups that were run, under the number of the entry that began each. Follows
-- from the ledger.
CREATE TABLE cleanup_runs (
	id         BIGINT PRIMARY KEY,
	project_id BIGINT NOT NULL,
	preview_id BIGINT NOT NULL, -- 0: it made its own list
	planned    BIGINT NOT NULL,
	begun_at   BIGINT NOT NULL,
	ended_at   BIGINT, -- null: it was stopped, or is under way
	versions   BIGINT NOT NULL DEFAULT 0,
	files      BIGINT NOT NULL DEFAULT 0,
	bytes      BIGINT NOT NULL DEFAULT 0,
	skipped    TEXT -- what was left and why, as JSON
);
CREATE INDEX cleanup_runs_by_project ON cleanup_runs (project_id, id);

-- What a cleanup would delete, as it was shown. Not part of the ledger: it changes
-- nothing that a reader sees.
CREATE TABLE cleanup_previews (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	project_id BIGINT NOT NULL,
	made_at    BIGINT NOT NULL,
	record     TEXT NOT NULL
);
CREATE INDEX cleanup_previews_by_time ON cleanup_previews (made_at);
