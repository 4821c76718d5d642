-- +goose Up

-- A group or project shared with another group, whose members get a role in it.
CREATE TABLE shares (
	level     BIGINT NOT NULL,
	target_id BIGINT NOT NULL,
	group_id  BIGINT NOT NULL,
	record    TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (level, target_id, group_id)
);
