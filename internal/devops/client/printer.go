package client

import (
	"fmt"
	"io"
	"strings"

	"github.com/cloister-ml/cloister/internal/devops/pipeline"
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
		if name := title(r); name != "" {
			fmt.Fprintf(p.out, "%s: stage begins\n", name)
		}
	case wire.RecordJob:
		p.jobs[r.ID] = title(r)
		fmt.Fprintf(p.out, "%s: job begins on %s\n", title(r), r.WorkerName)
	default:
		fmt.Fprintf(p.out, "%s: %s\n", p.jobs[r.ParentID], r.Name)
	}
}

// title is a record's identifier, without the stage of a pipeline that names none.
func title(r wire.Record) string {
	if r.Identifier == pipeline.DefaultStage {
		return ""
	}
	return strings.TrimPrefix(r.Identifier, pipeline.DefaultStage+".")
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
	name := title(r)
	switch r.Type {
	case wire.RecordStage:
		if name != "" {
			fmt.Fprintf(p.out, "%s: stage %s%s\n", name, r.Result, took)
		}
	case wire.RecordJob:
		fmt.Fprintf(p.out, "%s: job %s%s\n", name, r.Result, took)
	default:
		job, begun := p.jobs[r.ParentID]
		if begun && (r.StartTime != nil || r.Result != wire.ResultSkipped) {
			fmt.Fprintf(p.out, "%s: %s: %s%s\n", job, r.Name, r.Result, took)
		}
		name = job
	}
	for _, i := range r.Issues {
		fmt.Fprintf(p.out, "%s:   %s: %s\n", name, i.Type, i.Message)
	}
}
