//go:build e2e

package e2e

import (
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
)

// TestBastion comes in as people do: the role decides who, the security group
// whether packets arrive.
func TestBastion(t *testing.T) {
	c := newCloud(t, "b")
	c.must(t, "up", "--no-run", example)
	ssh := func(what string, status int, said string, args ...string) {
		t.Helper()
		out, got := c.cloister(t, append([]string{"bastion", "ssh"}, args...)...)
		if got != status || !strings.Contains(out, said) {
			t.Errorf("%s: status %d, %q; want %d and %q", what, got, out, status, said)
		}
	}
	ssh("without a login role", 2, "virtualMachines/login/action", "vm-jump", "--", "hostname")
	ssh("with the role", 0, "azureuser@vm-jump", "vm-jump", "--assign-login-role", "--", "echo $USER@$(hostname)")
	ssh("the exit status is the command's", 7, "", "vm-jump", "--", "exit 7")
	ssh("an account that the role does not open", 2, "lets it log in as", "vm-jump", "--user", "daemon", "--", "true")
	ssh("the machine behind the jump host, too", 2, "login/action", "vm-agent-0", "--", "true")

	nsg := find(t, c.estate(t), "Microsoft.Network/networkSecurityGroups", func(r arm.Resource) bool { return strings.Contains(r.Name, "jump") })
	broken := nsg
	broken.Properties = arm.Clone(nsg.Properties)
	var rules []any
	for _, r := range arm.Objects(nsg.Properties, "securityRules") {
		if arm.String(r, "name") != "allow-bastion" {
			rules = append(rules, r)
		}
	}
	broken.Properties["securityRules"] = rules
	owner := c.owner(t)
	if _, err := owner.Put(t.Context(), broken); err != nil {
		t.Fatal(err)
	}
	ssh("without the rule for Bastion", 2, "does not reach vm-jump", "vm-jump", "--", "true")
	if _, err := owner.Put(t.Context(), nsg); err != nil {
		t.Fatal(err)
	}
	ssh("with the rule again", 0, "", "vm-jump", "--", "true")
}
