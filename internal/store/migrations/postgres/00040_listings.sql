-- +goose Up

-- What the format derived from a file, as JSON.
ALTER TABLE files ADD COLUMN metadata TEXT COLLATE "C";

-- The names in a project, in order.
CREATE INDEX packages_by_name ON packages (project_id, format, key);
