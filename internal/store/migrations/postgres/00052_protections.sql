-- +goose Up

-- Rules that keep packages from people whose role is too low. A pattern is there
-- once for a format, in lower case.
ALTER TABLE heads ADD COLUMN protection_id BIGINT NOT NULL DEFAULT 0;

CREATE TABLE protections (
	id        BIGINT PRIMARY KEY,
	level     INTEGER NOT NULL,
	target_id BIGINT NOT NULL,
	format    TEXT COLLATE "C" NOT NULL,
	packages  TEXT COLLATE "C" NOT NULL,
	versions  TEXT COLLATE "C" NOT NULL,
	record    TEXT COLLATE "C" NOT NULL,
	UNIQUE (level, target_id, format, packages, versions)
);
