package check

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloister-ml/cloister/arm"
)

// Nothing changes from an estate to itself, whatever it is.
func TestDiffOfTheSameIsEmpty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := secured()
		for range rapid.IntRange(0, 4).Draw(t, "changed") {
			d.change(t, rapid.SampledFrom([]any{"", "*", "10.0.0.0/8", "Enabled", true, arm.Object{}, arm.Unknown{Expression: "x"}}).Draw(t, "with"))
		}
		e, err := arm.NewEstate(d.docs...)
		if err != nil {
			t.Fatal(err)
		}
		if got := Diff(e, e, Options{}, Options{}); !got.Empty() || got.Objects() {
			t.Fatalf("%+v", got)
		}
	})
}

// What a change opens, the change back closes.
func TestDiffBackIsTheContrary(t *testing.T) {
	open, closed := secured(), secured()
	allow := ruleSpec{"allow-ssh", "Outbound", "Allow", "*", "10.1.1.0/24", "22"}
	open.allowFirst("nsg-training", allow)
	there, back := Diff(closed.estate(t), open.estate(t), Options{}, Options{}), Diff(open.estate(t), closed.estate(t), Options{}, Options{})
	if len(there.Flows) == 0 || len(there.Flows) != len(back.Flows) {
		t.Fatalf("there %+v, back %+v", there.Flows, back.Flows)
	}
	for i, f := range there.Flows {
		b := back.Flows[i]
		if !f.Opened || b.Opened || f.Traffic.String() != b.Traffic.String() || !slices.Equal(f.From, b.From) || !slices.Equal(f.To, b.To) {
			t.Errorf("there %+v, back %+v", f, b)
		}
	}
}

func (d *draft) allowFirst(group string, r ruleSpec) {
	g := d.get(nsgID(group))
	list := g.Properties["securityRules"].([]any)
	g.Properties["securityRules"] = append([]any{arm.Object{"name": r.name, "properties": arm.Object{
		"priority": 105.0, "direction": r.direction, "access": r.access, "protocol": "Tcp",
		"sourceAddressPrefix": r.from, "sourcePortRange": "*", "destinationAddressPrefix": r.to, "destinationPortRange": r.ports,
	}}}, list...)
}

func TestDiffSaysWhatChanges(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(*draft)
		flows   string // from > to traffic, those opened with a +
		calls   string
		falls   string
		objects bool
	}{
		{"a zone link is taken away", func(d *draft) { d.remove("privatelink.azurecr.io/virtualNetworkLinks/link-vnet-bastion") }, "",
			"-vm-agent-0 registry/crmlops allowed refused", "zone", true},
		{"compute may reach an agent by SSH", func(d *draft) {
			d.get(nsgID("nsg-agents")).Properties["securityRules"] = []any{}
			d.get(nsgID("nsg-training")).Properties["securityRules"] = []any{}
		}, "+cpu-cluster-0,cpu-cluster-1 > ", "", "training", true},
		{"a group is emptied: the internet", func(d *draft) { d.get(nsgID("nsg-training")).Properties["securityRules"] = []any{} },
			"+cpu-cluster-0,cpu-cluster-1 > the internet at large", "", "training-data-stays", true},
		{"a service is opened", func(d *draft) { d.get(storageID).Properties = arm.Object{"publicNetworkAccess": "Enabled"} }, "", "", "service-closed-to-internet", true},
		{"half of a peering goes", func(d *draft) { d.remove("peer-vnet-aml-to-vnet-bastion") }, "-vm-agent-0,vm-agent-1", "-vm-agent-0", "peering-connected", true},
		{"a role is given", func(d *draft) { d.grant(vmID("vm-jump"), secretsUser, vaultID) }, "", "+vm-jump vault/kv-mlops forbidden allowed", "", true},
		{"a tag changes nothing", func(d *draft) { d.get(storageID).Tags = map[string]string{"a": "b"} }, "", "", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			after := secured()
			c.change(after)
			d := Diff(secured().estate(t), after.estate(t), Options{}, Options{})
			var flows, calls, falls []string
			sign := map[bool]string{true: "+", false: "-"}
			for _, f := range d.Flows {
				flows = append(flows, sign[f.Opened]+strings.Join(f.From, ",")+" > "+strings.Join(f.To, ",")+" "+f.Traffic.String())
			}
			for _, f := range d.Calls {
				calls = append(calls, sign[f.Opened]+f.From+" "+f.To+" "+string(f.Before)+" "+string(f.After))
			}
			for _, r := range d.Requirements {
				if r.After == Violated {
					falls = append(falls, r.ID)
				}
			}
			for _, x := range []struct {
				what string
				got  []string
				want string
			}{{"flows", flows, c.flows}, {"calls", calls, c.calls}, {"falls", falls, c.falls}} {
				if x.want == "" && x.what == "flows" && len(x.got) > 0 || !strings.Contains(strings.Join(x.got, "\n"), x.want) {
					t.Errorf("%s are\n%s\nwant %q among them", x.what, strings.Join(x.got, "\n"), x.want)
				}
			}
			if len(d.Resources) == 0 || d.Objects() != c.objects {
				t.Errorf("resources %+v, objects %v", d.Resources, d.Objects())
			}
		})
	}
}
