-- +goose Up

-- Debuggers ask for the symbols of a program by a path that says which build they
-- are of, and know no package. The query repeats the condition as it stands here.
CREATE INDEX files_of_symbols ON files (path, id) WHERE until_seq IS NULL AND substr(path, 1, 12) = 'symbolfiles/';
