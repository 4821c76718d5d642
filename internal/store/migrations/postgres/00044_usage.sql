-- +goose Up

-- How many bytes of live files each project has. It follows from files, and is
-- kept so that nobody has to add them up.
CREATE TABLE usage (
	project_id BIGINT PRIMARY KEY,
	bytes      BIGINT NOT NULL,
	files      BIGINT NOT NULL
);
INSERT INTO usage (project_id, bytes, files)
	SELECT p.project_id, SUM(f.size), COUNT(*) FROM packages p
	JOIN versions v ON v.package_id = p.id AND v.until_seq IS NULL
	JOIN files f ON f.version_id = v.id AND f.until_seq IS NULL
	GROUP BY p.project_id;
