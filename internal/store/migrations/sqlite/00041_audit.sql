-- +goose Up

-- What an entry is about, the instance, a group or a project, and who caused it.
ALTER TABLE entries ADD COLUMN level BIGINT NOT NULL DEFAULT 1;
ALTER TABLE entries ADD COLUMN target_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE entries ADD COLUMN author_id BIGINT NOT NULL DEFAULT 0;
UPDATE entries SET author_id = COALESCE(json_extract(actor, '$.user'), 0);
UPDATE entries SET level = 2, target_id = CAST(SUBSTR(object, 8) AS INTEGER) WHERE object LIKE 'groups/%';
UPDATE entries SET level = 4, target_id = CAST(SUBSTR(object, 10) AS INTEGER) WHERE object LIKE 'projects/%';
CREATE INDEX entries_by_target ON entries (level, target_id, seq);
CREATE INDEX entries_by_time ON entries (at);
