package check

import (
	"testing"

	"github.com/cloister-ml/cloister/arm"
)

func TestRoles(t *testing.T) {
	extension := func(vm, typ string, p arm.Object) func(*draft) {
		return func(d *draft) {
			p["type"] = typ
			d.add(vmID(vm).Child("extensions", "x"), p)
		}
	}
	for _, c := range []struct {
		name   string
		change func(*draft)
		vm     string
		want   Role
	}{
		{"a base64 script that mentions an agent", func(*draft) {}, "vm-agent-0", RoleAgent},
		{"a machine beside a Bastion subnet", func(*draft) {}, "vm-jump", RoleJumpHost},
		{"a machine elsewhere", func(d *draft) { d.remove("subnets/AzureBastionSubnet"); d.remove("bas-mlops") }, "vm-jump", RoleOther},
		{"a tag says so", func(d *draft) { d.get(vmID("vm-jump")).Tags = map[string]string{"Role": "Agent"} }, "vm-jump", RoleAgent},
		{"a tag says otherwise", func(d *draft) { d.get(vmID("vm-agent-0")).Tags = map[string]string{"role": "jump-host"} }, "vm-agent-0", RoleJumpHost},
		{"public settings", extension("vm-jump", "CustomScript", arm.Object{"settings": arm.Object{"commandToExecute": "sh install-agent.sh"}}), "vm-jump", RoleAgent},
		{"settings that are not known yet", extension("vm-jump", "CustomScript", arm.Object{"protectedSettings": arm.Unknown{Expression: "jsonencode(... var.agent_token ...)"}}), "vm-jump", RoleAgent},
		{"the DevOps extension", extension("vm-jump", "TeamServicesAgentLinux", arm.Object{}), "vm-jump", RoleAgent},
		{"other agents are none", extension("vm-jump", "CustomScript", arm.Object{"settings": arm.Object{"commandToExecute": "systemctl restart walinuxagent; ssh-agent sh"}}), "vm-jump", RoleJumpHost},
		{"another extension", extension("vm-jump", "AzureMonitorLinuxAgent", arm.Object{}), "vm-jump", RoleJumpHost},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := secured()
			c.change(d)
			for _, p := range newWorld(d.estate(t)).places {
				if p.Name == c.vm && p.Role != c.want {
					t.Errorf("%s is %q, want %q", p.Name, p.Role, c.want)
				}
			}
		})
	}
}

func TestSwitchedOff(t *testing.T) {
	d := secured()
	d.get(storageID).Properties["publicNetworkAccess"] = "Enabled"
	d.remove("vm-agent-1.7f951dda.crmlops")
	for _, c := range []struct {
		key  string
		fall int
	}{
		{"nothing-of-that-name", 2},
		{"public-access-off", 1},
		{"public-access-off:stmlops", 1},
		{"agent-reaches-service:vm-agent-1:registry/crmlops", 1},
	} {
		r := Prove(d.estate(t), Options{Disable: map[string]string{c.key: "known, ticket 17"}})
		if n := r.Count(Violated); n != c.fall {
			t.Errorf("with %s off, %d fall, want %d", c.key, n, c.fall)
		}
		for _, q := range r.With(Off) {
			if q.Reason != "known, ticket 17" {
				t.Errorf("%s is off because %q", q.ID, q.Reason)
			}
		}
	}
}

func TestComputeOutsideTheNetworks(t *testing.T) {
	d := secured()
	delete(d.get(clusterID).Properties["properties"].(arm.Object), "subnet")
	r := Prove(d.estate(t), Options{})
	if n := r.Count(Violated); n < 2 {
		t.Error("a cluster in no network reaches what is closed to the internet")
	}
	found := r.Findings()
	if len(found) != 1 || found[0].Rule != "compute-in-network" {
		t.Errorf("the findings are %v", found)
	}
	for _, q := range r.With(Violated)[1:] {
		if q.ID != found[0].ID && q.Because != found[0].ID {
			t.Errorf("%s falls because of %q", q.ID, q.Because)
		}
	}
}

func TestEmptyEstate(t *testing.T) {
	e, err := arm.NewEstate()
	if err != nil {
		t.Fatal(err)
	}
	if r := Prove(e, Options{}); len(r.Requirements) != 0 {
		t.Errorf("an empty estate requires %+v", r.Requirements)
	}
}

func TestProblemsFall(t *testing.T) {
	d := secured()
	d.get(vnetID("vnet-bastion")).Properties["addressSpace"] = arm.Object{"addressPrefixes": []any{"10.1.0.0/16", "10.2.0.0/16"}}
	fallen := prove(t, d).With(Violated)
	if len(fallen) == 0 || fallen[0].Rule != "spaces-apart" {
		t.Fatalf("overlapping address spaces pass: %+v", fallen)
	}
	if fallen[0].Source.File == "" {
		t.Errorf("the problem says no file and line: %+v", fallen[0])
	}
}

func TestIDsAreUniqueAndStable(t *testing.T) {
	a, b := prove(t, secured()), prove(t, secured())
	seen := map[string]bool{}
	for i, q := range a.Requirements {
		if seen[q.ID] {
			t.Errorf("%s is there twice", q.ID)
		}
		seen[q.ID] = true
		if b.Requirements[i].ID != q.ID || b.Requirements[i].Reason != q.Reason {
			t.Errorf("%s changes from run to run", q.ID)
		}
	}
}
