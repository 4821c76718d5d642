-- +goose Up

-- When the tags of a project's container images are cleaned up next, and how far that
-- is. The policy itself is the project's; what a run takes away is in the ledger. This
-- is not: it says nothing that pulls and pushes see, and a restored copy of the ledger
-- begins anew.
CREATE TABLE image_cleanups (
	project_id   BIGINT PRIMARY KEY,
	saved_at     BIGINT NOT NULL, -- when the policy was, from which runs are counted
	every        BIGINT NOT NULL, -- microseconds
	next_at      BIGINT, -- null: never
	started_at   BIGINT, -- the last run, or the one under way
	finished_at  BIGINT, -- null: there was none, or it is under way
	after_id     BIGINT NOT NULL DEFAULT 0, -- the repository that the run under way has done last
	repositories BIGINT NOT NULL DEFAULT 0, -- that the run has done
	removed      BIGINT NOT NULL DEFAULT 0 -- tags that the run has taken away
);
CREATE INDEX image_cleanups_due ON image_cleanups (next_at) WHERE next_at IS NOT NULL;

ALTER TABLE repositories ADD COLUMN cleaned_at BIGINT; -- when a run came to it last; not part of the ledger
