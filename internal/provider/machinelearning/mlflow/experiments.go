package mlflow

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"strconv"
	"strings"
)

type experimentJSON struct {
	ID       string    `json:"experiment_id"`
	Name     string    `json:"name"`
	Location string    `json:"artifact_location"`
	Stage    string    `json:"lifecycle_stage"`
	Created  int64     `json:"creation_time"`
	Updated  int64     `json:"last_update_time"`
	Tags     []tagJSON `json:"tags"`
}

type experimentAnswer struct {
	Experiment experimentJSON `json:"experiment"`
}

// location is where the client sends artifacts: our artifact proxy.
func location(experiment int64) string {
	return "mlflow-artifacts:/experiments/" + strconv.FormatInt(experiment, 10)
}

// one reads one experiment; where is a condition on it.
func readExperiment(ctx context.Context, tx *sql.Tx, where string, arg any) (experimentJSON, error) {
	list, err := readExperiments(ctx, tx, "WHERE "+where, arg)
	if err == nil && len(list) == 0 {
		err = missing("there is no experiment %v", arg)
	}
	if err != nil {
		return experimentJSON{}, err
	}
	return list[0], nil
}

func readExperiments(ctx context.Context, tx *sql.Tx, tail string, args ...any) ([]experimentJSON, error) {
	rows, err := tx.QueryContext(ctx, "SELECT id, name, stage, created, updated FROM experiments "+tail, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []experimentJSON{}
	for rows.Next() {
		var e experimentJSON
		var id int64
		if err := rows.Scan(&id, &e.Name, &e.Stage, &e.Created, &e.Updated); err != nil {
			return nil, err
		}
		e.ID, e.Location = strconv.FormatInt(id, 10), location(id)
		out = append(out, e)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for i := range out {
		if out[i].Tags, err = pairs(ctx, tx, "SELECT key, value FROM experiment_tags WHERE experiment = ? ORDER BY key", out[i].ID); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ensureExperiment is the id of the experiment called name, which is made when
// it is not there.
func ensureExperiment(ctx context.Context, tx *sql.Tx, name string) (int64, error) {
	var id int64
	err := tx.QueryRowContext(ctx, "SELECT id FROM experiments WHERE name = ?", name).Scan(&id)
	if !errors.Is(err, sql.ErrNoRows) {
		return id, err
	}
	t := now()
	res, err := tx.ExecContext(ctx, "INSERT INTO experiments (name, created, updated) VALUES (?, ?, ?)", name, t, t)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

type createExperimentRequest struct {
	Name string    `json:"name"`
	Tags []tagJSON `json:"tags"`
}

type createExperimentAnswer struct {
	ID string `json:"experiment_id"`
}

func (s *Store) createExperiment(r *http.Request, req createExperimentRequest) (out createExperimentAnswer, err error) {
	if strings.TrimSpace(req.Name) == "" || len(req.Name) > 500 {
		return out, invalid("an experiment's name has 1 to 500 characters")
	}
	return out, s.db.Update(r.Context(), func(tx *sql.Tx) error {
		if _, err := readExperiment(r.Context(), tx, "name = ?", req.Name); err == nil {
			return exists("the experiment %q exists already", req.Name)
		}
		id, err := ensureExperiment(r.Context(), tx, req.Name)
		if err != nil {
			return err
		}
		out.ID = strconv.FormatInt(id, 10)
		for _, t := range req.Tags {
			if err := putExperimentTag(r.Context(), tx, out.ID, t); err != nil {
				return err
			}
		}
		return nil
	})
}

func putExperimentTag(ctx context.Context, tx *sql.Tx, experiment string, t tagJSON) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO experiment_tags VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", experiment, t.Key, t.Value)
	return err
}

type experimentRequest struct {
	ID   string `json:"experiment_id"`
	Name string `json:"experiment_name"`
}

func (s *Store) getExperiment(r *http.Request, req experimentRequest) (out experimentAnswer, err error) {
	return out, s.db.View(r.Context(), func(tx *sql.Tx) error {
		out.Experiment, err = readExperiment(r.Context(), tx, "id = ?", req.ID)
		return err
	})
}

func (s *Store) getExperimentByName(r *http.Request, req experimentRequest) (out experimentAnswer, err error) {
	return out, s.db.View(r.Context(), func(tx *sql.Tx) error {
		out.Experiment, err = readExperiment(r.Context(), tx, "name = ?", req.Name)
		return err
	})
}

type searchExperimentsRequest struct {
	Max    integer  `json:"max_results"`
	Token  string   `json:"page_token"`
	Filter string   `json:"filter"`
	Order  []string `json:"order_by"`
	View   string   `json:"view_type"`
}

type searchExperimentsAnswer struct {
	Experiments []experimentJSON `json:"experiments"`
	Token       string           `json:"next_page_token,omitempty"`
}

func (s *Store) searchExperiments(r *http.Request, req searchExperimentsRequest) (out searchExperimentsAnswer, err error) {
	offset, limit, err := page(req.Token, int(req.Max), 1000, 50000)
	if err != nil {
		return out, err
	}
	q, err := experimentFields.query(req.Filter, req.Order, "updated DESC, id DESC")
	if err != nil {
		return out, err
	}
	q.stage(req.View)
	return out, s.db.View(r.Context(), func(tx *sql.Tx) error {
		list, err := readExperiments(r.Context(), tx, q.tail(limit+1, offset), q.args...)
		out.Experiments, out.Token = nextPage(list, offset, limit)
		return err
	})
}

type updateExperimentRequest struct {
	ID   string `json:"experiment_id"`
	Name string `json:"new_name"`
}

func (s *Store) updateExperiment(r *http.Request, req updateExperimentRequest) (empty, error) {
	return empty{}, s.changeExperiment(r.Context(), req.ID, "name = ?", req.Name)
}

func (s *Store) deleteExperiment(r *http.Request, req experimentRequest) (empty, error) {
	return empty{}, s.changeExperiment(r.Context(), req.ID, "stage = ?", "deleted")
}

func (s *Store) restoreExperiment(r *http.Request, req experimentRequest) (empty, error) {
	return empty{}, s.changeExperiment(r.Context(), req.ID, "stage = ?", "active")
}

func (s *Store) changeExperiment(ctx context.Context, id, set string, arg string) error {
	return s.db.Update(ctx, func(tx *sql.Tx) error {
		return changed(tx.ExecContext(ctx, "UPDATE experiments SET "+set+", updated = ? WHERE id = ?", arg, now(), id))("experiment " + id)
	})
}

// changed turns a statement that touched no row into an error about what.
func changed(res sql.Result, err error) func(what string) error {
	return func(what string) error {
		if err != nil {
			if strings.Contains(err.Error(), "UNIQUE constraint") {
				return exists("the new name of %s is taken", what)
			}
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(missing("there is no %s", what), err)
		}
		return nil
	}
}

type experimentTagRequest struct {
	ID    string `json:"experiment_id"`
	Key   string `json:"key"`
	Value string `json:"value"`
}

func (s *Store) setExperimentTag(r *http.Request, req experimentTagRequest) (empty, error) {
	return empty{}, s.db.Update(r.Context(), func(tx *sql.Tx) error {
		if _, err := readExperiment(r.Context(), tx, "id = ?", req.ID); err != nil {
			return err
		}
		return putExperimentTag(r.Context(), tx, req.ID, tagJSON{req.Key, req.Value})
	})
}
