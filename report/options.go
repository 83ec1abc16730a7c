package report

import (
	"os"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/check"
)

// Options change how a report is written.
type Options struct {
	Color   bool   // ANSI colours in text
	All     bool   // text: also each requirement that holds
	Width   int    // text: columns; 0 is 100
	Version string // of the program, for SARIF
	// Path gives a source file the name to be shown; nil keeps it as it is.
	Path func(file string) string
}

// MinWidth is the fewest columns that text is written in.
const MinWidth = 60

const defaultWidth = 100

func (o Options) width() int {
	if o.Width < MinWidth {
		return defaultWidth
	}
	return o.Width
}

func (o Options) file(s arm.Source) string {
	if o.Path == nil {
		return s.File
	}
	return o.Path(s.File)
}

// WantColor reports whether text to a file should be coloured: it is a terminal,
// and the user has not said no (https://no-color.org).
func WantColor(f *os.File) bool {
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// summary counts a report's outcomes.
type summary struct {
	Resources    int `json:"resources"`
	Unread       int `json:"unread,omitempty"` // declared, and not in the estate
	Requirements int `json:"requirements"`
	Holds        int `json:"holds"`
	Violated     int `json:"violated"`
	Unknown      int `json:"unknown"`
	Off          int `json:"off"`
}

func summarise(r *check.Report) summary {
	return summary{
		Resources: r.Resources, Unread: r.Unread, Requirements: len(r.Requirements),
		Holds: r.Count(check.Holds), Violated: r.Count(check.Violated),
		Unknown: r.Count(check.Unknown), Off: r.Count(check.Off),
	}
}
