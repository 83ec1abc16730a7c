package mlflow

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"net/http"
)

type logMetricRequest struct {
	runRequest
	metricJSON
}

func (s *Store) logMetric(r *http.Request, req logMetricRequest) (empty, error) {
	return empty{}, s.change(r.Context(), req.id(), func(tx *sql.Tx, id string) error {
		return putMetrics(r.Context(), tx, id, []metricJSON{req.metricJSON})
	})
}

type logPairRequest struct {
	runRequest
	tagJSON
}

func (s *Store) logParam(r *http.Request, req logPairRequest) (empty, error) {
	return empty{}, s.change(r.Context(), req.id(), func(tx *sql.Tx, id string) error {
		return putParams(r.Context(), tx, id, []tagJSON{req.tagJSON})
	})
}

func (s *Store) setTag(r *http.Request, req logPairRequest) (empty, error) {
	return empty{}, s.change(r.Context(), req.id(), func(tx *sql.Tx, id string) error {
		return putTags(r.Context(), tx, id, []tagJSON{req.tagJSON})
	})
}

func (s *Store) deleteTag(r *http.Request, req logPairRequest) (empty, error) {
	return empty{}, s.change(r.Context(), req.id(), func(tx *sql.Tx, id string) error {
		return changed(tx.ExecContext(r.Context(), "DELETE FROM tags WHERE run = ? AND key = ?", id, req.Key))("tag " + req.Key + " on the run " + id)
	})
}

type logBatchRequest struct {
	runRequest
	Metrics []metricJSON `json:"metrics"`
	Params  []tagJSON    `json:"params"`
	Tags    []tagJSON    `json:"tags"`
}

// logBatch keeps all of a batch or, when something in it is refused, none.
func (s *Store) logBatch(r *http.Request, req logBatchRequest) (empty, error) {
	if len(req.Metrics) > maxBatch || len(req.Params) > 100 || len(req.Tags) > 100 || len(req.Metrics)+len(req.Params)+len(req.Tags) > maxBatch {
		return empty{}, invalid("a batch has at most 1000 metrics, 100 params and 100 tags, 1000 in all")
	}
	return empty{}, s.change(r.Context(), req.id(), func(tx *sql.Tx, id string) error {
		if err := putParams(r.Context(), tx, id, req.Params); err != nil {
			return err
		}
		if err := putMetrics(r.Context(), tx, id, req.Metrics); err != nil {
			return err
		}
		return putTags(r.Context(), tx, id, req.Tags)
	})
}

func checkKey(what, key string) error {
	if key == "" || len(key) > maxKey {
		return invalid("the name of a %s has 1 to %d characters", what, maxKey)
	}
	return nil
}

// putMetrics appends values; the same value twice is kept once, so that a client
// that repeats a request does no harm.
func putMetrics(ctx context.Context, tx *sql.Tx, run string, metrics []metricJSON) error {
	for _, m := range metrics {
		if err := checkKey("metric", m.Key); err != nil {
			return err
		}
		value := sql.NullFloat64{Float64: float64(m.Value), Valid: !math.IsNaN(float64(m.Value))}
		if m.Timestamp == 0 {
			m.Timestamp = integer(now())
		}
		if _, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO metrics (run, key, step, timestamp, value) VALUES (?, ?, ?, ?, ?)", run, m.Key, int64(m.Step), int64(m.Timestamp), value); err != nil {
			return err
		}
	}
	return nil
}

// putParams adds parameters; one that is there with another value is refused.
func putParams(ctx context.Context, tx *sql.Tx, run string, params []tagJSON) error {
	for _, p := range params {
		if err := checkKey("param", p.Key); err != nil {
			return err
		}
		if len(p.Value) > maxParam {
			return invalid("the value of the param %s has more than %d characters", p.Key, maxParam)
		}
		var old string
		err := tx.QueryRowContext(ctx, "SELECT value FROM params WHERE run = ? AND key = ?", run, p.Key).Scan(&old)
		switch {
		case err == nil && old != p.Value:
			return invalid("the param %s of the run %s is %q already, and cannot become %q", p.Key, run, old, p.Value)
		case err == nil:
			continue
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO params VALUES (?, ?, ?)", run, p.Key, p.Value); err != nil {
			return err
		}
	}
	return nil
}

func putTags(ctx context.Context, tx *sql.Tx, run string, tags []tagJSON) error {
	for _, t := range tags {
		if err := checkKey("tag", t.Key); err != nil {
			return err
		}
		if len(t.Value) > maxTag {
			return invalid("the value of the tag %s has more than %d characters", t.Key, maxTag)
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO tags VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", run, t.Key, t.Value); err != nil {
			return err
		}
		if t.Key == "mlflow.runName" {
			if _, err := tx.ExecContext(ctx, "UPDATE runs SET name = ? WHERE id = ?", t.Value, run); err != nil {
				return err
			}
		}
	}
	return nil
}

type historyRequest struct {
	runRequest
	Key   string `json:"metric_key"`
	Token string `json:"page_token"`
	Max   int64  `json:"max_results"`
}

type historyAnswer struct {
	Metrics []metricJSON `json:"metrics"`
	Token   string       `json:"next_page_token,omitempty"`
}

func (s *Store) metricHistory(r *http.Request, req historyRequest) (out historyAnswer, err error) {
	offset, limit, err := page(req.Token, int(req.Max), 25000, 25000)
	if err != nil {
		return out, err
	}
	return out, s.db.View(r.Context(), func(tx *sql.Tx) error {
		if _, err := readRun(r.Context(), tx, req.id()); err != nil {
			return err
		}
		list, err := readMetrics(r.Context(), tx, "WHERE run = ? AND key = ? ORDER BY timestamp, step, value LIMIT ? OFFSET ?", req.id(), req.Key, limit+1, offset)
		out.Metrics, out.Token = nextPage(list, offset, limit)
		return err
	})
}
