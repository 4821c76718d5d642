-- +goose Up

-- What was deleted and can be brought back. A row of versions, files or tags that
-- a deletion has ended names it; so does that of a file that is purged. Follows
-- from the ledger.
ALTER TABLE versions ADD COLUMN trash_id BIGINT;
ALTER TABLE files ADD COLUMN trash_id BIGINT;
ALTER TABLE tags ADD COLUMN trash_id BIGINT;
-- Of a tag that was brought back: the position at which it was put there before.
ALTER TABLE tags ADD COLUMN put_seq BIGINT;

CREATE TABLE trash (
	id         BIGINT PRIMARY KEY, -- the position of the first entry of the deletion
	project_id BIGINT NOT NULL,
	package_id BIGINT NOT NULL,
	kind       TEXT NOT NULL, -- package, version or file
	number     TEXT NOT NULL, -- of the version that was deleted first
	path       TEXT NOT NULL, -- of the file; '' for another kind
	run_id     BIGINT NOT NULL, -- of the cleanup that deleted it; 0: somebody did
	versions   BIGINT NOT NULL,
	files      BIGINT NOT NULL,
	bytes      BIGINT NOT NULL,
	deleted_at BIGINT NOT NULL,
	ended_seq  BIGINT -- when it was brought back or purged; null: it is in the trash
);

-- What a file that was brought back was before: its row tells where it is now.
CREATE TABLE file_lives (
	file_id   BIGINT NOT NULL,
	from_seq  BIGINT NOT NULL,
	until_seq BIGINT NOT NULL,
	PRIMARY KEY (file_id, from_seq)
) WITHOUT ROWID;

UPDATE versions SET trash_id = until_seq
WHERE until_seq IN (SELECT seq FROM entries WHERE verb = 'version.delete');
UPDATE files SET trash_id = until_seq
WHERE until_seq IN (SELECT seq FROM entries WHERE verb IN ('version.delete', 'file.delete'));
UPDATE tags SET trash_id = until_seq
WHERE until_seq IN (SELECT seq FROM entries WHERE verb = 'version.delete');

CREATE INDEX versions_in_trash ON versions (trash_id) WHERE trash_id IS NOT NULL;
CREATE INDEX files_in_trash ON files (trash_id) WHERE trash_id IS NOT NULL;
CREATE INDEX tags_in_trash ON tags (trash_id) WHERE trash_id IS NOT NULL;

INSERT INTO trash (id, project_id, package_id, kind, number, path, run_id, versions, files, bytes, deleted_at)
SELECT e.seq, e.target_id, v.package_id, 'version', v.number, '', 0, 1,
	(SELECT COUNT(*) FROM files f WHERE f.trash_id = e.seq),
	(SELECT COALESCE(SUM(f.size), 0) FROM files f WHERE f.trash_id = e.seq), e.at
FROM entries e JOIN versions v ON v.trash_id = e.seq WHERE e.verb = 'version.delete';

INSERT INTO trash (id, project_id, package_id, kind, number, path, run_id, versions, files, bytes, deleted_at)
SELECT e.seq, e.target_id, v.package_id, 'file', v.number, f.path, 0, 0, 1, f.size, e.at
FROM entries e JOIN files f ON f.trash_id = e.seq
JOIN versions v ON v.id = f.version_id AND v.from_seq < e.seq AND (v.until_seq IS NULL OR v.until_seq > e.seq)
WHERE e.verb = 'file.delete';

UPDATE trash SET ended_seq = (SELECT MIN(f.purged_seq) FROM files f WHERE f.trash_id = trash.id);

CREATE INDEX trash_there ON trash (project_id, id) WHERE ended_seq IS NULL;
CREATE INDEX trash_due ON trash (deleted_at) WHERE ended_seq IS NULL;
CREATE INDEX trash_of_run ON trash (run_id, id) WHERE run_id <> 0 AND ended_seq IS NULL;
