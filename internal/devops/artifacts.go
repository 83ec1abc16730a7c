package devops

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/cloister-ml/cloister/internal/devops/wire"
	"github.com/cloister-ml/cloister/internal/durable"
)

const (
	maxArtifactFile  = 4 << 30
	maxArtifactFiles = 10_000
	maxArtifactPath  = 1000
)

// artifact is a published artifact and the run that it is of.
type artifact struct {
	ID      int
	Name    string
	Run     int
	Project wire.ProjectReference
}

const artifactQuery = `SELECT a.id, a.name, a.run_id, pr.id, pr.name FROM artifact a JOIN run ON run.id = a.run_id
	JOIN pipeline p ON p.id = run.pipeline_id JOIN project pr ON pr.id = p.project_id `

func scanArtifact(r scanner) (artifact, error) {
	var a artifact
	return a, r.Scan(&a.ID, &a.Name, &a.Run, &a.Project.ID, &a.Project.Name)
}

func (s *Server) showArtifact(a artifact) wire.Artifact {
	return wire.Artifact{ID: a.ID, Name: a.Name, Resource: wire.ArtifactResource{
		Type: "Container", Data: fmt.Sprintf("#/%d/%s", a.ID, a.Name),
		DownloadURL: s.url("/_apis/resources/Containers/%d?itemPath=%s", a.ID, url.QueryEscape(a.Name)),
	}}
}

func (s *Server) getArtifacts(r *http.Request, p principal) (any, error) {
	b, err := s.runInPath(r)
	if err != nil {
		return nil, err
	}
	found, err := collect(s.db, scanArtifact, artifactQuery+`WHERE a.run_id = ? ORDER BY a.name`, b.ID)
	if err != nil {
		return nil, err
	}
	var out []wire.Artifact
	for _, a := range found {
		if p.role == roleJob && a.Project.ID != p.project {
			return nil, forbidden("the run is of another project")
		}
		out = append(out, s.showArtifact(a))
	}
	return wire.Items(out), nil
}

// postArtifact begins an artifact of the job's own run.
func (s *Server) postArtifact(r *http.Request, p principal) (any, error) {
	b, err := s.runInPath(r)
	if err != nil {
		return nil, err
	}
	if b.ID != p.run {
		return nil, forbidden("a job publishes to its own run")
	}
	in, err := body[wire.Artifact](r)
	if err != nil {
		return nil, err
	}
	if !validName(in.Name) {
		return nil, badRequest("%q cannot be the name of an artifact: letters, digits, ., - and _", in.Name)
	}
	var a artifact
	err = s.update(r.Context(), func(tx *sql.Tx) error {
		if _, err := tx.Exec(`INSERT INTO artifact (run_id, name, source) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, b.ID, in.Name, p.job); err != nil {
			return err
		}
		var source string
		if err := tx.QueryRow(`SELECT source FROM artifact WHERE run_id = ? AND name = ?`, b.ID, in.Name).Scan(&source); err != nil {
			return err
		}
		if source != p.job {
			return problem(http.StatusConflict, "ArtifactExistsException", "another job of the run has published an artifact %s", in.Name)
		}
		a, err = scanArtifact(tx.QueryRow(artifactQuery+`WHERE a.run_id = ? AND a.name = ?`, b.ID, in.Name))
		return err
	})
	return s.showArtifact(a), err
}

// container finds the artifact of a container that the caller may use.
func (s *Server) container(r *http.Request, allowed role) (artifact, principal, error) {
	p, err := s.admit(r, allowed)
	if err != nil {
		return artifact{}, p, err
	}
	id, err := number(r, "container")
	if err != nil {
		return artifact{}, p, err
	}
	a, err := scanArtifact(s.db.QueryRow(artifactQuery+`WHERE a.id = ?`, id))
	if err != nil {
		return a, p, orNotFound(err, "there is no container %d", id)
	}
	if p.role == roleJob && a.Project.ID != p.project {
		return a, p, forbidden("the container is of another project")
	}
	return a, p, nil
}

// itemPath is the path, within the artifact, that a request names.
func itemPath(r *http.Request, a artifact) (string, error) {
	item, ok := strings.CutPrefix(r.URL.Query().Get("itemPath"), a.Name+"/")
	if !ok || item != path.Clean(item) || !filepath.IsLocal(item) || len(item) > maxArtifactPath || strings.ContainsAny(item, "\x00\\") {
		return "", badRequest("itemPath must be %s/ and a path within it", a.Name)
	}
	return item, nil
}

// artifactFile is where a file of an artifact is kept: its own path is only in the
// store, so that no path can lead anywhere.
func (s *Server) artifactFile(a artifact, item string) string {
	sum := sha256.Sum256([]byte(item))
	return filepath.Join(s.opts.Dir, "artifacts", fmt.Sprint(a.ID), hex.EncodeToString(sum[:]))
}

// serveContainer lists a container's files, or gives one.
func (s *Server) serveContainer(w http.ResponseWriter, r *http.Request) {
	a, _, err := s.container(r, roleAdmin|roleJob)
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	if !strings.Contains(r.Header.Get("Accept"), "application/octet-stream") {
		items, err := collect(s.db, func(row scanner) (wire.ContainerItem, error) {
			i := wire.ContainerItem{ContainerID: a.ID, ItemType: "file"}
			err := row.Scan(&i.Path, &i.FileLength)
			i.Path = a.Name + "/" + i.Path
			return i, err
		}, `SELECT path, size FROM artifact_file WHERE artifact_id = ? ORDER BY path`, a.ID)
		if err != nil {
			s.writeError(w, r, err)
			return
		}
		writeJSON(w, http.StatusOK, wire.Items(items))
		return
	}
	if err := s.sendItem(w, r, a); err != nil {
		s.writeError(w, r, err)
	}
}

func (s *Server) sendItem(w http.ResponseWriter, r *http.Request, a artifact) error {
	item, err := itemPath(r, a)
	if err != nil {
		return err
	}
	var size int64
	if err := s.db.QueryRow(`SELECT size FROM artifact_file WHERE artifact_id = ? AND path = ?`, a.ID, item).Scan(&size); err != nil {
		return orNotFound(err, "artifact %s has no file %s", a.Name, item)
	}
	f, err := os.Open(s.artifactFile(a, item))
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", info.ModTime(), f)
	return nil
}

// putContainer takes a file of an artifact of the job's own run.
func (s *Server) putContainer(w http.ResponseWriter, r *http.Request) {
	item, err := s.takeItem(w, r)
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	writeJSON(w, http.StatusCreated, item)
}

func (s *Server) takeItem(w http.ResponseWriter, r *http.Request) (wire.ContainerItem, error) {
	out := wire.ContainerItem{ItemType: "file"}
	a, p, err := s.container(r, roleJob)
	if err != nil {
		return out, err
	}
	if a.Run != p.run {
		return out, forbidden("a job publishes to its own run")
	}
	item, err := itemPath(r, a)
	if err != nil {
		return out, err
	}
	var files int
	if err := s.db.QueryRow(`SELECT count(*) FROM artifact_file WHERE artifact_id = ?`, a.ID).Scan(&files); err != nil {
		return out, err
	}
	if files >= maxArtifactFiles {
		return out, badRequest("an artifact has at most %d files", maxArtifactFiles)
	}
	out.ContainerID, out.Path = a.ID, a.Name+"/"+item
	out.FileLength, err = durable.WriteFrom(s.artifactFile(a, item), http.MaxBytesReader(w, r.Body, maxArtifactFile), 0o600)
	if err != nil {
		return out, err
	}
	return out, s.update(r.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO artifact_file (artifact_id, path, size) VALUES (?, ?, ?)
			ON CONFLICT (artifact_id, path) DO UPDATE SET size = excluded.size`, a.ID, item, out.FileLength)
		return err
	})
}
