package mission

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cloister-ml/cloister/internal/cloud"
)

// progress shows on a terminal how far a phase is: a line for each document as it
// becomes real, and below them one that counts and is written over. Elsewhere,
// as in the log of a pipeline, it shows nothing: the phase's own line follows.
type progress struct {
	w    io.Writer // nil for none
	seen map[string]bool
	line string
	last time.Time
}

// newProgress shows progress where w is a terminal.
func newProgress(w io.Writer) *progress {
	f, ok := w.(*os.File)
	if !ok {
		return &progress{}
	}
	if _, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS); err != nil {
		return &progress{}
	}
	return &progress{w: w, seen: map[string]bool{}}
}

// redraw is how often the counting line may change.
const redraw = 50 * time.Millisecond

// count shows that n of total are done, and what is being done.
func (p *progress) count(n, total int, what string) {
	if p.w == nil || n < total && time.Since(p.last) < redraw {
		return
	}
	p.last = time.Now()
	p.draw(fmt.Sprintf("          %d of %d %s", n, total, what))
}

// documents shows the documents that have become real since the last call.
func (p *progress) documents(resources []cloud.Status) {
	if p.w == nil {
		return
	}
	ready, total, waiting := 0, 0, ""
	for _, r := range resources {
		if r.Kept {
			continue
		}
		total++
		if !r.Ready {
			if waiting == "" {
				waiting = r.ID.Name()
			}
			continue
		}
		ready++
		if key := r.ID.Key(); !p.seen[key] {
			p.seen[key] = true
			p.above(fmt.Sprintf("          %-60s %s", r.Type, r.ID.Name()))
		}
	}
	p.draw(strings.TrimRight(fmt.Sprintf("          %d of %d real %s", ready, total, waiting), " "))
}

const eraseLine = "\r\x1b[K"

// draw writes the counting line over the last one. It must not wrap: what wraps
// cannot be written over.
func (p *progress) draw(line string) {
	line = line[:min(len(line), 79)]
	if line != p.line {
		fmt.Fprint(p.w, eraseLine+line)
		p.line = line
	}
}

// above writes a line that stays.
func (p *progress) above(line string) {
	fmt.Fprint(p.w, eraseLine+line+"\n"+p.line)
}

// end takes the counting line away.
func (p *progress) end() {
	if p.w != nil && p.line != "" {
		fmt.Fprint(p.w, eraseLine)
		p.line = ""
	}
}
