package machinelearning

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/datastore"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/job"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/online"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/scoring"
)

func (s *Service) deploymentType() cloud.Type {
	return cloud.Type{
		Name:      typeDeployment,
		Prepare:   s.prepareDeployment,
		CanDelete: canDeleteDeployment,
		Reconcile: s.reconcileDeployment,
		Remove:    s.removeDeployment,
		Actions:   map[string]cloud.Action{"getlogs": s.deploymentLogs},
	}
}

var deploymentName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{1,30}[A-Za-z0-9]$`)

func (s *Service) prepareDeployment(view cloud.View, _ *arm.Resource, r arm.Resource) (arm.Resource, error) {
	invalid := func(format string, args ...any) (arm.Resource, error) {
		return r, cloud.Errorf(http.StatusBadRequest, "UserError", format, args...)
	}
	if !deploymentName.MatchString(r.Name) {
		return invalid("%q is not a deployment name: a letter, then letters, digits and '-', 3 to 32 characters.", r.Name)
	}
	endpoint, ok := view.Get(r.ID.Parent())
	if !ok {
		return r, cloud.Errorf(http.StatusNotFound, "ParentResourceNotFound", "The endpoint %s was not found.", r.ID.Parent().Name())
	}
	r.Properties = arm.Clone(r.Properties)
	p := r.Properties
	if r.Location == "" {
		r.Location = endpoint.Location
	}
	if kind := arm.String(p, "endpointComputeType"); kind != "" && !strings.EqualFold(kind, "Managed") {
		return invalid("endpointComputeType is %q; Managed deployments are run here.", kind)
	}
	for _, need := range []string{"model", "environmentId", "codeConfiguration.codeId", "codeConfiguration.scoringScript"} {
		if arm.String(p, need) == "" {
			return invalid("properties.%s is missing: a deployment has a model, an environment, and code with a scoring script.", need)
		}
	}
	setDefault(p, "endpointComputeType", "Managed")
	setDefault(p, "scaleSettings", arm.Object{"scaleType": "Default"})
	setDefault(p, "appInsightsEnabled", false)
	setDefault(p, "egressPublicNetworkAccess", "Enabled")
	if r.SKU == nil {
		r.SKU = arm.Object{"name": "Default", "tier": "Standard", "capacity": 1.0}
	}
	if n := instanceCount(r); n < 1 || n > 20 {
		return invalid("sku.capacity is %d; a deployment has 1 to 20 instances.", n)
	}
	if _, err := limitsOf(r); err != nil {
		return invalid("requestSettings: %v.", err)
	}
	return r, nil
}

func instanceCount(r arm.Resource) int { return arm.Int(r.SKU, "capacity", 1) }

// limits of a deployment's requests.
type limits struct {
	concurrent     int
	timeout, queue time.Duration
	ready          time.Duration
}

func limitsOf(r arm.Resource) (limits, error) {
	l := limits{concurrent: arm.Int(r.Properties, "requestSettings.maxConcurrentRequestsPerInstance", 1), timeout: 5 * time.Second, queue: 500 * time.Millisecond, ready: 3 * time.Minute}
	if l.concurrent < 1 || l.concurrent > 1000 {
		return l, fmt.Errorf("maxConcurrentRequestsPerInstance is %d", l.concurrent)
	}
	for key, d := range map[string]*time.Duration{"requestTimeout": &l.timeout, "maxQueueWait": &l.queue} {
		text := arm.String(r.Properties, "requestSettings."+key)
		if text == "" {
			continue
		}
		v, err := job.Duration(text)
		if err != nil || v > 3*time.Minute {
			return l, fmt.Errorf("%s is %q; it is a duration of at most PT3M", key, text)
		}
		*d = v
	}
	return l, nil
}

// canDeleteDeployment keeps a deployment that requests are sent to.
func canDeleteDeployment(view cloud.View, r arm.Resource) error {
	endpoint, ok := view.Get(r.ID.Parent())
	if ok && traffic(endpoint)[r.Name] > 0 {
		return cloud.Errorf(http.StatusBadRequest, "UserError", "The deployment %s has traffic of the endpoint %s; set its traffic to 0 first.", r.Name, endpoint.Name)
	}
	return nil
}

// reconcileDeployment brings the deployment's instances up, and returns when they
// answer.
func (s *Service) reconcileDeployment(ctx context.Context, r arm.Resource) error {
	if s.options.Instances == nil {
		return fmt.Errorf("this cloud runs no instances: %w", cloud.ErrPermanent)
	}
	w, err := s.workspaceOf(r.ID.Parent().Parent())
	if err != nil {
		return err
	}
	spec, folders, err := s.deploymentSpec(ctx, w, r)
	if err != nil {
		return permanent(err)
	}
	err = s.online.Apply(ctx, spec)
	var not *online.NotReadyError
	if errors.As(err, &not) {
		return fmt.Errorf("the deployment %s did not become ready: %w: %w", r.Name, not, cloud.ErrPermanent)
	}
	if err != nil {
		return err
	}
	return s.pruneDeployment(r.ID, folders)
}

// pruneDeployment removes the models and code of versions that do not run any more.
func (s *Service) pruneDeployment(id arm.ID, used []string) error {
	all, err := filepath.Glob(filepath.Join(s.deploymentDir(id), "*", "*"))
	if err != nil {
		return err
	}
	for _, path := range all {
		if slices.Contains(used, path) {
			continue
		}
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	return nil
}

// deploymentDir is where a deployment's model and code are on this machine.
func (s *Service) deploymentDir(id arm.ID) string {
	return filepath.Join(s.dir, "deployments", arm.StableGUID(id, "folder"))
}

// permanent marks the errors that are the user's to mend.
func permanent(err error) error {
	var e *cloud.Error
	if errors.As(known(err), &e) && e.Status < http.StatusInternalServerError {
		return fmt.Errorf("%w: %w", err, cloud.ErrPermanent)
	}
	return err
}

// deploymentSpec gathers what an instance needs: the image, and model and code in
// folders on disk.
func (s *Service) deploymentSpec(ctx context.Context, w workspace, r arm.Resource) (spec online.Spec, folders []string, err error) {
	l, err := limitsOf(r)
	if err != nil {
		return spec, nil, err
	}
	dir := s.deploymentDir(r.ID)
	model, modelMount, err := s.deploymentModel(ctx, w, r, dir)
	if err != nil {
		return spec, nil, err
	}
	code, err := s.deploymentCode(ctx, w, r, dir)
	if err != nil {
		return spec, nil, err
	}
	image, err := s.image(ctx, w, arm.String(r.Properties, "environmentId"), io.Discard)
	if err != nil {
		return spec, nil, err
	}
	host, err := scoring.WriteHost(filepath.Join(s.dir, "scoring"))
	if err != nil {
		return spec, nil, err
	}
	instance := Instance{
		Deployment: r.ID, Workspace: w.ID, Image: image, SocketName: scoring.SocketName, Env: deploymentEnv(w, r, modelMount),
		Mounts: []Mount{{host, scoring.HostDir}, {code, scoring.CodeDir}, {model, modelMount}},
	}
	instance.CPUs, instance.Memory = machineSize(arm.String(r.Properties, "instanceType"))
	version, err := json.Marshal([]any{instance.Image, instance.Env, instance.Mounts, l.concurrent, l.timeout, l.queue, instanceCount(r), instance.CPUs, instance.Memory})
	if err != nil {
		return spec, nil, err
	}
	return online.Spec{
		ID: r.ID.Key(), Version: string(version), Instances: instanceCount(r),
		MaxConcurrent: l.concurrent, RequestTimeout: l.timeout, QueueWait: l.queue, ReadyTimeout: l.ready,
		Start: func(ctx context.Context, index int, log io.Writer) (online.Process, error) {
			return s.startInstance(ctx, instance, index, log)
		},
	}, []string{model, code}, nil
}

// maxSocket is the longest path of a Unix socket that Linux takes.
const maxSocket = 107

// startInstance starts one instance, with a folder of its own for its socket.
func (s *Service) startInstance(ctx context.Context, i Instance, index int, log io.Writer) (online.Process, error) {
	i.Index, i.Log = index, log
	i.SocketDir = filepath.Join(s.dir, "s", shortHash(i.Deployment.Key())[:10]+"-"+itoa(index))
	if socket := filepath.Join(i.SocketDir, i.SocketName); len(socket) > maxSocket {
		return nil, fmt.Errorf("the path %s is too long for a socket: choose a data folder with a shorter path: %w", socket, cloud.ErrPermanent)
	}
	if err := os.RemoveAll(i.SocketDir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(i.SocketDir, 0o700); err != nil {
		return nil, err
	}
	i.Args = scoring.Command(i.SocketDir)
	return s.options.Instances.Start(ctx, i)
}

func deploymentEnv(w workspace, r arm.Resource, modelMount string) []string {
	env := []string{
		"AZUREML_MODEL_DIR=" + modelMount,
		"AZUREML_ENTRY_SCRIPT=" + scoring.CodeDir + "/" + arm.String(r.Properties, "codeConfiguration.scoringScript"),
		"AML_APP_ROOT=" + scoring.CodeDir,
		"AZUREML_ARM_WORKSPACE_NAME=" + w.Name,
	}
	v, _ := arm.Lookup(r.Properties, "environmentVariables")
	vars, _ := v.(map[string]any)
	for _, name := range sortedKeys(vars) {
		if text, ok := vars[name].(string); ok && !strings.ContainsAny(name, "=\x00") && name != "AZUREML_MODEL_DIR" && name != "AZUREML_ENTRY_SCRIPT" {
			env = append(env, name+"="+text)
		}
	}
	return env
}

// deploymentModel brings the model's files to disk and says where they are to be
// seen inside.
func (s *Service) deploymentModel(ctx context.Context, w workspace, r arm.Resource, dir string) (source, mount string, err error) {
	name := arm.String(r.Properties, "model")
	u, err := datastore.ParseURI(name)
	if err != nil {
		return "", "", userError("model: %v", err)
	}
	if u.ID != "" {
		typ := "custom_model"
		if u, err = assetOfID(w, u.ID, &typ); err != nil {
			return "", "", err
		}
	}
	var at datastore.Blob
	label := "1"
	if u.Asset != "" {
		v, err := s.modelVersion(ctx, w, u.Asset, u.Version)
		if err != nil {
			return "", "", err
		}
		if at, err = s.modelFiles(ctx, w, v); err != nil {
			return "", "", err
		}
		name, label = v.Name, v.Version
	} else {
		if at, err = s.locate(ctx, w, name, ""); err != nil {
			return "", "", err
		}
		name = "model"
	}
	source, err = s.fetch(ctx, w, at, filepath.Join(dir, "model"))
	return source, scoring.ModelsDir + "/" + name + "/" + label, err
}

func (s *Service) deploymentCode(ctx context.Context, w workspace, r arm.Resource, dir string) (string, error) {
	script := arm.String(r.Properties, "codeConfiguration.scoringScript")
	if !filepath.IsLocal(script) {
		return "", userError("scoringScript %q must be a path in the code folder.", script)
	}
	at, err := s.codeOf(ctx, w, arm.String(r.Properties, "codeConfiguration.codeId"))
	if err != nil {
		return "", err
	}
	code, err := s.fetch(ctx, w, at, filepath.Join(dir, "code"))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(code, script)); err != nil {
		return "", userError("scoringScript: the code has no file %s.", script)
	}
	return code, nil
}

// fetch brings blobs to a folder of their own below dir, unless they are there. A
// folder that is there is whole: it gets its name last.
func (s *Service) fetch(ctx context.Context, w workspace, at datastore.Blob, dir string) (string, error) {
	final := filepath.Join(dir, shortHash(at.URL()))
	if _, err := os.Stat(final); err == nil {
		return final, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(dir, ".new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	if err := os.Chmod(tmp, 0o755); err != nil { //nolint:gosec // the folders above are closed; inside, an unprivileged process reads it
		return "", err
	}
	blobs := s.blobs(w.ID)
	moved, err := blobs.DownloadTree(ctx, at, tmp)
	if err == nil && moved.Files == 0 {
		_, err = blobs.DownloadFile(ctx, at, tmp, at.Name())
	}
	if err != nil {
		return "", err
	}
	return final, os.Rename(tmp, final)
}

func (s *Service) removeDeployment(_ context.Context, r arm.Resource) error {
	s.online.Remove(r.ID.Key())
	return os.RemoveAll(s.deploymentDir(r.ID))
}

// deploymentLogs answers getLogs: {"containerType", "tail"} -> {"content"}.
func (s *Service) deploymentLogs(_ context.Context, r arm.Resource, body json.RawMessage) (any, error) {
	ask := struct{ Tail int }{100}
	if len(body) > 0 {
		if err := json.Unmarshal(body, &ask); err != nil {
			return nil, cloud.Errorf(http.StatusBadRequest, "UserError", "The body is not JSON: %v.", err)
		}
	}
	if ask.Tail <= 0 || ask.Tail > 5000 {
		ask.Tail = 100
	}
	return map[string]string{"content": s.online.Log(r.ID.Key(), ask.Tail)}, nil
}
