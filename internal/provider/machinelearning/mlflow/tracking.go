package mlflow

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/cloister-ml/cloister/internal/provider/machinelearning"
)

// StartRun makes the run of a job, or does nothing when it exists.
func (s *Store) StartRun(ctx context.Context, r machinelearning.Run) error {
	experiment := r.Experiment
	if experiment == "" {
		experiment = "Default"
	}
	tags := []tagJSON{{"mlflow.runName", r.Name}, {"mlflow.user", r.User}}
	if r.Parent != "" {
		tags = append(tags, tagJSON{"mlflow.parentRunId", r.Parent})
	}
	for key, value := range r.Tags {
		tags = append(tags, tagJSON{key, value})
	}
	return s.db.Update(ctx, func(tx *sql.Tx) error {
		if _, err := readRun(ctx, tx, r.ID); err == nil {
			return nil
		}
		id, err := ensureExperiment(ctx, tx, experiment)
		if err != nil {
			return err
		}
		if err := insertRun(ctx, tx, r.ID, id, r.Name, r.User, now()); err != nil {
			return err
		}
		return putTags(ctx, tx, r.ID, tags)
	})
}

// EndRun sets a run's final status: FINISHED, FAILED or KILLED.
func (s *Store) EndRun(ctx context.Context, id, status string) error {
	return s.change(ctx, id, func(tx *sql.Tx, id string) error {
		_, err := tx.ExecContext(ctx, "UPDATE runs SET status = ?, ended = ? WHERE id = ?", status, now(), id)
		return err
	})
}

// Models names the registered models.
func (s *Store) Models(ctx context.Context) (names []string, err error) {
	return names, s.db.View(ctx, func(tx *sql.Tx) error {
		models, err := readModels(ctx, tx, "ORDER BY name")
		for _, m := range models {
			names = append(names, m.Name)
		}
		return err
	})
}

// Versions lists a model's versions, the newest first.
func (s *Store) Versions(ctx context.Context, model string) (out []machinelearning.ModelVersion, err error) {
	return out, s.db.View(ctx, func(tx *sql.Tx) error {
		if _, err := readModel(ctx, tx, model); err != nil {
			return noModel(err)
		}
		list, err := readVersions(ctx, tx, "WHERE model = ? ORDER BY version DESC", model)
		for _, v := range list {
			out = append(out, v.port())
		}
		return err
	})
}

// Version is one version of a model.
func (s *Store) Version(ctx context.Context, model, version string) (out machinelearning.ModelVersion, err error) {
	return out, s.db.View(ctx, func(tx *sql.Tx) error {
		v, err := readVersion(ctx, tx, model, version)
		out = v.port()
		return noModel(err)
	})
}

// noModel makes "it is not there" the port's error.
func noModel(err error) error {
	var e *apiError
	if errors.As(err, &e) && e.status == http.StatusNotFound {
		return fmt.Errorf("%w: %s", machinelearning.ErrNoModel, e.text)
	}
	return err
}

func (v versionJSON) port() machinelearning.ModelVersion {
	out := machinelearning.ModelVersion{
		Name: v.Name, Version: v.Version, Description: v.Description, Type: v.kind, Source: v.Source, RunID: v.Run,
		Tags: map[string]string{}, Created: v.Created, Updated: v.Updated,
	}
	for _, t := range v.Tags {
		out.Tags[t.Key] = t.Value
	}
	return out
}

// CreateVersion registers a version, and the model with its first; an empty
// Version asks for the next number.
func (s *Store) CreateVersion(ctx context.Context, v machinelearning.ModelVersion) (out machinelearning.ModelVersion, err error) {
	if err := checkModelName(v.Name); err != nil {
		return out, err
	}
	row := versionJSON{Name: v.Name, Version: v.Version, Description: v.Description, Source: v.Source, Run: v.RunID, kind: v.Type}
	for key, value := range v.Tags {
		row.Tags = append(row.Tags, tagJSON{key, value})
	}
	return out, s.db.Update(ctx, func(tx *sql.Tx) error {
		if err := insertModel(ctx, tx, v.Name, ""); err != nil {
			return err
		}
		made, err := insertVersion(ctx, tx, row)
		out = made.port()
		return err
	})
}

// DeleteVersion deletes one version; its files stay with the run that made them.
func (s *Store) DeleteVersion(ctx context.Context, model, version string) error {
	return s.db.Update(ctx, func(tx *sql.Tx) error {
		err := changed(tx.ExecContext(ctx, "DELETE FROM versions WHERE model = ? AND version = ?", model, version))("version " + version + " of the model " + model)
		if err != nil {
			return noModel(err)
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM aliases WHERE model = ? AND version = ?", model, version)
		return err
	})
}

// Files is the prefix in the workspace's artifacts below which the files of a
// source are that MLflow wrote.
func (s *Store) Files(ctx context.Context, source string) (string, error) {
	var uri string
	err := s.db.View(ctx, func(tx *sql.Tx) (err error) {
		uri, err = artifactURI(ctx, tx, source)
		return err
	})
	if err != nil {
		return "", noModel(err)
	}
	rel, ok := strings.CutPrefix(uri, "mlflow-artifacts:/")
	if !ok {
		return "", fmt.Errorf("the source %q was not written by MLflow", source)
	}
	if rel, err = cleanPath(strings.TrimPrefix(rel, "/")); err != nil {
		return "", err
	}
	return prefix + rel, nil
}
