-- +goose Up

-- How many bytes of images each project has, where what several of its repositories
-- have counts once. It follows from parts, and is kept so that nobody has to add them
-- up.
CREATE TABLE image_links (
	project_id BIGINT NOT NULL,
	sha256     BLOB NOT NULL,
	links      BIGINT NOT NULL, -- live parts with the digest
	size       BIGINT NOT NULL,
	PRIMARY KEY (project_id, sha256)
) WITHOUT ROWID;
INSERT INTO image_links (project_id, sha256, links, size)
	SELECT r.project_id, p.sha256, COUNT(*), MAX(p.size) FROM parts p JOIN repositories r ON r.id = p.repository_id
	WHERE p.until_seq IS NULL GROUP BY r.project_id, p.sha256;

ALTER TABLE usage ADD COLUMN image_bytes BIGINT NOT NULL DEFAULT 0;
INSERT INTO usage (project_id, bytes, files, image_bytes)
	SELECT project_id, 0, 0, SUM(size) FROM image_links WHERE true GROUP BY project_id
	ON CONFLICT (project_id) DO UPDATE SET image_bytes = excluded.image_bytes;
