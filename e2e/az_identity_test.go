//go:build e2e

package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// azOnMachine are the commands that make az of what is laid into /opt/az.
const azOnMachine = `printf '#!/bin/sh\nPYTHONPATH=/opt/az exec python3 -m azure.cli "$@"\n' >/usr/local/bin/az && chmod +x /usr/local/bin/az`

// TestAzManagedIdentity runs the real az in a machine of a cloud: it signs in as the
// machine, by the metadata service, and may do what the machine's roles allow.
func TestAzManagedIdentity(t *testing.T) {
	program := os.Getenv("AZ")
	if program == "" {
		t.Skip("AZ names no program: run `make e2e-az`")
	}
	packages := filepath.Join(filepath.Dir(program), "../lib/python3.11/site-packages")
	if _, err := os.Stat(packages); err != nil {
		t.Skipf("az is not installed for the Python of machines: %v", err)
	}
	c := newCloud(t, "i")
	t.Log(c.must(t, "up", "testdata/identity"))
	c.lay(t, "one", packages, "/opt/az")
	if out, status := c.in(t, "one", nil, "sh", "-c", azOnMachine); status != 0 {
		t.Fatalf("installing az: %s", out)
	}
	identity := find(t, c.estate(t), "Microsoft.ManagedIdentity/userAssignedIdentities", named("id-other"))
	for _, tt := range []struct{ line, want, fails string }{
		{line: "login --identity --query [].user.name -o tsv", want: "systemAssignedIdentity"},
		{line: "group show -n rg-identity --query name -o tsv", want: "rg-identity"},
		{line: "vm show -g rg-identity -n one --query provisioningState -o tsv", want: "Succeeded"},
		{line: "network nsg create -g rg-identity -n nsg", fails: "AuthorizationFailed"},
		{line: "group create -n other -l westeurope", fails: "AuthorizationFailed"},
		{line: "login --identity --username " + string(identity.ID) + " --query [].user.name -o tsv", want: "userAssignedIdentity"},
		{line: "network nsg create -g rg-identity -n nsg --query NewNSG.provisioningState -o tsv", want: "Succeeded"},
		{line: "role assignment create --assignee-object-id 00000000-0000-4000-8000-000000000000 --assignee-principal-type User --role Reader --scope " + string(identity.ID.Group()), fails: "AuthorizationFailed"},
	} {
		args := append([]string{"env", "AZURE_CORE_ONLY_SHOW_ERRORS=true", "AZURE_CORE_COLLECT_TELEMETRY=false", "az"}, strings.Fields(tt.line)...)
		out, status := c.in(t, "one", nil, args...)
		switch {
		case tt.fails != "" && (status == 0 || !strings.Contains(out, tt.fails)):
			t.Errorf("az %s: want a refusal with %s, got %d: %s", tt.line, tt.fails, status, tail(out, 1000))
		case tt.fails == "" && strings.TrimSpace(out) != tt.want:
			t.Errorf("az %s: got %d %q, want %q", tt.line, status, tail(out, 1000), tt.want)
		}
	}
}

// lay copies a folder of the host into a machine.
func (c cloud) lay(t *testing.T, machine, from, to string) {
	t.Helper()
	pack := exec.Command("tar", "c", "--exclude=__pycache__", "-C", from, ".")
	packed, err := pack.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	unpack := exec.Command("../bin/cloister", "exec", machine, "--", "sh", "-c", "mkdir -p "+to+" && tar x -C "+to)
	unpack.Env = append(os.Environ(), "CLOISTER_NAME="+c.name, "CLOISTER_DATA="+c.dir)
	var said bytes.Buffer
	unpack.Stdin, unpack.Stdout, unpack.Stderr = packed, &said, &said
	if err := pack.Start(); err != nil {
		t.Fatal(err)
	}
	if err := unpack.Run(); err != nil {
		t.Fatalf("copying %s into %s: %v: %s", from, machine, err, tail(said.String(), 1000))
	}
	if err := pack.Wait(); err != nil {
		t.Fatal(err)
	}
}
