package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/internal/devops/wire"
)

const transferTimeout = 30 * time.Minute

// publish uploads a file or a folder as an artifact of the run.
func (s *stepRun) publish(ctx context.Context) error {
	source := s.input("path")
	if !filepath.IsAbs(source) {
		source = filepath.Join(s.folders.sources, source)
	}
	info, err := os.Stat(source)
	if err != nil {
		return fmt.Errorf("there is nothing to publish at %s", source)
	}
	var artifact wire.Artifact
	in := wire.Artifact{Name: s.input("artifactName"), Resource: wire.ArtifactResource{Type: "Container"}}
	if err := s.ask(ctx, http.MethodPost, s.builds(s.vars.text("Build.BuildId"))+"/artifacts", in, &artifact); err != nil {
		return err
	}
	if !info.IsDir() {
		return s.upload(ctx, artifact, filepath.Dir(source), filepath.Base(source))
	}
	count := 0
	err = filepath.WalkDir(source, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if !d.Type().IsRegular() {
			s.issue("warning", name+" is not a file and not published")
			return nil
		}
		relative, err := filepath.Rel(source, name)
		if err != nil {
			return err
		}
		count++
		return s.upload(ctx, artifact, source, relative)
	})
	if err == nil {
		s.log.line(fmt.Sprintf("published %d files as %s", count, artifact.Name))
	}
	return err
}

func (s *stepRun) builds(run string) string {
	return "/" + url.PathEscape(s.vars.text("System.TeamProjectId")) + "/_apis/build/builds/" + url.PathEscape(run)
}

// ask is a call that is made again until it works or the step is stopped.
func (s *stepRun) ask(ctx context.Context, method, path string, in, out any) error {
	err := retry(ctx, func() error {
		_, err := s.api.call(ctx, requestTimeout, method, path, in, out)
		return err
	})
	if ctx.Err() != nil {
		return errStopped
	}
	return err
}

func containerItem(container int, item string) string {
	return fmt.Sprintf("/_apis/resources/Containers/%d?itemPath=%s", container, url.QueryEscape(item))
}

func (s *stepRun) upload(ctx context.Context, a wire.Artifact, dir, relative string) error {
	err := retry(ctx, func() error { return s.uploadOnce(ctx, a, dir, relative) })
	if ctx.Err() != nil {
		return errStopped
	}
	return err
}

func (s *stepRun) uploadOnce(ctx context.Context, a wire.Artifact, dir, relative string) error {
	ctx, cancel := context.WithTimeout(ctx, transferTimeout)
	defer cancel()
	f, err := os.Open(filepath.Join(dir, relative))
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	req, err := s.api.request(ctx, http.MethodPut, containerItem(a.ID, path.Join(a.Name, filepath.ToSlash(relative))), nil)
	if err != nil {
		return err
	}
	req.Body, req.ContentLength = f, info.Size()
	if info.Size() == 0 {
		req.Body = http.NoBody
	}
	resp, err := s.api.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return &serverError{Status: resp.StatusCode, Message: "publishing " + relative}
	}
	return nil
}

// download fetches an artifact, or all of them, of this run or of a resource's.
func (s *stepRun) download(ctx context.Context) error {
	var list wire.List[wire.Artifact]
	run := s.input("runId")
	if run == "" {
		return errors.New("there is no run to download from: the pipeline resource has no run that succeeded")
	}
	if err := s.ask(ctx, http.MethodGet, s.builds(run)+"/artifacts", nil, &list); err != nil {
		return err
	}
	wanted := s.input("artifactName")
	found := 0
	for _, a := range list.Value {
		if wanted != "" && a.Name != wanted {
			continue
		}
		found++
		dir := filepath.Join(s.folders.build, s.input("alias"), a.Name)
		if p := s.input("path"); p != "" {
			if dir = p; !filepath.IsAbs(dir) {
				dir = filepath.Join(s.folders.sources, dir)
			}
		}
		if err := s.fetchArtifact(ctx, a, dir); err != nil {
			return err
		}
	}
	if found == 0 && wanted != "" {
		return fmt.Errorf("run %s has no artifact %s", run, wanted)
	}
	return nil
}

func (s *stepRun) fetchArtifact(ctx context.Context, a wire.Artifact, dir string) error {
	var items wire.List[wire.ContainerItem]
	if err := s.ask(ctx, http.MethodGet, containerItem(a.ID, a.Name), nil, &items); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir) // no path of an artifact leads out of it
	if err != nil {
		return err
	}
	defer root.Close()
	for _, item := range items.Value {
		relative, ok := strings.CutPrefix(item.Path, a.Name+"/")
		if !ok {
			return fmt.Errorf("the artifact holds the path %s", item.Path)
		}
		err := retry(ctx, func() error { return s.fetchItem(ctx, a, item, root, relative) })
		if ctx.Err() != nil {
			return errStopped
		}
		if err != nil {
			return err
		}
	}
	s.log.line(fmt.Sprintf("downloaded %d files of %s to %s", len(items.Value), a.Name, dir))
	return nil
}

func (s *stepRun) fetchItem(ctx context.Context, a wire.Artifact, item wire.ContainerItem, root *os.Root, relative string) error {
	ctx, cancel := context.WithTimeout(ctx, transferTimeout)
	defer cancel()
	req, err := s.api.request(ctx, http.MethodGet, containerItem(a.ID, item.Path), nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/octet-stream")
	resp, err := s.api.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return &serverError{Status: resp.StatusCode, Message: "downloading " + item.Path}
	}
	if err := root.MkdirAll(path.Dir(relative), 0o755); err != nil {
		return err
	}
	f, err := root.Create(relative)
	if err != nil {
		return err
	}
	size, err := io.Copy(f, resp.Body)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil && size != item.FileLength {
		err = &fs.PathError{Op: "download", Path: item.Path, Err: fmt.Errorf("%d bytes came, want %d", size, item.FileLength)}
	}
	return err
}
