package client

import (
	"fmt"
	"io"

	"github.com/cloister-ml/cloister/internal/devops/wire"
)

// Printer is a Watcher that writes a line for everything, steady on a terminal and
// in a log: each line begins with the stage and the job that it is about.
type Printer struct {
	out   io.Writer
	quiet bool
	jobs  map[string]string // a job's identifier, by id
}

// NewPrinter makes a Printer; with quiet it leaves out what steps print.
func NewPrinter(out io.Writer, quiet bool) *Printer {
	return &Printer{out: out, quiet: quiet, jobs: map[string]string{}}
}

// Started writes that something begins.
func (p *Printer) Started(r wire.Record) {
	switch r.Type {
	case wire.RecordStage:
		fmt.Fprintf(p.out, "%s: stage begins\n", r.Identifier)
	case wire.RecordJob:
		p.jobs[r.ID] = r.Identifier
		fmt.Fprintf(p.out, "%s: job begins on %s\n", r.Identifier, r.WorkerName)
	default:
		fmt.Fprintf(p.out, "%s: %s\n", p.jobs[r.ParentID], r.Name)
	}
}

// Line writes a line that a step printed.
func (p *Printer) Line(r wire.Record, line string) {
	if !p.quiet {
		fmt.Fprintf(p.out, "%s:   | %s\n", p.jobs[r.ParentID], line)
	}
}

// Ended writes how something ended, with its errors; what was skipped within a
// whole that never began is left out.
func (p *Printer) Ended(r wire.Record) {
	took := ""
	if r.StartTime != nil && r.FinishTime != nil {
		took = fmt.Sprintf(", %.1f s", r.FinishTime.Sub(*r.StartTime).Seconds())
	}
	switch r.Type {
	case wire.RecordStage:
		fmt.Fprintf(p.out, "%s: stage %s%s\n", r.Identifier, r.Result, took)
	case wire.RecordJob:
		fmt.Fprintf(p.out, "%s: job %s%s\n", r.Identifier, r.Result, took)
	default:
		if job, begun := p.jobs[r.ParentID]; begun && (r.StartTime != nil || r.Result != wire.ResultSkipped) {
			fmt.Fprintf(p.out, "%s: %s: %s%s\n", job, r.Name, r.Result, took)
		}
	}
	for _, i := range r.Issues {
		fmt.Fprintf(p.out, "%s:   %s: %s\n", r.Identifier, i.Type, i.Message)
	}
}
