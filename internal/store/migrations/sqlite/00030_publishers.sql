-- +goose Up

-- Trusted publishers: rules by which ID tokens of other issuers are exchanged
-- for job tokens.
ALTER TABLE heads ADD COLUMN publisher_id BIGINT NOT NULL DEFAULT 0;

CREATE TABLE publishers (
	id     INTEGER PRIMARY KEY,
	record TEXT NOT NULL
);

-- ID tokens that were exchanged, until they run out. Not part of the ledger: it
-- says nothing that a reader sees.
CREATE TABLE exchanged (
	digest BLOB PRIMARY KEY, -- of the issuer and the token's id
	until  BIGINT NOT NULL   -- microseconds
) WITHOUT ROWID;
CREATE INDEX exchanged_until ON exchanged (until);
