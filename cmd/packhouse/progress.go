package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/schollz/progressbar/v3"
)

// progress shows how far long work is: as a bar where somebody looks, as a line now
// and then in a log. It belongs to one goroutine at a time.
type progress struct {
	out   io.Writer
	tty   bool
	bytes bool // what is counted

	what  string
	bar   *progressbar.ProgressBar
	total int64
	last  time.Time
}

// quiet is how much time passes between two lines of a log.
const quiet = 10 * time.Second

func newProgress(out *os.File, what string, bytes bool) *progress {
	return &progress{out: out, tty: isatty.IsTerminal(out.Fd()), what: what, bytes: bytes, last: time.Now()}
}

// at shows that done of total are done. The total may change.
func (p *progress) at(done, total int64) {
	if !p.tty {
		p.line(done, total)
		return
	}
	if p.bar == nil {
		if total == 0 {
			return
		}
		p.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(p.out), progressbar.OptionSetDescription(p.what),
			progressbar.OptionShowBytes(p.bytes), progressbar.OptionUseIECUnits(true), progressbar.OptionShowCount(), progressbar.OptionFullWidth(),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionUseANSICodes(true))
		p.total = total
	}
	if total != p.total {
		p.bar.ChangeMax64(total)
		p.total = total
	}
	_ = p.bar.Set64(done) // it fails when done is over the total, which is then about to change
}

func (p *progress) line(done, total int64) {
	if time.Since(p.last) < quiet {
		return
	}
	p.last = time.Now()
	fmt.Fprintf(p.out, "%s: %s of %s\n", p.what, p.amount(done), p.amount(total))
}

func (p *progress) amount(n int64) string {
	if p.bytes {
		return size(n)
	}
	return fmt.Sprint(n)
}

// end leaves the bar as it is.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Exit()
		fmt.Fprintln(p.out)
	}
}
