package format

// Snippet is a text on the page of a package: what to run, or to write into a file.
// It is plain text, and holds no secret.
type Snippet struct {
	Client string // "npm"
	Does   string // "Install"
	File   string // where the text goes; "" for a command
	Text   string
	Risk   string // what to know before using it; "" for nothing
}

// SnippetPlace is what snippets are about.
type SnippetPlace struct {
	Base      string // public address of the server, without a slash at the end
	ProjectID int64
	Group     string // path of the top-level group
	Package   string
	Version   string
	File      string // path of a file of the version; "" for none
}
