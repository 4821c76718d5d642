-- +goose Up

-- Passwords, as argon2id has them. Not part of the ledger, which tells only that
-- one was set: a hash of what people remember is not fit to be kept for ever.
CREATE TABLE passwords (
	user_id BIGINT PRIMARY KEY,
	hash    TEXT COLLATE "C" NOT NULL
);

-- When a session was last used, within some minutes. Not part of the ledger.
CREATE TABLE session_uses (
	token_id BIGINT PRIMARY KEY,
	at       BIGINT NOT NULL -- microseconds
);

-- Who somebody is at a provider of single sign-on.
CREATE TABLE identities (
	provider TEXT COLLATE "C" NOT NULL,
	subject  TEXT COLLATE "C" NOT NULL,
	user_id  BIGINT NOT NULL,
	PRIMARY KEY (provider, subject)
);
CREATE INDEX identities_by_user ON identities (user_id, provider);
