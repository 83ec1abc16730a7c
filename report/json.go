package report

import (
	"encoding/json"
	"io"
	"net/netip"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/check"
	"github.com/cloister-ml/cloister/verdict"
)

// JSON writes a report, as docs/check.schema.json describes it.
func JSON(w io.Writer, r *check.Report, o Options) error {
	doc := struct {
		Summary      summary             `json:"summary"`
		Requirements []check.Requirement `json:"requirements"`
		Places       []check.Place       `json:"places"`
	}{summarise(r), shown(r.Requirements, o), orEmpty(r.Places)}
	return encode(w, doc)
}

// MatrixJSON writes the matrix alone.
func MatrixJSON(w io.Writer, cells []check.Cell) error {
	return encode(w, struct {
		Matrix []jsonCell `json:"matrix"`
	}{orEmpty(jsonCells(cells))})
}

func encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// shown are the requirements with their files as they are to be shown.
func shown(list []check.Requirement, o Options) []check.Requirement {
	out := make([]check.Requirement, len(list))
	for i, q := range list {
		q.Source.File = o.file(q.Source)
		out[i] = q
	}
	return out
}

func orEmpty[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

type jsonCell struct {
	From      string           `json:"from"`
	Host      string           `json:"host"`
	Service   string           `json:"service"`
	Resource  arm.ID           `json:"resource,omitempty"`
	Outcome   check.Meeting    `json:"outcome"`
	Reason    string           `json:"reason"`
	Addresses []netip.Addr     `json:"addresses,omitempty"`
	Private   bool             `json:"private"`
	Resolve   verdict.Verdict  `json:"resolve"`
	Connect   verdict.Verdict  `json:"connect"`
	Admit     verdict.Verdict  `json:"admit"`
	Authorize *verdict.Verdict `json:"authorize,omitempty"`
}

func jsonCells(cells []check.Cell) []jsonCell {
	var out []jsonCell
	for _, c := range cells {
		j := jsonCell{
			From: c.From.Name, Host: c.To.Host, Service: c.To.Service, Resource: c.To.Resource,
			Outcome: c.Outcome(), Reason: c.Decisive().Reason, Addresses: c.Resolve.Addrs, Private: c.Resolve.Private(),
			Resolve: c.Resolve.Verdict, Connect: c.Connect, Admit: c.Admit,
		}
		if c.Called {
			j.Authorize = &c.Authorize
		}
		out = append(out, j)
	}
	return out
}
