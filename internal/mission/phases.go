package mission

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"
)

// Phase is a part of the run and how long it took.
type Phase struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
	// Ours says whether the time is Cloister's own: installing packages and the
	// user's pipelines are not.
	Ours bool   `json:"ours"`
	Said string `json:"said"`
}

// Journal prints a line for each phase as it ends and keeps the times.
type Journal struct {
	w      io.Writer
	shown  *progress
	Phases []Phase
}

// NewJournal prints to w.
func NewJournal(w io.Writer) *Journal { return &Journal{w: w, shown: newProgress(w)} }

// do runs a phase; it returns what is to be said of it.
func (j *Journal) do(name string, ours bool, run func() (string, error)) error {
	start := time.Now()
	said, err := run()
	j.shown.end()
	took := time.Since(start).Seconds()
	if err != nil {
		fmt.Fprintf(j.w, "%-9s failed after %.1f s\n", name, took)
		return err
	}
	j.add(Phase{Name: name, Seconds: took, Ours: ours, Said: said})
	return nil
}

// add takes a phase that was timed elsewhere.
func (j *Journal) add(p Phase) {
	j.Phases = append(j.Phases, p)
	fmt.Fprintf(j.w, "%-9s %-72s %6.1f s\n", p.Name, p.Said, p.Seconds)
}

// Line prints one line of progress within a phase.
func (j *Journal) Line(format string, args ...any) {
	fmt.Fprintf(j.w, "          %s\n", fmt.Sprintf(format, args...))
}

// own is the time of Cloister's own parts, in seconds.
func (j *Journal) own() float64 {
	var sum float64
	for _, p := range j.Phases {
		if p.Ours {
			sum += p.Seconds
		}
	}
	return sum
}

// Write keeps the times in a file.
func (j *Journal) Write(name string) error {
	data, err := json.MarshalIndent(struct {
		When   time.Time `json:"when"`
		Own    float64   `json:"ownSeconds"`
		Phases []Phase   `json:"phases"`
	}{time.Now().UTC(), j.own(), j.Phases}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(name, append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("writing the times of the phases: %w", err)
	}
	return nil
}
