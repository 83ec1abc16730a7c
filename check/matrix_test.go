package check

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

// table writes the outcomes by place, one line a host; a star marks what is
// reached by its public address.
func table(cells []Cell) string {
	rows, order := map[string][]string{}, []string{}
	for _, c := range cells {
		name := endpointSlug(c.To)
		if _, ok := rows[name]; !ok {
			order = append(order, name)
		}
		word := string(c.Outcome())
		if len(c.Resolve.Addrs) > 0 && !c.Resolve.Private() {
			word += "*"
		}
		rows[name] = append(rows[name], word)
	}
	var b strings.Builder
	for _, name := range order {
		fmt.Fprintln(&b, name+": "+strings.Join(rows[name], " "))
	}
	return b.String()
}

// The columns are vm-agent-0, vm-agent-1, vm-jump, cpu-cluster, internet.
func TestMatrixOfTheSecuredEstate(t *testing.T) {
	const want = `management.azure.com: allowed* allowed* allowed* allowed* forbidden*
login.microsoftonline.com: allowed* allowed* allowed* allowed* allowed*
graph.microsoft.com: admitted* admitted* admitted* admitted* admitted*
dev.azure.com: forbidden* forbidden* forbidden* unreachable* forbidden*
download.agent.dev.azure.com: allowed* allowed* allowed* allowed* allowed*
dc.services.visualstudio.com: allowed* allowed* allowed* allowed* allowed*
registry/crmlops: allowed allowed forbidden allowed refused*
registrydata/crmlops: admitted admitted admitted admitted refused*
insights/appi-mlops: allowed* allowed* allowed* allowed* allowed*
vault/kv-mlops: allowed allowed forbidden allowed refused*
api/mlw-mlops: allowed allowed forbidden allowed refused*
notebooks/mlw-mlops: admitted admitted admitted admitted refused*
blob/stmlops: allowed allowed forbidden allowed refused*
file/stmlops: admitted admitted admitted admitted refused*
queue/stmlops: refused* refused* refused* unreachable* refused*
table/stmlops: refused* refused* refused* unreachable* refused*
dfs/stmlops: refused* refused* refused* unreachable* refused*
`
	if got := table(Matrix(secured().estate(t))); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestMatrixChangesWithTheEstate(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*draft)
		from   string
		to     string
		want   Meeting
	}{
		{"half of the peering", func(d *draft) { d.remove("peer-vnet-aml-to-vnet-bastion") }, "vm-jump", "registry/crmlops", MeetUnreachable},
		{"no zone link: the public address refuses", func(d *draft) { d.remove("privatelink.azurecr.io/virtualNetworkLinks/link-vnet-bastion") }, "vm-jump", "registry/crmlops", MeetRefused},
		{"no record", func(d *draft) { d.remove("pe-blob/privateDnsZoneGroups/default") }, "cpu-cluster", "blob/stmlops", MeetNoName},
		{"no role", func(d *draft) { d.remove("vm-agent-0.4633458b.kv-mlops") }, "vm-agent-0", "vault/kv-mlops", MeetForbidden},
		{"open to all: the internet gets in and may do nothing", func(d *draft) {
			d.get(storageID).Properties = arm.Object{"publicNetworkAccess": "Enabled"}
		}, "internet", "blob/stmlops", MeetForbidden},
		{"own DNS servers", func(d *draft) {
			d.get(vnetID("vnet-bastion")).Properties["dhcpOptions"] = arm.Object{"dnsServers": []any{"10.2.9.9"}}
		}, "vm-jump", "blob/stmlops", MeetUnknown},
		{"a record that leads to another service's endpoint", func(d *draft) {
			d.remove("pe-vault/privateDnsZoneGroups/default")
			d.add(zoneID("privatelink.vaultcore.azure.net").Child("A", "kv-mlops"), arm.Object{"aRecords": []any{arm.Object{"ipv4Address": "10.1.1.4"}}})
		}, "vm-agent-0", "vault/kv-mlops", MeetRefused},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := secured()
			c.change(d)
			for _, cell := range Matrix(d.estate(t)) {
				if cell.From.Name == c.from && endpointSlug(cell.To) == c.to {
					if got := cell.Outcome(); got != c.want {
						t.Errorf("%s: %s", got, cell.Decisive().Reason)
					}
					if cell.Decisive().Reason == "" {
						t.Error("no reason")
					}
					return
				}
			}
			t.Error("no such cell")
		})
	}
}

// What is proved of a flow is what the matrix predicts of it.
func TestProofAndMatrixAgree(t *testing.T) {
	e := secured().estate(t)
	cells := map[string]Cell{}
	for _, c := range Matrix(e) {
		cells[c.From.Name+" "+c.To.Host] = c
	}
	for _, q := range Prove(e, Options{}).Requirements {
		c, ok := cells[q.From.Name+" "+q.To.Name]
		if !ok || !q.Must || q.From.NIC == "" {
			continue
		}
		if o := c.Outcome(); q.Outcome == Holds && (o == MeetNoName || o == MeetUnreachable || o == MeetRefused || o == MeetUnknown) {
			t.Errorf("%s holds and its cell says %s: %s", q.ID, o, c.Decisive().Reason)
		}
	}
}

func TestEveryCallIsForAServiceThatExists(t *testing.T) {
	known := map[string]bool{}
	for _, ep := range service.All(secured().estate(t)) {
		known[ep.Service] = true
	}
	for name, c := range calls {
		if !known[name] {
			t.Errorf("the call of %q is for no service", name)
		}
		if (c.Auth == AuthRole) != (c.Action != "") || c.Auth == AuthRole && c.Audience == "" {
			t.Errorf("the call of %q is incomplete: %+v", name, c)
		}
	}
}
