package check

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// baselineVersion is that of the form of a baseline file.
const baselineVersion = 1

// maxBaseline bounds what is read of a baseline, in bytes.
const maxBaseline = 16 << 20

// Baseline is what is known to fall: new findings count, and these do not.
type Baseline struct {
	Version int     `json:"version"`
	Known   []Known `json:"known"`
}

// Known is one requirement that falls, by its stable id.
type Known struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	Reason string `json:"reason"`
}

// NewBaseline knows all that falls in a report.
func NewBaseline(r *Report) Baseline {
	b := Baseline{Version: baselineVersion, Known: []Known{}}
	for _, q := range r.With(Violated) {
		b.Known = append(b.Known, Known{q.ID, q.Title, q.Reason})
	}
	slices.SortFunc(b.Known, func(x, y Known) int { return compareText(x.ID, y.ID) })
	return b
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// ReadBaseline reads what Write wrote.
func ReadBaseline(r io.Reader) (Baseline, error) {
	var b Baseline
	d := json.NewDecoder(io.LimitReader(r, maxBaseline))
	if err := d.Decode(&b); err != nil {
		return b, fmt.Errorf("it is no baseline: %w", err)
	}
	if b.Version != baselineVersion {
		return b, fmt.Errorf("it is a baseline of version %d, and this cloister reads version %d; write it anew with --write-baseline", b.Version, baselineVersion)
	}
	return b, nil
}

// Write writes the baseline as JSON.
func (b Baseline) Write(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(b)
}

// Apply takes what is known out of a report's verdict, as switched off by the
// baseline of that name, and returns what is known and falls no more.
func (b Baseline) Apply(r *Report, name string) (gone []Known) {
	known := map[string]bool{}
	for _, k := range b.Known {
		known[k.ID] = false
	}
	for i := range r.Requirements {
		q := &r.Requirements[i]
		if _, ok := known[q.ID]; !ok || q.Outcome != Violated {
			continue
		}
		known[q.ID] = true
		q.Outcome, q.Reason, q.Remedy = Off, "known to "+name+": "+q.Reason, ""
	}
	for i := range r.Requirements {
		q := &r.Requirements[i]
		if at := slices.IndexFunc(r.Requirements, func(c Requirement) bool { return c.ID == q.Because }); at >= 0 && r.Requirements[at].Outcome == Off {
			q.Because = ""
		}
	}
	for _, k := range b.Known {
		if !known[k.ID] {
			gone = append(gone, k)
		}
	}
	return gone
}
