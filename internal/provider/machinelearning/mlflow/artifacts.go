package mlflow

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
)

// maxArtifact bounds one uploaded file.
const maxArtifact = 5 << 30

// prefix is where the store keeps its files in the workspace's artifacts; below
// it paths are those of mlflow-artifacts:/ URIs.
const prefix = "mlflow/"

// cleanPath refuses paths that would lead out of where they belong.
func cleanPath(p string) (string, error) {
	if p == "" {
		return "", nil
	}
	if strings.HasPrefix(p, "/") || strings.ContainsAny(p, "\x00\\") || path.Clean(p) != strings.TrimSuffix(p, "/") || p == ".." || strings.HasPrefix(p, "../") {
		return "", invalid("%q is not a path of an artifact", p)
	}
	return strings.TrimSuffix(p, "/"), nil
}

type fileJSON struct {
	Path string  `json:"path"`
	Dir  bool    `json:"is_dir"`
	Size *string `json:"file_size,omitempty"`
}

// list gives the files and folders directly below dir, with paths below root.
func (s *Store) list(ctx context.Context, root, dir string) ([]fileJSON, error) {
	below := root
	if dir != "" {
		below += "/" + dir
	}
	all, err := s.artifacts.List(ctx, prefix+below+"/")
	if err != nil {
		return nil, err
	}
	out := []fileJSON{}
	for _, a := range all {
		rel := strings.TrimPrefix(a.Path, prefix+below+"/")
		name, _, isDir := strings.Cut(rel, "/")
		f := fileJSON{Path: path.Join(dir, name), Dir: isDir}
		if !isDir {
			size := strconv.FormatInt(a.Size, 10)
			f.Size = &size
		}
		if !slices.ContainsFunc(out, func(o fileJSON) bool { return o.Path == f.Path }) {
			out = append(out, f)
		}
	}
	return out, nil
}

type listArtifactsRequest struct {
	runRequest
	Path string `json:"path"`
}

type listArtifactsAnswer struct {
	Root  string     `json:"root_uri"`
	Files []fileJSON `json:"files"`
}

func (s *Store) listArtifacts(r *http.Request, req listArtifactsRequest) (out listArtifactsAnswer, err error) {
	dir, err := cleanPath(req.Path)
	if err != nil {
		return out, err
	}
	err = s.db.View(r.Context(), func(tx *sql.Tx) error {
		run, err := readRun(r.Context(), tx, req.id())
		out.Root = run.Info.Artifacts
		return err
	})
	if err != nil {
		return out, err
	}
	out.Files, err = s.list(r.Context(), strings.TrimPrefix(out.Root, "mlflow-artifacts:/"), dir)
	return out, err
}

// proxyList is the artifact proxy's listing: GET artifacts?path=.
func (s *Store) proxyList(w http.ResponseWriter, r *http.Request) {
	root, err := cleanPath(r.URL.Query().Get("path"))
	if err != nil {
		writeError(w, err)
		return
	}
	files, err := s.list(r.Context(), root, "")
	if err != nil {
		writeError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"files": files})
}

// proxy is the artifact proxy: PUT, GET and DELETE of one file.
func (s *Store) proxy(w http.ResponseWriter, r *http.Request) {
	p, err := cleanPath(r.PathValue("path"))
	if err == nil && p == "" {
		err = invalid("the path of the artifact is missing")
	}
	if err != nil {
		writeError(w, err)
		return
	}
	switch r.Method {
	case http.MethodPut:
		err = s.artifacts.Put(r.Context(), prefix+p, http.MaxBytesReader(w, r.Body, maxArtifact))
	case http.MethodDelete:
		err = errors.Join(ignoreMissing(s.artifacts.Delete(r.Context(), prefix+p)), s.artifacts.Delete(r.Context(), prefix+p+"/"))
	case http.MethodGet:
		s.download(w, r, p)
		return
	default:
		err = &apiError{http.StatusMethodNotAllowed, "BAD_REQUEST", r.Method + " is not served here"}
	}
	if err != nil {
		writeError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, empty{})
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (s *Store) download(w http.ResponseWriter, r *http.Request, p string) {
	body, size, err := s.artifacts.Get(r.Context(), prefix+p)
	if errors.Is(err, fs.ErrNotExist) {
		err = missing("there is no artifact %q", p)
	}
	if err != nil {
		writeError(w, err)
		return
	}
	defer body.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	_, _ = io.Copy(w, body) // a client that sees too few bytes knows that it failed
}

// artifactURI is the mlflow-artifacts URI of a source: runs:/ID/path,
// models:/name/version, or such a URI itself.
func artifactURI(ctx context.Context, tx *sql.Tx, source string) (string, error) {
	u, err := url.Parse(source)
	if err != nil {
		return "", invalid("the source %q is not a URI", source)
	}
	rest := strings.TrimPrefix(u.Path, "/")
	switch u.Scheme {
	case "runs":
		id, below, _ := strings.Cut(rest, "/")
		run, err := readRun(ctx, tx, id)
		if err != nil {
			return "", err
		}
		return strings.TrimSuffix(run.Info.Artifacts+"/"+below, "/"), nil
	case "models":
		name, version, _ := strings.Cut(rest, "/")
		v, err := readVersion(ctx, tx, name, version)
		if err != nil {
			return "", err
		}
		if strings.HasPrefix(v.Source, "models:") {
			return "", invalid("the source of the model %q leads to another model", name)
		}
		return artifactURI(ctx, tx, v.Source)
	}
	return source, nil
}
