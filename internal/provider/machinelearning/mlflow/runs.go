package mlflow

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// Bounds of MLflow's REST API on one request and on one value.
const (
	maxBatch = 1000
	maxParam = 6000
	maxKey   = 250
	maxTag   = 8000
)

type runInfo struct {
	ID         string `json:"run_id"`
	UUID       string `json:"run_uuid"`
	Name       string `json:"run_name"`
	Experiment string `json:"experiment_id"`
	User       string `json:"user_id"`
	Status     string `json:"status"`
	Started    int64  `json:"start_time"`
	Ended      *int64 `json:"end_time,omitempty"`
	Artifacts  string `json:"artifact_uri"`
	Stage      string `json:"lifecycle_stage"`
}

type metricJSON struct {
	Key       string  `json:"key"`
	Value     number  `json:"value"`
	Timestamp integer `json:"timestamp"`
	Step      integer `json:"step"`
}

type runData struct {
	Metrics []metricJSON `json:"metrics"`
	Params  []tagJSON    `json:"params"`
	Tags    []tagJSON    `json:"tags"`
}

type runJSON struct {
	Info   runInfo  `json:"info"`
	Data   runData  `json:"data"`
	Inputs struct{} `json:"inputs"`
}

type runAnswer struct {
	Run runJSON `json:"run"`
}

func readRuns(ctx context.Context, tx *sql.Tx, tail string, args ...any) ([]runJSON, error) {
	rows, err := tx.QueryContext(ctx, "SELECT id, name, experiment, user, status, stage, started, ended FROM runs "+tail, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []runJSON{}
	for rows.Next() {
		var i runInfo
		var experiment int64
		if err := rows.Scan(&i.ID, &i.Name, &experiment, &i.User, &i.Status, &i.Stage, &i.Started, &i.Ended); err != nil {
			return nil, err
		}
		i.UUID, i.Experiment = i.ID, strconv.FormatInt(experiment, 10)
		i.Artifacts = location(experiment) + "/" + i.ID + "/artifacts"
		out = append(out, runJSON{Info: i})
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for i := range out {
		if out[i].Data, err = readData(ctx, tx, out[i].Info.ID); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func readRun(ctx context.Context, tx *sql.Tx, id string) (runJSON, error) {
	list, err := readRuns(ctx, tx, "WHERE id = ?", id)
	if err == nil && len(list) == 0 {
		err = missing("there is no run %s", id)
	}
	if err != nil {
		return runJSON{}, err
	}
	return list[0], nil
}

// readData gives the newest value of each metric, the parameters and the tags.
func readData(ctx context.Context, tx *sql.Tx, run string) (d runData, err error) {
	if d.Params, err = pairs(ctx, tx, "SELECT key, value FROM params WHERE run = ? ORDER BY key", run); err != nil {
		return d, err
	}
	if d.Tags, err = pairs(ctx, tx, "SELECT key, value FROM tags WHERE run = ? ORDER BY key", run); err != nil {
		return d, err
	}
	all, err := readMetrics(ctx, tx, "WHERE run = ? ORDER BY key, step DESC, timestamp DESC, value DESC", run)
	d.Metrics = []metricJSON{}
	for _, m := range all {
		if n := len(d.Metrics); n == 0 || d.Metrics[n-1].Key != m.Key {
			d.Metrics = append(d.Metrics, m)
		}
	}
	return d, err
}

func readMetrics(ctx context.Context, tx *sql.Tx, tail string, args ...any) ([]metricJSON, error) {
	rows, err := tx.QueryContext(ctx, "SELECT key, value, timestamp, step FROM metrics "+tail, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []metricJSON{}
	for rows.Next() {
		var m metricJSON
		var value sql.NullFloat64
		if err := rows.Scan(&m.Key, &value, &m.Timestamp, &m.Step); err != nil {
			return nil, err
		}
		if m.Value = number(value.Float64); !value.Valid {
			m.Value = number(math.NaN())
		}
		out = append(out, m)
	}
	return out, rows.Err()
}

type createRunRequest struct {
	Experiment string    `json:"experiment_id"`
	User       string    `json:"user_id"`
	Name       string    `json:"run_name"`
	Started    integer   `json:"start_time"`
	Tags       []tagJSON `json:"tags"`
}

func (s *Store) createRun(r *http.Request, req createRunRequest) (out runAnswer, err error) {
	id := strings.ReplaceAll(uuid.NewString(), "-", "")
	if req.Experiment == "" {
		req.Experiment = "0"
	}
	if req.Started == 0 {
		req.Started = integer(now())
	}
	for _, t := range req.Tags {
		if t.Key == "mlflow.runName" && req.Name == "" {
			req.Name = t.Value
		}
	}
	if req.Name == "" {
		req.Name = "run-" + id[:8]
	}
	return out, s.db.Update(r.Context(), func(tx *sql.Tx) error {
		e, err := readExperiment(r.Context(), tx, "id = ?", req.Experiment)
		if err != nil {
			return err
		}
		if e.Stage != "active" {
			return invalid("the experiment %s is deleted", e.Name)
		}
		if err := insertRun(r.Context(), tx, id, req.Experiment, req.Name, req.User, int64(req.Started)); err != nil {
			return err
		}
		if err := putTags(r.Context(), tx, id, append(req.Tags, tagJSON{"mlflow.runName", req.Name})); err != nil {
			return err
		}
		out.Run, err = readRun(r.Context(), tx, id)
		return err
	})
}

func insertRun(ctx context.Context, tx *sql.Tx, id string, experiment any, name, user string, started int64) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO runs (id, experiment, name, user, status, started) VALUES (?, ?, ?, ?, 'RUNNING', ?)", id, experiment, name, user, started)
	return err
}

type runRequest struct {
	ID   string `json:"run_id"`
	UUID string `json:"run_uuid"` // what older clients send
}

func (r runRequest) id() string {
	if r.ID == "" {
		return r.UUID
	}
	return r.ID
}

func (s *Store) getRun(r *http.Request, req runRequest) (out runAnswer, err error) {
	return out, s.db.View(r.Context(), func(tx *sql.Tx) error {
		out.Run, err = readRun(r.Context(), tx, req.id())
		return err
	})
}

type updateRunRequest struct {
	runRequest
	Status string   `json:"status"`
	Name   string   `json:"run_name"`
	Ended  *integer `json:"end_time"`
}

type updateRunAnswer struct {
	Info runInfo `json:"run_info"`
}

var statuses = regexp.MustCompile(`^(RUNNING|SCHEDULED|FINISHED|FAILED|KILLED)$`)

func (s *Store) updateRun(r *http.Request, req updateRunRequest) (out updateRunAnswer, err error) {
	if req.Status != "" && !statuses.MatchString(req.Status) {
		return out, invalid("%q is not a status of a run", req.Status)
	}
	return out, s.change(r.Context(), req.id(), func(tx *sql.Tx, id string) error {
		_, err := tx.ExecContext(r.Context(), `UPDATE runs SET status = coalesce(nullif(?, ''), status), name = coalesce(nullif(?, ''), name), ended = coalesce(?, ended) WHERE id = ?`,
			req.Status, req.Name, req.Ended, id)
		if err != nil {
			return err
		}
		if req.Name != "" {
			if err := putTags(r.Context(), tx, id, []tagJSON{{"mlflow.runName", req.Name}}); err != nil {
				return err
			}
		}
		run, err := readRun(r.Context(), tx, id)
		out.Info = run.Info
		return err
	})
}

// change runs do on an active run.
func (s *Store) change(ctx context.Context, id string, do func(tx *sql.Tx, id string) error) error {
	return s.db.Update(ctx, func(tx *sql.Tx) error {
		var stage string
		err := tx.QueryRowContext(ctx, "SELECT stage FROM runs WHERE id = ?", id).Scan(&stage)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return missing("there is no run %s", id)
		case err != nil:
			return err
		case stage != "active":
			return invalid("the run %s is deleted: restore it first", id)
		}
		return do(tx, id)
	})
}

func (s *Store) setStage(ctx context.Context, id, stage string) error {
	return s.db.Update(ctx, func(tx *sql.Tx) error {
		return changed(tx.ExecContext(ctx, "UPDATE runs SET stage = ? WHERE id = ?", stage, id))("run " + id)
	})
}

func (s *Store) deleteRun(r *http.Request, req runRequest) (empty, error) {
	return empty{}, s.setStage(r.Context(), req.id(), "deleted")
}

func (s *Store) restoreRun(r *http.Request, req runRequest) (empty, error) {
	return empty{}, s.setStage(r.Context(), req.id(), "active")
}

type searchRunsRequest struct {
	Experiments []string `json:"experiment_ids"`
	Filter      string   `json:"filter"`
	View        string   `json:"run_view_type"`
	Max         integer  `json:"max_results"`
	Order       []string `json:"order_by"`
	Token       string   `json:"page_token"`
}

type searchRunsAnswer struct {
	Runs  []runJSON `json:"runs"`
	Token string    `json:"next_page_token,omitempty"`
}

func (s *Store) searchRuns(r *http.Request, req searchRunsRequest) (out searchRunsAnswer, err error) {
	offset, limit, err := page(req.Token, int(req.Max), 1000, 50000)
	if err != nil {
		return out, err
	}
	q, err := runFields.query(req.Filter, req.Order, "started DESC, id")
	if err != nil {
		return out, err
	}
	q.stage(strings.Replace(req.View, "ACTIVE_ONLY", "", 1))
	if len(req.Experiments) == 0 || len(req.Experiments) > maxBatch {
		return out, invalid("name 1 to %d experiments to search in", maxBatch)
	}
	ids := make([]any, len(req.Experiments))
	for i, e := range req.Experiments {
		ids[i] = e
	}
	q.also("experiment IN ("+strings.TrimSuffix(strings.Repeat("?,", len(ids)), ",")+")", ids...)
	return out, s.db.View(r.Context(), func(tx *sql.Tx) error {
		list, err := readRuns(r.Context(), tx, q.tail(limit+1, offset), q.args...)
		out.Runs, out.Token = nextPage(list, offset, limit)
		return err
	})
}
