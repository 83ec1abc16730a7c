package mlflow

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

type versionJSON struct {
	Name        string    `json:"name"`
	Version     string    `json:"version"`
	Description string    `json:"description,omitempty"`
	Source      string    `json:"source"`
	Run         string    `json:"run_id,omitempty"`
	Stage       string    `json:"current_stage"`
	Status      string    `json:"status"`
	Created     int64     `json:"creation_timestamp"`
	Updated     int64     `json:"last_updated_timestamp"`
	Tags        []tagJSON `json:"tags"`
	Aliases     []string  `json:"aliases"`

	kind string
}

type versionAnswer struct {
	Version versionJSON `json:"model_version"`
}

func readVersions(ctx context.Context, tx *sql.Tx, tail string, args ...any) ([]versionJSON, error) {
	rows, err := tx.QueryContext(ctx, "SELECT model, version, description, type, source, run, stage, created, updated FROM versions "+tail, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []versionJSON{}
	for rows.Next() {
		v := versionJSON{Status: "READY", Aliases: []string{}}
		if err := rows.Scan(&v.Name, &v.Version, &v.Description, &v.kind, &v.Source, &v.Run, &v.Stage, &v.Created, &v.Updated); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for i := range out {
		v := &out[i]
		if v.Tags, err = pairs(ctx, tx, "SELECT key, value FROM version_tags WHERE model = ? AND version = ? ORDER BY key", v.Name, v.Version); err != nil {
			return nil, err
		}
		aliases, err := pairs(ctx, tx, "SELECT alias, version FROM aliases WHERE model = ? AND version = ? ORDER BY alias", v.Name, v.Version)
		if err != nil {
			return nil, err
		}
		for _, a := range aliases {
			v.Aliases = append(v.Aliases, a.Key)
		}
	}
	return out, nil
}

func readVersion(ctx context.Context, tx *sql.Tx, model, version string) (versionJSON, error) {
	list, err := readVersions(ctx, tx, "WHERE model = ? AND version = ?", model, version)
	if err == nil && len(list) == 0 {
		err = missing("there is no version %s of the model %q", version, model)
	}
	if err != nil {
		return versionJSON{}, err
	}
	return list[0], nil
}

type createVersionRequest struct {
	Name        string    `json:"name"`
	Source      string    `json:"source"`
	Run         string    `json:"run_id"`
	Description string    `json:"description"`
	Tags        []tagJSON `json:"tags"`
}

func (s *Store) createVersion(r *http.Request, req createVersionRequest) (out versionAnswer, err error) {
	if req.Source == "" {
		return out, invalid("a model version needs a source: where its files are")
	}
	return out, s.db.Update(r.Context(), func(tx *sql.Tx) error {
		if _, err := readModel(r.Context(), tx, req.Name); err != nil {
			return err
		}
		v := versionJSON{Name: req.Name, Source: req.Source, Run: req.Run, Description: req.Description, Tags: req.Tags, kind: "custom_model"}
		out.Version, err = insertVersion(r.Context(), tx, v)
		return err
	})
}

// insertVersion adds a version of a model that exists; with no number of its own
// it gets the next one.
func insertVersion(ctx context.Context, tx *sql.Tx, v versionJSON) (versionJSON, error) {
	var last int64
	err := tx.QueryRowContext(ctx, "SELECT last FROM numbers WHERE model = ?", v.Name).Scan(&last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return v, err
	}
	n := last + 1
	if v.Version != "" {
		if n, err = strconv.ParseInt(v.Version, 10, 64); err != nil || n < 1 {
			return v, invalid("the version of a model is a whole number from 1, and is %q", v.Version)
		}
	}
	t := now()
	_, err = tx.ExecContext(ctx, "INSERT INTO versions (model, version, description, type, source, run, created, updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		v.Name, n, v.Description, v.kind, v.Source, v.Run, t, t)
	if err != nil {
		if strings.Contains(err.Error(), "UNIQUE constraint") {
			return v, exists("version %d of the model %q exists already", n, v.Name)
		}
		return v, err
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO numbers VALUES (?, ?) ON CONFLICT DO UPDATE SET last = max(last, excluded.last)", v.Name, n); err != nil {
		return v, err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE models SET updated = ? WHERE name = ?", t, v.Name); err != nil {
		return v, err
	}
	for _, tag := range v.Tags {
		if err := putVersionTag(ctx, tx, v.Name, strconv.FormatInt(n, 10), tag); err != nil {
			return v, err
		}
	}
	return readVersion(ctx, tx, v.Name, strconv.FormatInt(n, 10))
}

func putVersionTag(ctx context.Context, tx *sql.Tx, model, version string, t tagJSON) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO version_tags VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", model, version, t.Key, t.Value)
	return err
}

type versionRequest struct {
	Name        string `json:"name"`
	Version     string `json:"version"`
	Description string `json:"description"`
	Stage       string `json:"stage"`
	Key         string `json:"key"`
	Value       string `json:"value"`
}

func (s *Store) getVersion(r *http.Request, req versionRequest) (out versionAnswer, err error) {
	return out, s.db.View(r.Context(), func(tx *sql.Tx) error {
		out.Version, err = readVersion(r.Context(), tx, req.Name, req.Version)
		return err
	})
}

func (s *Store) searchVersions(r *http.Request, req searchRequest) (out versionsAnswer, err error) {
	offset, limit, err := page(req.Token, int(req.Max), 10000, 200000)
	if err != nil {
		return out, err
	}
	q, err := versionFields.query(req.Filter, req.Order, "updated DESC, model, version DESC")
	if err != nil {
		return out, err
	}
	return out, s.db.View(r.Context(), func(tx *sql.Tx) error {
		list, err := readVersions(r.Context(), tx, q.tail(limit+1, offset), q.args...)
		out.Versions, out.Token = nextPage(list, offset, limit)
		return err
	})
}

// changeVersion runs one statement on a version and gives the version as it is then.
func (s *Store) changeVersion(ctx context.Context, req versionRequest, statement string, args ...any) (out versionAnswer, err error) {
	return out, s.db.Update(ctx, func(tx *sql.Tx) error {
		if err := changed(tx.ExecContext(ctx, statement, args...))("version " + req.Version + " of the model " + req.Name); err != nil {
			return err
		}
		out.Version, err = readVersion(ctx, tx, req.Name, req.Version)
		return err
	})
}

func (s *Store) updateVersion(r *http.Request, req versionRequest) (versionAnswer, error) {
	return s.changeVersion(r.Context(), req, "UPDATE versions SET description = ?, updated = ? WHERE model = ? AND version = ?", req.Description, now(), req.Name, req.Version)
}

var stages = []string{"None", "Staging", "Production", "Archived"}

func (s *Store) transitionStage(r *http.Request, req versionRequest) (versionAnswer, error) {
	i := slices.IndexFunc(stages, func(s string) bool { return strings.EqualFold(s, req.Stage) })
	if i < 0 {
		return versionAnswer{}, invalid("%q is not a stage: %s", req.Stage, strings.Join(stages, ", "))
	}
	return s.changeVersion(r.Context(), req, "UPDATE versions SET stage = ?, updated = ? WHERE model = ? AND version = ?", stages[i], now(), req.Name, req.Version)
}

func (s *Store) deleteVersion(r *http.Request, req versionRequest) (empty, error) {
	return empty{}, s.DeleteVersion(r.Context(), req.Name, req.Version)
}

type downloadAnswer struct {
	URI string `json:"artifact_uri"`
}

func (s *Store) downloadURI(r *http.Request, req versionRequest) (out downloadAnswer, err error) {
	return out, s.db.View(r.Context(), func(tx *sql.Tx) error {
		v, err := readVersion(r.Context(), tx, req.Name, req.Version)
		if err != nil {
			return err
		}
		out.URI, err = artifactURI(r.Context(), tx, v.Source)
		return err
	})
}

func (s *Store) setVersionTag(r *http.Request, req versionRequest) (empty, error) {
	return empty{}, s.db.Update(r.Context(), func(tx *sql.Tx) error {
		if _, err := readVersion(r.Context(), tx, req.Name, req.Version); err != nil {
			return err
		}
		return putVersionTag(r.Context(), tx, req.Name, req.Version, tagJSON{req.Key, req.Value})
	})
}

func (s *Store) deleteVersionTag(r *http.Request, req versionRequest) (empty, error) {
	return empty{}, s.db.Update(r.Context(), func(tx *sql.Tx) error {
		return changed(tx.ExecContext(r.Context(), "DELETE FROM version_tags WHERE model = ? AND version = ? AND key = ?", req.Name, req.Version, req.Key))("tag " + req.Key)
	})
}
