package machinelearning

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/cloister-ml/cloister/arm"
)

// Nodes are the machines of compute clusters.
type Nodes interface {
	// Start makes node n (from 0) of a cluster and starts the node runner in it. It
	// does nothing when the node runs already.
	Start(ctx context.Context, cluster arm.ID, n int) error
	// Stop ends the runner and removes the machine. It does nothing when there is none.
	Stop(ctx context.Context, cluster arm.ID, n int) error
}

// Workstations are the machines of compute instances.
type Workstations interface {
	// Start makes the machine of a compute instance run in the instance's subnet; one
	// that runs already is left alone.
	Start(ctx context.Context, instance arm.Resource) error
	// Stop ends the machine; with its disk when forget is set. It does nothing when
	// there is none.
	Stop(ctx context.Context, instance arm.ID, forget bool) error
}

// EnvironmentDefinition is what an environment's image is made from.
type EnvironmentDefinition struct {
	Name, Version string
	Image         string   // base image, as the user named it
	CondaFile     string   // text of the conda file, or ""
	Build         string   // URL of the build context's folder in a blob container, or ""
	Dockerfile    string   // path in the build context
	Packages      []string // pip requirements of the conda file
	Python        string   // version the conda file asks for, or ""
}

// ImageRequest asks for an environment's image.
type ImageRequest struct {
	Workspace  arm.ID // whose identity pushes
	Registry   string // host: crmlops.azurecr.io
	Repository string // azureml/azureml_<hash of the definition>
	Definition EnvironmentDefinition
}

// Images build environment images.
type Images interface {
	// Build makes the image and pushes it to the registry as the workspace. It
	// returns the reference to pull, with its digest. What it does goes to log, a
	// line a step.
	Build(ctx context.Context, r ImageRequest, log io.Writer) (ref string, err error)
}

// Instance is one process that serves a deployment.
type Instance struct {
	Deployment arm.ID
	Index      int
	Workspace  arm.ID   // whose identity pulls the image
	Image      string   // reference with digest
	Args       []string // command
	Env        []string // NAME=value
	Mounts     []Mount
	// SocketDir is a folder of this machine that the process sees, and may write to,
	// at the same path. It makes the socket SocketName in it and listens. It has no
	// network at all.
	SocketDir, SocketName string
	CPUs                  float64
	Memory                int64
	Log                   io.Writer // stdout and stderr
}

// Mount shows a folder of this machine inside an instance, for reading only.
type Mount struct{ Source, Target string }

// Instances run the processes of deployments.
type Instances interface {
	Start(ctx context.Context, i Instance) (Running, error)
}

// Running is a started instance.
type Running interface {
	Dial(ctx context.Context) (net.Conn, error) // to its socket
	Done() <-chan struct{}                      // closed when the process has ended
	Stop()                                      // ends it and waits; may be called more than once
}

// ErrNoModel says that a model or a version of it does not exist.
var ErrNoModel = errors.New("no such model")

// ModelVersion is one version of a registered model.
type ModelVersion struct {
	Name, Version string
	Description   string
	Type          string // custom_model, mlflow_model, triton_model
	Source        string // where its files are: azureml://..., or as MLflow wrote it (runs:/, mlflow-artifacts:/, models:/)
	RunID         string // run that made it
	Tags          map[string]string
	Created       int64 // milliseconds since 1970
	Updated       int64
}

// Run is the tracked run of a job. Its id is the job's name.
type Run struct {
	ID, Name, Experiment string
	Parent               string // run id of the pipeline, or ""
	User                 string
	Tags                 map[string]string
}

// Tracking is a workspace's MLflow store.
type Tracking interface {
	// Handler serves /api/2.0/mlflow/... and /api/2.0/mlflow-artifacts/...; the
	// caller has been authenticated and authorised.
	Handler() http.Handler
	// StartRun makes the run, or does nothing when it exists.
	StartRun(ctx context.Context, r Run) error
	// EndRun sets a run's final status: FINISHED, FAILED or KILLED.
	EndRun(ctx context.Context, id, status string) error
	// Models names the registered models; Versions lists a model's, newest first.
	Models(ctx context.Context) ([]string, error)
	Versions(ctx context.Context, model string) ([]ModelVersion, error)
	Version(ctx context.Context, model, version string) (ModelVersion, error)
	// CreateVersion registers a version, and the model with its first; an empty
	// Version asks for the next number.
	CreateVersion(ctx context.Context, v ModelVersion) (ModelVersion, error)
	DeleteVersion(ctx context.Context, model, version string) error
	// Files is the prefix in [Artifacts] below which the files of a source are that
	// MLflow wrote (runs:/, mlflow-artifacts:/, models:/).
	Files(ctx context.Context, source string) (prefix string, err error)
}

// Artifact is one stored file.
type Artifact struct {
	Path string // whole key
	Size int64
}

// Artifacts is where a workspace's MLflow store keeps files: the container
// azureml of the workspace's storage account, reached as the workspace.
type Artifacts interface {
	Put(ctx context.Context, path string, body io.Reader) error
	// Get opens a file; fs.ErrNotExist when there is none.
	Get(ctx context.Context, path string) (io.ReadCloser, int64, error)
	// List gives every file below a prefix, by path.
	List(ctx context.Context, prefix string) ([]Artifact, error)
	// Delete removes a file, or with a trailing slash every file below.
	Delete(ctx context.Context, path string) error
}

// Options are what the provider works with. Those that are nil make the parts
// that need them answer that they are not available.
type Options struct {
	Nodes        Nodes
	Workstations Workstations // without them compute instances are kept, and not run
	Images       Images
	Instances    Instances
	// Tracking opens the MLflow store of a workspace; it is called once each.
	Tracking func(workspace arm.ID, artifacts Artifacts) (Tracking, error)
	// LeaseTime is how long a node may be silent before its task is given to
	// another; 0 for task.LeaseTime.
	LeaseTime time.Duration
}
