//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/service"
)

// restored backs the running cloud up, ends it, makes it again from the archive,
// and reads back what its users had left there.
func restored(t *testing.T, c cloud) {
	program := installClients(t, c, "vm-agent-0")
	hosts := serviceHosts(t, c)
	services := []string{"blob", "vault", "registry"}
	use := func(service, verb string) {
		t.Helper()
		if out, status := c.in(t, "vm-agent-0", nil, program, service, hosts[service], verb); status != 0 {
			t.Errorf("%s %s ends with %d: %s", service, verb, status, out)
		}
	}
	lists := func() []string {
		var all []string
		for _, kind := range []string{"model", "job", "online-endpoint"} {
			all = append(all, c.must(t, "ml", kind, "list", "--json"))
		}
		return all
	}

	for _, service := range services {
		use(service, "keep")
	}
	before := lists()
	archive := filepath.Join(t.TempDir(), "cloud.backup")
	phrase := filepath.Join(t.TempDir(), "phrase")
	if err := os.WriteFile(phrase, []byte("correct horse battery staple"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.must(t, "backup", "--passphrase-file", phrase, archive)
	c.must(t, "down")
	t.Log(c.must(t, "restore", "--passphrase-file", phrase, archive))
	c.must(t, "up", "--no-run", example)

	if after := lists(); !slices.Equal(after, before) {
		t.Errorf("the workspace had\n%s\nand has\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
	installClients(t, c, "vm-agent-0")
	for _, service := range services {
		use(service, "kept")
	}
	allHold(t, c.claims(t))
}

// installClients builds the program of the official clients and copies it into
// machines, where it has the path that is returned.
func installClients(t *testing.T, c cloud, machines ...string) string {
	t.Helper()
	const path = "/opt/clients"
	binary := filepath.Join(t.TempDir(), "clients")
	build := exec.Command("go", "build", "-tags", "e2e", "-o", binary, "./clients")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	program, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	for _, machine := range machines {
		if out, status := c.in(t, machine, program, "/bin/sh", "-c", "cat >"+path+" && chmod 755 "+path); status != 0 {
			t.Fatalf("copying the program into %s: %s", machine, out)
		}
	}
	return path
}

// serviceHosts are the services' host names by kind, one of each.
func serviceHosts(t *testing.T, c cloud) map[string]string {
	t.Helper()
	hosts := map[string]string{}
	for _, ep := range service.All(c.estate(t)) {
		hosts[ep.Service] = ep.Host
	}
	return hosts
}
