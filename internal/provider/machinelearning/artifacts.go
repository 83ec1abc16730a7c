package machinelearning

import (
	"context"
	"io"
	"strings"
	"sync/atomic"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/datastore"
)

// The containers of a workspace's storage account.
const artifactContainer = "azureml"

func blobContainer(w workspace) string { return "azureml-blobstore-" + w.GUID }

// blobs reaches blobs as a resource: with its identity, as a trusted service.
func (s *Service) blobs(as arm.ID) *datastore.Blobs {
	token := func(ctx context.Context, resource string) (string, error) { return s.host.Token(ctx, as, resource) }
	return datastore.NewBlobs(token, s.host.Client(as))
}

// ensureContainers makes the containers of the workspace's own datastores, once.
// Where the workspace may not, somebody else has to: what needs them says so then.
func (s *Service) ensureContainers(ctx context.Context, w workspace) {
	s.mu.Lock()
	done := s.containers[w.ID.Key()]
	s.mu.Unlock()
	if done {
		return
	}
	blobs := s.blobs(w.ID)
	for _, c := range []string{blobContainer(w), artifactContainer} {
		if err := blobs.EnsureContainer(ctx, datastore.Blob{Account: w.Account, Container: c}); err != nil {
			s.host.Log().Info("the workspace's containers are made later", "workspace", w.Name, "because", err)
			return
		}
	}
	s.mu.Lock()
	s.containers[w.ID.Key()] = true
	s.mu.Unlock()
}

// mlflowFolder is where in the artifact container the MLflow store's files are.
const mlflowFolder = "mlflow/"

// artifactStore is Artifacts over the container azureml.
type artifactStore struct {
	blobs *datastore.Blobs
	root  datastore.Blob
	ready *atomic.Bool // the container is there
}

func (s *Service) artifacts(w workspace) Artifacts {
	return artifactStore{s.blobs(w.ID), datastore.Blob{Account: w.Account, Container: artifactContainer, Path: mlflowFolder}, new(atomic.Bool)}
}

func (a artifactStore) at(path string) datastore.Blob {
	return a.root.Join(strings.TrimLeft(path, "/"))
}

func (a artifactStore) Put(ctx context.Context, path string, body io.Reader) error {
	if !a.ready.Load() {
		if err := a.blobs.EnsureContainer(ctx, a.root); err != nil {
			return err
		}
		a.ready.Store(true)
	}
	return a.blobs.Put(ctx, a.at(path), body)
}

func (a artifactStore) Get(ctx context.Context, path string) (io.ReadCloser, int64, error) {
	return a.blobs.Open(ctx, a.at(path))
}

func (a artifactStore) List(ctx context.Context, prefix string) ([]Artifact, error) {
	entries, err := a.blobs.List(ctx, a.at(prefix))
	if datastore.NoContainer(err) {
		return nil, nil
	}
	out := make([]Artifact, 0, len(entries))
	for _, e := range entries {
		out = append(out, Artifact{Path: strings.TrimPrefix(e.Path, mlflowFolder), Size: e.Size})
	}
	return out, err
}

func (a artifactStore) Delete(ctx context.Context, path string) error {
	if !strings.HasSuffix(path, "/") {
		return a.blobs.Delete(ctx, a.at(path))
	}
	files, err := a.List(ctx, path)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := a.blobs.Delete(ctx, a.at(f.Path)); err != nil {
			return err
		}
	}
	return nil
}
