package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/cloister-ml/cloister/source/terraform/internal/oracle"
)

// Who plans. They are no one's.
const (
	tenant       = "c4e7b1d2-3a65-4f98-8b0d-7e2f9a6c1d53"
	subscription = "6f1c2a9e-58d4-4b7a-9a3e-2d0c5b8f7e14"
	client       = "11111111-1111-1111-1111-111111111111"
)

// patience is how long one plan may take.
const patience = 5 * time.Minute

// many is how many resources are planned at one time: terraform takes more than twice
// as long for twice as many.
const many = 120

// planAll plans the attempts in turn.
func planAll(ctx context.Context, binary string, all []attempt) (map[string]map[string]any, error) {
	out := make(map[string]map[string]any, len(all))
	for some := range slices.Chunk(all, many) {
		planned, err := plan(ctx, binary, some)
		if err != nil {
			return nil, err
		}
		maps.Copy(out, planned)
	}
	return out, nil
}

// plan has terraform plan the attempts, and gives what is unknown of each that the
// provider did not refuse, by address.
func plan(ctx context.Context, binary string, all []attempt) (planned map[string]map[string]any, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	work, err := os.MkdirTemp("", "computed-")
	if err != nil {
		return nil, fmt.Errorf("making a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	server, err := oracle.Start(&oracle.Endpoint{Tenant: tenant})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	if err := lay(work, binary, server); err != nil {
		return nil, err
	}
	terraform := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "terraform", args...)
		cmd.Dir = work
		cmd.Env = []string{
			"PATH=" + os.Getenv("PATH"), "HOME=" + work, "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1",
			"TF_CLI_CONFIG_FILE=" + filepath.Join(work, "cli.tfrc"), "SSL_CERT_FILE=" + filepath.Join(work, "ca.pem"),
			"HTTPS_PROXY=" + server.Proxy(), "HTTP_PROXY=" + server.Proxy(),
			"ARM_TENANT_ID=" + tenant, "ARM_SUBSCRIPTION_ID=" + subscription, "ARM_CLIENT_ID=" + client,
			"ARM_CLIENT_SECRET=no-secret", "ARM_RESOURCE_PROVIDER_REGISTRATIONS=none",
		}
		cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it ends its provider
		cmd.WaitDelay = 20 * time.Second
		return cmd
	}
	for left := all; ; {
		if err := configure(work, left); err != nil {
			return nil, err
		}
		said, failed := terraform("plan", "-json", "-input=false", "-refresh=false", "-parallelism=32", "-out=plan").Output()
		if failed == nil {
			break
		}
		bad := refusals(said)
		before := len(left)
		left = slices.DeleteFunc(slices.Clone(left), func(a attempt) bool { return bad[a.address()] })
		if len(left) == before {
			return nil, fmt.Errorf("planning: %w\n%s", failed, said[max(0, len(said)-2_000):])
		}
	}
	text, err := terraform("show", "-json", "plan").Output()
	if err != nil {
		return nil, fmt.Errorf("reading the plan: %w", err)
	}
	return unknowns(text)
}

// refusals are the addresses that terraform's messages have errors of.
func refusals(said []byte) map[string]bool {
	out := map[string]bool{}
	for line := range bytes.Lines(said) {
		var m struct {
			Diagnostic struct{ Severity, Address string }
		}
		if json.Unmarshal(line, &m) == nil && m.Diagnostic.Severity == "error" {
			out[m.Diagnostic.Address] = true
		}
	}
	return out
}

// lay writes what terraform reads beside the configuration.
func lay(work, binary string, server *oracle.Server) error {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return fmt.Errorf("looking for the provider: %w", err)
	}
	rc := fmt.Sprintf("disable_checkpoint = true\nprovider_installation {\n  dev_overrides {\n    \"hashicorp/azurerm\" = %q\n  }\n}\n", filepath.Join(work, "provider"))
	for name, text := range map[string][]byte{"cli.tfrc": []byte(rc), "ca.pem": server.Authority()} {
		if err := os.WriteFile(filepath.Join(work, name), text, 0o600); err != nil {
			return fmt.Errorf("writing the configuration: %w", err)
		}
	}
	if err := os.Mkdir(filepath.Join(work, "provider"), 0o755); err != nil {
		return fmt.Errorf("laying in the provider: %w", err)
	}
	if err := os.Symlink(binary, filepath.Join(work, "provider", "terraform-provider-azurerm")); err != nil {
		return fmt.Errorf("laying in the provider: %w", err)
	}
	return nil
}

// configure writes the attempts as a configuration.
func configure(work string, all []attempt) error {
	resources := map[string]map[string]any{}
	for _, a := range all {
		if resources[a.typ] == nil {
			resources[a.typ] = map[string]any{}
		}
		resources[a.typ][a.name] = a.body
	}
	// On lines of their own: terraform shows the line of whatever it warns of.
	config, err := json.MarshalIndent(map[string]any{
		"terraform": map[string]any{"required_providers": map[string]any{"azurerm": map[string]any{"source": "hashicorp/azurerm"}}},
		"provider":  map[string]any{"azurerm": map[string]any{"features": map[string]any{}}},
		"resource":  resources,
	}, "", " ")
	if err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	if err := os.WriteFile(filepath.Join(work, "main.tf.json"), config, 0o600); err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	return nil
}

// unknowns takes from a plan what is unknown of each resource.
func unknowns(text []byte) (map[string]map[string]any, error) {
	var in struct {
		Changes []struct {
			Address string
			Change  struct {
				Unknown map[string]any `json:"after_unknown"`
			}
		} `json:"resource_changes"`
	}
	if err := json.Unmarshal(text, &in); err != nil {
		return nil, fmt.Errorf("reading the plan: %w", err)
	}
	out := make(map[string]map[string]any, len(in.Changes))
	for _, c := range in.Changes {
		out[c.Address] = c.Change.Unknown
	}
	return out, nil
}
