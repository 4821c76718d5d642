-- +goose Up

-- Keys of the blob store that the collector has given up. Not part of the ledger.
-- A publish at another node that comes with such a key is refused, because the
-- bytes are gone.
CREATE TABLE abandoned (
	key TEXT PRIMARY KEY,
	at  BIGINT NOT NULL -- microseconds
);
