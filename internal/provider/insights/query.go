package insights

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
)

// Limits of a query.
const (
	defaultLimit = 100
	maxLimit     = 10_000
)

// question is the body of the action query.
type question struct {
	Table    string `json:"table"`
	Since    string `json:"since"` // a time, or a duration until now
	Contains string `json:"contains"`
	Limit    int    `json:"limit"`
}

// result is in the shape of Azure's query API.
type result struct {
	Tables []resultTable `json:"tables"`
}

type resultTable struct {
	Name    string         `json:"name"`
	Columns []resultColumn `json:"columns"`
	Rows    [][]any        `json:"rows"`
}

type resultColumn struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// query answers POST {component}/query.
func (s *ingestion) query(ctx context.Context, r arm.Resource, body json.RawMessage) (any, error) {
	f, err := parseQuestion(body, time.Now())
	if err != nil {
		return nil, err
	}
	f.Component = r.ID
	items, err := s.store.Query(ctx, f)
	if err != nil {
		return nil, err
	}
	columns := columnsOf(f.Table)
	table := resultTable{Name: "PrimaryResult", Columns: []resultColumn{}, Rows: [][]any{}}
	for _, c := range columns {
		table.Columns = append(table.Columns, resultColumn{Name: c.name, Type: c.typ})
	}
	for _, i := range items {
		table.Rows = append(table.Rows, row(i, columns))
	}
	return result{Tables: []resultTable{table}}, nil
}

func parseQuestion(body json.RawMessage, now time.Time) (Filter, error) {
	bad := func(format string, args ...any) (Filter, error) {
		return Filter{}, cloud.Errorf(http.StatusBadRequest, "BadArgumentError", format, args...)
	}
	q := question{Limit: defaultLimit}
	if len(body) > 0 {
		if err := json.Unmarshal(body, &q); err != nil {
			return bad("the body is not {\"table\", \"since\", \"contains\", \"limit\"}")
		}
	}
	f := Filter{Contains: q.Contains, Limit: q.Limit}
	if q.Limit < 1 || q.Limit > maxLimit {
		return bad("limit %d is not from 1 to %d", q.Limit, maxLimit)
	}
	if q.Table != "" {
		names := tableNames()
		i := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, q.Table) })
		if i < 0 {
			return bad("table %q is not one of %s", q.Table, strings.Join(names, ", "))
		}
		f.Table = names[i]
	}
	if q.Since != "" {
		if d, err := time.ParseDuration(q.Since); err == nil {
			f.Since = now.Add(-d.Abs())
		} else if f.Since, err = time.Parse(time.RFC3339, q.Since); err != nil {
			return bad("since %q is neither a time nor a duration", q.Since)
		}
	}
	return f, nil
}

func tableNames() []string {
	out := make([]string, 0, len(tables))
	for _, name := range tables {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
