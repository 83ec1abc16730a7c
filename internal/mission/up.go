package mission

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/check"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/cloud/client"
	"github.com/cloister-ml/cloister/internal/daemon"
	"github.com/cloister-ml/cloister/internal/image"
	"github.com/cloister-ml/cloister/internal/project"
	"github.com/cloister-ml/cloister/source"
)

// Options of Up.
type Options struct {
	Dir    string // of the project
	Name   string // of the cloud
	Data   string // folder that keeps it
	Cache  string // roots and packages
	Listen string // of the control plane, "" for a free port
	Store  string // address of the PostgreSQL database of the documents, or ""
	Source source.Options
	Empty  bool // start the cloud for the project and leave its estate to Terraform
	Run    bool // run the project's pipelines and verify the claims
	Out    io.Writer
}

// ErrFallen says that all was done, and that a claim or a requirement does not hold.
var ErrFallen = errors.New("not everything holds")

// PhasesFile is where Up writes how long each phase took.
func PhasesFile(data string) string { return filepath.Join(data, "phases.json") }

// up is one call of Up.
type up struct {
	o       Options
	j       *Journal
	project project.Project
	estate  *arm.Estate // as read, with what is unknown
	under   cloudUnder
	tokens  daemon.Tokens
	fresh   bool           // the cloud's folder was not there before
	made    bool           // nor was the folder itself
	began   bool           // this call has started the daemon
	failed  []cloud.Status // extensions of machines
	said    []string       // of what the cloud goes without, before it had the estate
}

// Up brings a project's estate up in a cloud, which it starts where none runs, and
// runs its main job. What it has started is taken down again when it fails before
// the estate is up.
func Up(ctx context.Context, o Options) (err error) {
	u := &up{o: o, j: NewJournal(o.Out)}
	_, statErr := os.Stat(o.Data)
	u.made = errors.Is(statErr, os.ErrNotExist)
	if _, statErr := os.Stat(filepath.Join(o.Data, "cloud")); errors.Is(statErr, os.ErrNotExist) {
		u.fresh = true
	}
	fallen, err := u.bringUp(ctx)
	if err != nil {
		return errors.Join(err, u.undo())
	}
	if o.Empty {
		u.emptyHints()
		return nil
	}
	if len(u.failed) > 0 {
		return errors.Join(u.withoutExtensions(ctx), ErrFallen)
	}
	if o.Run && u.project.Run != nil {
		if err := u.mainJob(ctx); err != nil {
			return errors.Join(err, u.j.Write(PhasesFile(o.Data)))
		}
	}
	held, err := u.summarise(ctx)
	if err != nil {
		return err
	}
	if fallen || !held {
		return ErrFallen
	}
	return nil
}

// step is one phase of bringing an estate up.
type step struct {
	name string
	ours bool // its time is Cloister's own, and not a package registry's
	run  func() (string, error)
}

func (u *up) bringUp(ctx context.Context) (fallen bool, err error) {
	steps := []step{
		{"read", true, u.read},
		{"prove", true, func() (said string, err error) { said, fallen = u.prove(); return said, nil }},
		{"prepare", false, func() (string, error) { return u.prepare(ctx) }},
		{"start", true, func() (string, error) { return u.start(ctx) }},
	}
	if !u.o.Empty {
		steps = append(steps, u.estateSteps(ctx)...)
	}
	for _, s := range steps {
		if err := u.j.do(s.name, s.ours, s.run); err != nil {
			return fallen, err
		}
	}
	return fallen, nil
}

// estateSteps make the estate real.
func (u *up) estateSteps(ctx context.Context) []step {
	return []step{
		{"accept", true, func() (string, error) { return u.accept(ctx) }},
		{"network", true, func() (string, error) { return u.awaitNetwork(ctx) }},
		{"machines", true, func() (string, error) { return u.awaitMachines(ctx) }},
	}
}

// undo takes down what this call has started.
func (u *up) undo() error {
	if u.began {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := daemon.Down(ctx, u.o.Name, u.o.Data, !u.fresh); err != nil {
			return err
		}
	}
	if u.made { // the daemon may have ended before it kept anything there
		return os.RemoveAll(u.o.Data)
	}
	return nil
}

func (u *up) read() (string, error) {
	var err error
	if u.project, err = project.Read(u.o.Dir); err != nil {
		return "", err
	}
	u.o.Source.Environ = inTenant(u.o.Source.Environ, u.o.Data)
	if u.estate, err = u.load(nil, u.o.Source); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d resources with %d references, from %s", u.estate.Len(), len(u.estate.Edges()), u.o.Dir), nil
}

// inTenant is the environment with the tenant that the cloud has, or shall have: what
// the Terraform takes from its provider is known then, as it is when Terraform
// signs in.
func inTenant(environ []string, data string) []string {
	const variable = "ARM_TENANT_ID="
	owner, err := daemon.ReadOwner(data)
	switch {
	case err == nil:
		return append(slices.Clone(environ), variable+owner.Tenant)
	case slices.ContainsFunc(environ, func(pair string) bool { return strings.HasPrefix(pair, variable) && pair != variable }):
		return environ
	}
	return append(slices.Clone(environ), variable+uuid.NewString())
}

// load reads the Terraform with the user's variables and more.
func (u *up) load(more map[string]string, opts source.Options) (*arm.Estate, error) {
	opts.Vars = maps.Clone(opts.Vars)
	if opts.Vars == nil {
		opts.Vars = map[string]string{}
	}
	maps.Copy(opts.Vars, more)
	estate, diags := source.Load(u.project.Terraform, opts)
	if diags.HasErrors() {
		var b strings.Builder
		if err := diags.Write(&b, 100, false); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("the Terraform cannot be used:\n%s", b.String())
	}
	return project.WithPremises(estate, u.project.Premises)
}

// prove says how the estate stands before anything is built.
func (u *up) prove() (string, bool) {
	r := check.Prove(u.estate, check.Options{})
	for _, q := range r.With(check.Violated) {
		u.j.Line("falls: %s: %s", q.Title, q.Reason)
	}
	said := fmt.Sprintf("%d requirements hold, %d fall, %d are unknown before deployment",
		r.Count(check.Holds), r.Count(check.Violated), r.Count(check.Unknown))
	return said, r.Count(check.Violated) > 0
}

// prepare makes the roots of machines, which takes a while the first time.
func (u *up) prepare(ctx context.Context) (string, error) {
	if missing := daemon.Requirements(); len(missing) > 0 {
		return "", &daemon.MissingError{Missing: missing}
	}
	packages, err := u.project.Requirements()
	if err != nil {
		return "", err
	}
	cache := image.Cache{Dir: u.o.Cache, Progress: func(line string) { u.j.Line("%s", line) }}
	base, err := cache.Base(ctx)
	if err != nil {
		return "", err
	}
	dirs := []string{base}
	if len(packages) > 0 {
		python, err := cache.Python(ctx, base, packages)
		if err != nil {
			return "", err
		}
		dirs = append(dirs, python)
	}
	if _, err := cache.Image(ctx, dirs, nil); err != nil { // so that packing is not part of the run
		return "", err
	}
	return fmt.Sprintf("base root and %d Python packages are in %s", len(packages), u.o.Cache), nil
}

// start starts the daemon, or one of this build in place of another's, and tells
// it what Terraform does not say.
func (u *up) start(ctx context.Context) (string, error) {
	packages, err := u.project.Requirements()
	if err != nil {
		return "", err
	}
	if err := daemon.SetPackages(u.o.Data, packages); err != nil { // before the first machine starts
		return "", err
	}
	if err := u.ensureDaemon(ctx); err != nil {
		return "", err
	}
	if u.under.daemon, err = daemon.Dial(u.o.Data); err != nil {
		return "", err
	}
	if u.under.arm, err = armClient(u.o.Data, u.under.daemon.State); err != nil {
		return "", err
	}
	u.under.project = u.project
	if d := u.project.DevOps; d != nil {
		p := daemon.Project{Organization: d.Organization, Project: d.Project, Repository: filepath.Join(u.project.Dir, d.Repository), Pool: d.Pool, Token: d.Token}
		for _, pl := range d.Pipelines {
			p.Pipelines = append(p.Pipelines, daemon.Pipeline{Name: pl.Name, YAML: pl.YAML})
		}
		if u.tokens, err = u.under.daemon.SetProject(ctx, p); err != nil {
			return "", err
		}
	}
	status, err := u.under.daemon.Status(ctx)
	if err != nil {
		return "", err
	}
	for _, lack := range u.lacks(status) {
		u.j.Line("%s", lack)
	}
	u.said = status.Mode.Lacks
	return fmt.Sprintf("control plane at https://%s, %s", u.under.daemon.State.Listen, status.Mode), nil
}

// lacks are what this host does not give the cloud, said once at its start.
func (u *up) lacks(s daemon.Status) []string {
	if !u.began {
		return nil
	}
	var out []string
	for _, l := range s.Mode.Lacks {
		out = append(out, "rootless: "+l)
	}
	if len(s.Limits) > 0 {
		out = append(out, "this host does not enforce: "+strings.Join(s.Limits, ", "))
	}
	return out
}

func (u *up) ensureDaemon(ctx context.Context) error {
	running, err := daemon.Dial(u.o.Data)
	switch {
	case err == nil:
		binary, err := daemon.BinaryID()
		if err != nil {
			return err
		}
		if running.State.Binary == binary {
			return nil
		}
		u.j.Line("the cloud runs an older build of cloister: restarting it")
		if err := daemon.Stop(ctx, u.o.Data); err != nil {
			return err
		}
	case !errors.Is(err, daemon.ErrNotRunning):
		return err
	}
	args := []string{"--name", u.o.Name, "--data", u.o.Data, "--subscription", subscription(u.estate)}
	if t := tenant(u.estate); t != "" {
		args = append(args, "--tenant", t)
	}
	u.began = true
	return daemon.Start(ctx, u.o.Data, u.o.Store, u.o.Listen, args...)
}

// subscription is the one that the estate's documents are in.
func subscription(e *arm.Estate) string {
	for _, r := range e.All() {
		if s := r.ID.Subscription(); s != "" {
			return s
		}
	}
	return ""
}

// tenant is the one that the estate's documents name.
func tenant(e *arm.Estate) string {
	for _, r := range e.All() {
		if t := arm.String(r.Properties, "tenantId"); t != "" {
			return t
		}
	}
	return ""
}

// armClient calls the control plane as the cloud's owner.
func armClient(data string, s daemon.State) (*client.Client, error) {
	owner, err := daemon.ReadOwner(data)
	if err != nil {
		return nil, err
	}
	return clientAs(s, owner.Tenant, owner.ClientID, owner.ClientSecret)
}

// clientAs calls the control plane as a service principal.
func clientAs(s daemon.State, tenant, id, secret string) (*client.Client, error) {
	pem, err := os.ReadFile(s.CA)
	if err != nil {
		return nil, fmt.Errorf("reading the cloud's certificate: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", s.CA)
	}
	return client.New(client.Config{
		Endpoint: "https://" + s.Listen, Tenant: tenant, ClientID: id, ClientSecret: secret,
		HTTP: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}},
	}), nil
}

// accept writes the estate to the control plane, now with the agents' token.
func (u *up) accept(ctx context.Context) (string, error) {
	more := map[string]string{}
	if d := u.project.DevOps; d != nil {
		more[d.Token] = u.tokens.Agents
	}
	opts := u.o.Source
	opts.RequireVars, opts.Secrets = true, true
	estate, err := u.load(more, opts)
	if err != nil {
		return "", err
	}
	if opts.Assigned, err = letAssign(ctx, u.under.arm, u.o.Data, estate); err != nil {
		return "", err
	}
	if len(opts.Assigned) > 0 {
		if estate, err = u.load(more, opts); err != nil {
			return "", err
		}
	}
	did, err := apply(ctx, u.under.arm, u.o.Data, estate, u.j.shown)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d documents written, %d deleted, %d as they were", did.written, did.deleted, did.kept), nil
}

// Owner calls the control plane of a running cloud as its owner.
func Owner(d *daemon.Client) (*client.Client, error) { return armClient(d.Dir(), d.State) }
