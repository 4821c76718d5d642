-- +goose Up

-- Secrets that the nodes share, such as the key of short-lived tokens. Not part of
-- the ledger: whoever restores a backup makes others.
CREATE TABLE secrets (
	name   TEXT PRIMARY KEY,
	secret BLOB NOT NULL
);
