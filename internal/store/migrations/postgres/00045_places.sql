-- +goose Up

-- Paths that groups and projects had before they were moved, so that they are
-- still found by them until something else takes the path.
CREATE TABLE old_paths (
	key   TEXT COLLATE "C" PRIMARY KEY, -- lower-case full path
	level BIGINT NOT NULL,
	id    BIGINT NOT NULL
);
CREATE INDEX old_paths_by_target ON old_paths (level, id);

-- The ids that projects have in the GitLab beside which this server stands.
CREATE TABLE upstream_projects (
	upstream_id BIGINT PRIMARY KEY,
	project_id  BIGINT NOT NULL UNIQUE
);
