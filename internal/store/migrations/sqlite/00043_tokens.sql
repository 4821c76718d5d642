-- +goose Up

CREATE INDEX tokens_by_kind ON tokens (kind, id);

-- When tokens were last used. Not part of the ledger: nobody's package depends
-- on it, and a crash may lose the last minutes.
CREATE TABLE token_uses (
	token_id BIGINT PRIMARY KEY,
	used_at  BIGINT NOT NULL -- microseconds
);
