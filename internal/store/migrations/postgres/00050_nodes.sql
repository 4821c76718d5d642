-- +goose Up

-- Processes that share this database. Not part of the ledger: it says nothing
-- that a reader sees. A node knows by its own row whether the last batch that it
-- wrote was committed, should the answer to that get lost.
CREATE TABLE nodes (
	id         TEXT COLLATE "C" PRIMARY KEY,
	name       TEXT COLLATE "C" NOT NULL, -- of the machine, for people
	place      TEXT COLLATE "C" NOT NULL DEFAULT '', -- where it keeps files
	started_at BIGINT NOT NULL, -- microseconds
	seen_at    BIGINT NOT NULL, -- microseconds
	position   BIGINT NOT NULL, -- of the ledger, up to which the node has seen it
	batch      BYTEA            -- a random name of the last batch that it committed
);
