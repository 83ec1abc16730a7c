package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/source/terraform"
	"github.com/cloister-ml/cloister/source/terraform/internal/oracle"
)

// Who applies, in which directory. They are no one's.
const (
	tenant       = "c4e7b1d2-3a65-4f98-8b0d-7e2f9a6c1d53"
	subscription = "6f1c2a9e-58d4-4b7a-9a3e-2d0c5b8f7e14"
	client       = "11111111-1111-1111-1111-111111111111"
)

// apply applies a configuration against an endpoint of its own and gives what was
// written to that.
func apply(ctx context.Context, config string, vars map[string]string, o options) (writes []oracle.Write, err error) {
	work, err := os.MkdirTemp("", "oracle-")
	if err != nil {
		return nil, fmt.Errorf("making a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()

	endpoint := &oracle.Endpoint{Tenant: tenant, Roles: terraform.BuiltInRoles()}
	if o.verbose {
		endpoint.Log = func(line string) { fmt.Fprintln(os.Stderr, line) }
	}
	server, err := oracle.Start(endpoint)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.Close()) }()

	t := terraformRun{work: work, o: o, vars: vars}
	if err := t.lay(config, server); err != nil {
		return nil, err
	}
	plan := filepath.Join(work, "plan")
	for _, args := range [][]string{
		{"init", "-backend=false", "-input=false"},
		append([]string{"plan", "-input=false", "-out=" + plan}, t.varArgs()...),
	} {
		if err := t.run(ctx, args...); err != nil {
			return nil, err
		}
	}
	if o.plan != "" {
		if err := t.save(ctx, o.plan, "show", "-json", plan); err != nil {
			return nil, err
		}
	}
	if err := t.applyAll(ctx, plan, endpoint); err != nil {
		return nil, err
	}
	if o.state != "" {
		if err := t.save(ctx, o.state, "show", "-json"); err != nil {
			return nil, err
		}
		raw, err := os.ReadFile(filepath.Join(t.dir(), "terraform.tfstate"))
		if err != nil {
			return nil, fmt.Errorf("keeping the state: %w", err)
		}
		if err := keep(strings.Replace(o.state, ".json", ".tfstate.json", 1), raw); err != nil {
			return nil, err
		}
	}
	return endpoint.Writes(), nil
}

// applyAll applies until all is, or until nothing further is sent. The endpoint does
// not say all that Azure says, and of some answers a provider makes nothing: it
// fails, even crashes, once it has sent what is to be recorded, and takes with it
// what it was about to send of others. What was never sent shows in the comparison.
func (t *terraformRun) applyAll(ctx context.Context, plan string, endpoint *oracle.Endpoint) error {
	all := []string{"apply", "-input=false", "-auto-approve", "-parallelism=64"}
	args := append(slices.Clone(all), plan)
	for sent := 0; ; args = append(slices.Clone(all), t.varArgs()...) {
		err := t.applyOnce(ctx, args)
		if err == nil {
			return nil
		}
		now := written(endpoint)
		if ctx.Err() != nil || now == 0 {
			return err
		}
		if now == sent {
			for _, m := range endpoint.Missed() {
				fmt.Fprintln(os.Stderr, "not there: "+m)
			}
			fmt.Fprintf(os.Stderr, "%v: what it had sent by then is compared\n", err)
			return nil
		}
		sent = now
	}
}

// written is how many resources something was written to.
func written(endpoint *oracle.Endpoint) int {
	ids := map[string]bool{}
	for _, w := range endpoint.Writes() {
		ids[w.ID.Key()] = true
	}
	return len(ids)
}

// patience is how long one apply may take: a provider that waits for what the
// endpoint never says waits for half an hour.
const patience = 170 * time.Second

func (t *terraformRun) applyOnce(ctx context.Context, args []string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return t.run(ctx, args...)
}

// terraformRun runs terraform on a copy of a configuration.
type terraformRun struct {
	work string
	env  []string
	o    options
	vars map[string]string
}

func (t *terraformRun) dir() string { return filepath.Join(t.work, "config") }

func (t *terraformRun) varArgs() []string {
	var args []string
	for _, name := range slices.Sorted(maps.Keys(t.vars)) {
		args = append(args, "-var", name+"="+t.vars[name])
	}
	return args
}

// lay puts the configuration, the provider and the authority where terraform
// looks for them.
func (t *terraformRun) lay(config string, server *oracle.Server) error {
	if err := os.CopyFS(t.dir(), os.DirFS(config)); err != nil {
		return fmt.Errorf("copying the configuration: %w", err)
	}
	for _, name := range []string{".terraform.lock.hcl", "terraform.tfstate", recordingName} {
		if err := os.RemoveAll(filepath.Join(t.dir(), name)); err != nil {
			return fmt.Errorf("copying the configuration: %w", err)
		}
	}
	mirror := filepath.Join(t.work, "mirror")
	for _, p := range t.o.providers {
		if err := p.lay(mirror); err != nil {
			return err
		}
	}
	rc := filepath.Join(t.work, "cli.tfrc")
	ca := filepath.Join(t.work, "ca.pem")
	rcText := fmt.Sprintf("disable_checkpoint = true\nprovider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", mirror)
	for path, text := range map[string][]byte{rc: []byte(rcText), ca: server.Authority()} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return fmt.Errorf("writing %s: %w", path, err)
		}
	}
	t.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.work, "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1",
		"TF_CLI_CONFIG_FILE=" + rc, "SSL_CERT_FILE=" + ca, "HTTPS_PROXY=" + server.Proxy(), "HTTP_PROXY=" + server.Proxy(),
		"ARM_TENANT_ID=" + tenant, "ARM_SUBSCRIPTION_ID=" + subscription, "ARM_CLIENT_ID=" + client, "ARM_CLIENT_SECRET=no-secret",
		"ARM_RESOURCE_PROVIDER_REGISTRATIONS=none",
	}
	return nil
}

// lay puts a provider where terraform looks for it.
func (p provider) lay(mirror string) error {
	binary, err := filepath.Abs(p.binary)
	if err != nil {
		return fmt.Errorf("looking for %s: %w", p.name, err)
	}
	at := filepath.Join(mirror, "registry.terraform.io", p.owner, p.name, p.version, "linux_"+runtime.GOARCH)
	if err := os.MkdirAll(at, 0o755); err != nil {
		return fmt.Errorf("laying in %s: %w", p.name, err)
	}
	if err := os.Symlink(binary, filepath.Join(at, "terraform-provider-"+p.name+"_v"+p.version+"_x5")); err != nil {
		return fmt.Errorf("laying in %s: %w", p.name, err)
	}
	return nil
}

// run runs terraform, whose output is shown when it fails.
func (t *terraformRun) run(ctx context.Context, args ...string) error {
	out, err := t.command(ctx, args...).CombinedOutput()
	if err != nil || t.o.verbose {
		os.Stderr.Write(out)
	}
	if err != nil {
		return fmt.Errorf("terraform %s: %w", args[0], err)
	}
	return nil
}

// save writes what terraform prints to a file.
func (t *terraformRun) save(ctx context.Context, path string, args ...string) error {
	out, err := t.command(ctx, args...).Output()
	if err != nil {
		return fmt.Errorf("terraform %s: %w", args[0], err)
	}
	return keep(path, out)
}

// keep writes a file, packed where its name says so.
func keep(path string, text []byte) error {
	if strings.HasSuffix(path, ".gz") {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write(text); err != nil {
			return fmt.Errorf("packing %s: %w", path, err)
		}
		if err := z.Close(); err != nil {
			return fmt.Errorf("packing %s: %w", path, err)
		}
		text = b.Bytes()
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return fmt.Errorf("keeping what terraform prints: %w", err)
	}
	return nil
}

func (t *terraformRun) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, t.o.terraform, slices.Insert(slices.Clone(args), 1, "-no-color")...)
	cmd.Dir, cmd.Env = t.dir(), t.env
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it ends its providers
	cmd.WaitDelay = 20 * time.Second
	return cmd
}
