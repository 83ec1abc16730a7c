package mlflow

import (
	"context"
	"database/sql"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

type aliasJSON struct {
	Alias   string `json:"alias"`
	Version string `json:"version"`
}

type modelJSON struct {
	Name        string        `json:"name"`
	Description string        `json:"description,omitempty"`
	Created     int64         `json:"creation_timestamp"`
	Updated     int64         `json:"last_updated_timestamp"`
	Latest      []versionJSON `json:"latest_versions"`
	Tags        []tagJSON     `json:"tags"`
	Aliases     []aliasJSON   `json:"aliases"`
}

type modelAnswer struct {
	Model modelJSON `json:"registered_model"`
}

func readModels(ctx context.Context, tx *sql.Tx, tail string, args ...any) ([]modelJSON, error) {
	rows, err := tx.QueryContext(ctx, "SELECT name, description, created, updated FROM models "+tail, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []modelJSON{}
	for rows.Next() {
		var m modelJSON
		if err := rows.Scan(&m.Name, &m.Description, &m.Created, &m.Updated); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for i := range out {
		if err := fillModel(ctx, tx, &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func fillModel(ctx context.Context, tx *sql.Tx, m *modelJSON) (err error) {
	if m.Tags, err = pairs(ctx, tx, "SELECT key, value FROM model_tags WHERE model = ? ORDER BY key", m.Name); err != nil {
		return err
	}
	aliases, err := pairs(ctx, tx, "SELECT alias, version FROM aliases WHERE model = ? ORDER BY alias", m.Name)
	if err != nil {
		return err
	}
	m.Aliases = []aliasJSON{}
	for _, a := range aliases {
		m.Aliases = append(m.Aliases, aliasJSON{a.Key, a.Value})
	}
	m.Latest, err = latest(ctx, tx, m.Name, nil)
	return err
}

// latest is the newest version of each stage, or of the stages given.
func latest(ctx context.Context, tx *sql.Tx, model string, stages []string) ([]versionJSON, error) {
	all, err := readVersions(ctx, tx, "WHERE model = ? ORDER BY version DESC", model)
	if err != nil {
		return nil, err
	}
	out, seen := []versionJSON{}, map[string]bool{}
	for _, v := range all {
		wanted := len(stages) == 0 || slices.ContainsFunc(stages, func(s string) bool { return strings.EqualFold(s, v.Stage) })
		if wanted && !seen[v.Stage] {
			seen[v.Stage] = true
			out = append(out, v)
		}
	}
	return out, nil
}

func readModel(ctx context.Context, tx *sql.Tx, name string) (modelJSON, error) {
	list, err := readModels(ctx, tx, "WHERE name = ?", name)
	if err == nil && len(list) == 0 {
		err = missing("there is no registered model %q", name)
	}
	if err != nil {
		return modelJSON{}, err
	}
	return list[0], nil
}

type createModelRequest struct {
	Name        string    `json:"name"`
	Description string    `json:"description"`
	Tags        []tagJSON `json:"tags"`
}

func checkModelName(name string) error {
	if strings.TrimSpace(name) == "" || len(name) > 255 || strings.ContainsAny(name, "/:") {
		return invalid("the name of a model has 1 to 255 characters, without '/' and ':', and is %q", name)
	}
	return nil
}

func (s *Store) createModel(r *http.Request, req createModelRequest) (out modelAnswer, err error) {
	ctx := r.Context()
	if err := checkModelName(req.Name); err != nil {
		return out, err
	}
	return out, s.db.Update(ctx, func(tx *sql.Tx) error {
		if _, err := readModel(ctx, tx, req.Name); err == nil {
			return exists("the registered model %q exists already", req.Name)
		}
		if err := insertModel(ctx, tx, req.Name, req.Description); err != nil {
			return err
		}
		for _, t := range req.Tags {
			if err := putModelTag(ctx, tx, req.Name, t); err != nil {
				return err
			}
		}
		out.Model, err = readModel(ctx, tx, req.Name)
		return err
	})
}

func insertModel(ctx context.Context, tx *sql.Tx, name, description string) error {
	t := now()
	_, err := tx.ExecContext(ctx, "INSERT INTO models (name, description, created, updated) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", name, description, t, t)
	return err
}

func putModelTag(ctx context.Context, tx *sql.Tx, model string, t tagJSON) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO model_tags VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", model, t.Key, t.Value)
	return err
}

type modelRequest struct {
	Name        string   `json:"name"`
	NewName     string   `json:"new_name"`
	Description string   `json:"description"`
	Stages      []string `json:"stages"`
	Key         string   `json:"key"`
	Value       string   `json:"value"`
	Alias       string   `json:"alias"`
	Version     string   `json:"version"`
}

func (s *Store) getModel(r *http.Request, req modelRequest) (out modelAnswer, err error) {
	return out, s.db.View(r.Context(), func(tx *sql.Tx) error {
		out.Model, err = readModel(r.Context(), tx, req.Name)
		return err
	})
}

type searchRequest struct {
	Filter string   `json:"filter"`
	Max    int64    `json:"max_results"`
	Order  []string `json:"order_by"`
	Token  string   `json:"page_token"`
}

type searchModelsAnswer struct {
	Models []modelJSON `json:"registered_models"`
	Token  string      `json:"next_page_token,omitempty"`
}

func (s *Store) searchModels(r *http.Request, req searchRequest) (out searchModelsAnswer, err error) {
	offset, limit, err := page(req.Token, int(req.Max), 100, 1000)
	if err != nil {
		return out, err
	}
	q, err := modelFields.query(req.Filter, req.Order, "name")
	if err != nil {
		return out, err
	}
	return out, s.db.View(r.Context(), func(tx *sql.Tx) error {
		list, err := readModels(r.Context(), tx, q.tail(limit+1, offset), q.args...)
		out.Models, out.Token = nextPage(list, offset, limit)
		return err
	})
}

// changeModel runs one statement on a model and gives the model as it is then.
func (s *Store) changeModel(ctx context.Context, name, newName, statement string, args ...any) (out modelAnswer, err error) {
	return out, s.db.Update(ctx, func(tx *sql.Tx) error {
		if _, err := readModel(ctx, tx, name); err != nil {
			return err
		}
		if err := changed(tx.ExecContext(ctx, statement, args...))("registered model " + name); err != nil {
			return err
		}
		out.Model, err = readModel(ctx, tx, newName)
		return err
	})
}

func (s *Store) updateModel(r *http.Request, req modelRequest) (modelAnswer, error) {
	return s.changeModel(r.Context(), req.Name, req.Name, "UPDATE models SET description = ?, updated = ? WHERE name = ?", req.Description, now(), req.Name)
}

func (s *Store) renameModel(r *http.Request, req modelRequest) (modelAnswer, error) {
	if err := checkModelName(req.NewName); err != nil {
		return modelAnswer{}, err
	}
	return s.changeModel(r.Context(), req.Name, req.NewName, "UPDATE models SET name = ?, updated = ? WHERE name = ?", req.NewName, now(), req.Name)
}

func (s *Store) deleteModel(r *http.Request, req modelRequest) (empty, error) {
	return empty{}, s.db.Update(r.Context(), func(tx *sql.Tx) error {
		return changed(tx.ExecContext(r.Context(), "DELETE FROM models WHERE name = ?", req.Name))("registered model " + req.Name)
	})
}

type versionsAnswer struct {
	Versions []versionJSON `json:"model_versions"`
	Token    string        `json:"next_page_token,omitempty"`
}

func (s *Store) latestVersions(r *http.Request, req modelRequest) (out versionsAnswer, err error) {
	return out, s.db.View(r.Context(), func(tx *sql.Tx) error {
		if _, err := readModel(r.Context(), tx, req.Name); err != nil {
			return err
		}
		out.Versions, err = latest(r.Context(), tx, req.Name, req.Stages)
		return err
	})
}

func (s *Store) setModelTag(r *http.Request, req modelRequest) (empty, error) {
	return empty{}, s.db.Update(r.Context(), func(tx *sql.Tx) error {
		if _, err := readModel(r.Context(), tx, req.Name); err != nil {
			return err
		}
		return putModelTag(r.Context(), tx, req.Name, tagJSON{req.Key, req.Value})
	})
}

func (s *Store) deleteModelTag(r *http.Request, req modelRequest) (empty, error) {
	_, err := s.changeModel(r.Context(), req.Name, req.Name, "DELETE FROM model_tags WHERE model = ? AND key = ?", req.Name, req.Key)
	return empty{}, err
}

func (s *Store) setAlias(r *http.Request, req modelRequest) (empty, error) {
	return empty{}, s.db.Update(r.Context(), func(tx *sql.Tx) error {
		v, err := readVersion(r.Context(), tx, req.Name, req.Version)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(r.Context(), "INSERT INTO aliases VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET version = excluded.version", v.Name, req.Alias, v.Version)
		return err
	})
}

func (s *Store) getAlias(r *http.Request, req modelRequest) (out versionAnswer, err error) {
	return out, s.db.View(r.Context(), func(tx *sql.Tx) error {
		var version int64
		if err := tx.QueryRowContext(r.Context(), "SELECT version FROM aliases WHERE model = ? AND alias = ?", req.Name, req.Alias).Scan(&version); err != nil {
			return missing("the model %q has no alias %q", req.Name, req.Alias)
		}
		out.Version, err = readVersion(r.Context(), tx, req.Name, strconv.FormatInt(version, 10))
		return err
	})
}

func (s *Store) deleteAlias(r *http.Request, req modelRequest) (empty, error) {
	_, err := s.changeModel(r.Context(), req.Name, req.Name, "DELETE FROM aliases WHERE model = ? AND alias = ?", req.Name, req.Alias)
	return empty{}, err
}
