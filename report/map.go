package report

import (
	"cmp"
	"fmt"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/check"
	"github.com/cloister-ml/cloister/report/floorplan"
)

// OnMap draws what was proved on the plan of the same estate: requirements that
// fall and those that cannot be known. A flow to a host of the platform, which no
// document stands for, leads to the internet.
func OnMap(p *floorplan.Plan, r *check.Report, o Options) {
	p.Tally = &floorplan.Tally{
		Holds: r.Count(check.Holds), Falls: r.Count(check.Violated),
		Unknown: r.Count(check.Unknown), Off: r.Count(check.Off),
	}
	for _, q := range r.Requirements {
		if q.Outcome == check.Violated || q.Outcome == check.Unknown {
			p.Findings = append(p.Findings, o.finding(q))
		}
	}
}

func (o Options) finding(q check.Requirement) floorplan.Finding {
	f := floorplan.Finding{
		Rule: q.Rule, Title: q.Title, Reason: q.Reason, Remedy: q.Remedy, Severity: string(q.Severity),
		Unknown: q.Outcome == check.Unknown, Open: !q.Must,
		Resource: q.Resource, Door: q.To.Endpoint.Group,
	}
	if q.Source.File != "" {
		f.Where = fmt.Sprintf("%s:%d", o.file(q.Source), q.Source.Line)
	}
	if q.From.Kind == "" || q.From.Kind == check.KindService {
		return f // what one document says, or an identity may do: no packets
	}
	f.From = cmp.Or(q.From.Resource, q.From.VNet)
	if q.From.Kind == check.KindInternet {
		f.From = floorplan.Internet
	}
	f.To = cmp.Or(q.To.Endpoint.Owner, q.To.Resource, floorplan.Internet)
	if f.From == f.To {
		f.From, f.To = arm.ID(""), ""
	}
	return f
}
