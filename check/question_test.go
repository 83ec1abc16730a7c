package check

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/network/space"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

func ask(t testing.TB, d *draft, q Question) *Traced {
	t.Helper()
	tr, err := Trace(d.estate(t), q)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func TestTraceSaysWhereItStops(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(*draft)
		ask     Question
		outcome Meeting
		reason  string
		remedy  string
	}{
		{"all the way", func(*draft) {}, Question{From: "vm-agent-0", To: "crmlops"}, MeetAllowed, "AcrPull", ""},
		{"by Terraform address and id", func(*draft) {}, Question{From: "test.vm-agent-0", To: string(vaultID)}, MeetAllowed, "Key Vault", ""},
		{"as another identity", func(*draft) {}, Question{From: "vm-jump", To: "kv-mlops", As: "vm-agent-1"}, MeetAllowed, "Key Vault", ""},
		{"without the role", func(*draft) {}, Question{From: "vm-jump", To: "kv-mlops"}, MeetForbidden, "no role assignment", "Key Vault Secrets User"},
		{"a zone that is not linked", func(d *draft) { d.remove("privatelink.azurecr.io/virtualNetworkLinks/link-vnet-bastion") },
			Question{From: "vm-agent-0", To: "crmlops"}, MeetRefused, "firewall of crmlops", "link zone privatelink.azurecr.io to network vnet-bastion"},
		{"half of the peering", func(d *draft) { d.remove("peer-vnet-aml-to-vnet-bastion") },
			Question{From: "vm-agent-0", To: "crmlops"}, MeetUnreachable, "no complete peering of vnet-bastion and vnet-aml", "add the peering from vnet-aml to vnet-bastion"},
		{"a group denies", func(*draft) {}, Question{From: "cpu-cluster", To: "vm-agent-0", Port: 22}, MeetUnreachable, "deny-all", "allow TCP 22"},
		{"a machine answers no name and needs no role", func(*draft) {}, Question{From: "vm-agent-0", To: "vm-jump", Port: 22}, MeetUnreachable, "deny-all", "allow TCP 22"},
		{"an outsider", func(*draft) {}, Question{From: "internet", To: "stmlops"}, MeetRefused, "public", "nothing"},
		{"a subnet", func(*draft) {}, Question{From: "vnet-bastion/agents", To: "internet"}, MeetAdmitted, "", ""},
		{"a service tag", func(*draft) {}, Question{From: "cpu-cluster", To: "Storage"}, MeetUnreachable, "deny-all", "allow TCP 443"},
		{"a name that nobody has", func(*draft) {}, Question{From: "vm-agent-0", To: "no.such.example"}, MeetNoName, "", ""},
		{"a value that is not known", func(d *draft) {
			d.get(vnetID("vnet-bastion")).Properties["dhcpOptions"] = arm.Object{"dnsServers": []any{"10.2.9.9"}}
		}, Question{From: "vm-jump", To: "stmlops"}, MeetUnknown, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := secured()
			c.change(d)
			tr := ask(t, d, c.ask)
			if tr.Outcome != c.outcome {
				t.Fatalf("it meets %q (%s), want %q", tr.Outcome, tr.Reason, c.outcome)
			}
			if !strings.Contains(tr.Reason, c.reason) {
				t.Errorf("the reason is %q, want it to hold %q", tr.Reason, c.reason)
			}
			if c.remedy == "" && tr.Remedy != "" || !strings.Contains(tr.Remedy, c.remedy) {
				t.Errorf("the remedy is %q, want it to hold %q", tr.Remedy, c.remedy)
			}
			if (tr.Stopped == "") != (tr.Value == verdict.Yes) {
				t.Errorf("it stops at %q and its value is %s", tr.Stopped, tr.Value)
			}
		})
	}
}

func TestTraceShowsTheRuleThatDecides(t *testing.T) {
	tr := ask(t, secured(), Question{From: "cpu-cluster", To: "vm-jump", Port: 22})
	var rules []Looked
	for _, h := range tr.Hops {
		if strings.HasPrefix(h.At, "NSG nsg-training") {
			rules = h.Looked
		}
	}
	at := slices.IndexFunc(rules, func(l Looked) bool { return l.Decides })
	if at != len(rules)-4 || !strings.HasPrefix(rules[at].Text, "190 deny-all: Deny") || !rules[at+1].After {
		t.Errorf("%d rules looked at, number %d decides", len(rules), at)
	}
}

func TestNamesThatMeanNothingOrMuch(t *testing.T) {
	e := secured().estate(t)
	for _, c := range []struct {
		q          Question
		what       string
		near, many string
	}{
		{Question{From: "vm-jmp", To: "internet"}, "place", "vm-jump", ""},
		{Question{From: "vm-jump", To: "kv-mlosp"}, "destination", "kv-mlops", ""},
		{Question{From: "vm-jump", To: "kv-mlops", As: "vm-agnt-0"}, "identity", "vm-agent-0", ""},
		{Question{From: "setup", To: "internet"}, "place", "", ""},
	} {
		_, err := Trace(e, c.q)
		var name *NameError
		if !errors.As(err, &name) || name.What != c.what {
			t.Errorf("%+v: %v", c.q, err)
			continue
		}
		if !strings.Contains(strings.Join(name.Near, " "), c.near) || err.Error() == "" {
			t.Errorf("%+v: near it are %v, want %s", c.q, name.Near, c.near)
		}
	}
	d := secured()
	d.vnet("vnet-other", "10.9.0.0/16", map[string][2]string{"training": {"10.9.1.0/24", ""}})
	_, err := Trace(d.estate(t), Question{From: "training", To: "internet"})
	if err == nil || !strings.Contains(err.Error(), "vnet-aml/training, vnet-other/training") {
		t.Errorf("two subnets of one name: %v", err)
	}
}

// A trace says what the matrix says of every place and service, whatever is
// changed in the estate.
func TestTraceAgreesWithMatrix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := secured()
		for range rapid.IntRange(0, 4).Draw(t, "removed") {
			i := rapid.IntRange(0, len(d.docs)-1).Draw(t, "document")
			d.docs = slices.Delete(d.docs, i, i+1)
		}
		for range rapid.IntRange(0, 3).Draw(t, "changed") {
			d.change(t, rapid.SampledFrom([]any{"", "*", "10.0.0.0/8", "Enabled", true, false, arm.Object{}, arm.Unknown{Expression: "x"}}).Draw(t, "with"))
		}
		e, err := arm.NewEstate(d.docs...)
		if err != nil {
			t.Fatal(err)
		}
		cells := Matrix(e)
		if len(cells) == 0 {
			return
		}
		for range 4 {
			c := cells[rapid.IntRange(0, len(cells)-1).Draw(t, "cell")]
			tr, err := Trace(e, Question{From: c.From.Name, To: c.To.Host})
			var name *NameError
			if errors.As(err, &name) && len(name.Many) > 0 {
				continue
			}
			if err != nil {
				t.Fatalf("%s to %s: %v", c.From.Name, c.To.Host, err)
			}
			if tr.Outcome != c.Outcome() || tr.From.NIC == c.From.NIC && (tr.Value == verdict.Yes) != (c.Outcome() == MeetAllowed || c.Outcome() == MeetAdmitted) {
				t.Fatalf("%s to %s: traced %q (%s), the matrix says %q (%s)", c.From.Name, c.To.Host, tr.Outcome, tr.Reason, c.Outcome(), c.Decisive().Reason)
			}
		}
	})
}

// sampled are addresses from every region outside, and from the edges of them.
func sampled() []netip.Addr {
	var out []netip.Addr
	for _, s := range []string{"192.0.2.10", "8.8.8.8", "1.0.0.0", "223.255.255.255", "11.0.0.0", "10.77.0.1", "172.16.0.1", "192.168.7.7", "100.64.0.1", "2600::1", "fd00::1"} {
		out = append(out, netip.MustParseAddr(s))
	}
	for _, tag := range sharedTags {
		prefixes, _ := service.Tag(tag.name)
		out = append(out, prefixes[0].Addr(), prefixes[0].Addr().Next())
	}
	return out
}

// holdsFlow reports whether some way of a place, other than those that are not
// packets outside, has a flow.
func (x *Exfiltration) holdsFlow(e *arm.Estate, p Place, f network.Flow) verdict.Value {
	found := verdict.No
	for _, way := range x.Ways {
		switch way.Kind {
		case WayInternet, WayTag, WayNetwork, WayPrivateLink:
		default:
			continue
		}
		if !slices.ContainsFunc(way.From, func(d Door) bool { return slices.Contains(d.Places, p.Name) }) {
			continue
		}
		if way.holdsAddr(e, f.Destination) && way.Traffic.holds(f) {
			found = way.Value
			if found == verdict.Yes {
				return found
			}
		}
	}
	return found
}

func (way Way) holdsAddr(e *arm.Estate, a netip.Addr) bool {
	if len(way.Destinations) > 0 {
		return slices.ContainsFunc(way.Destinations, func(s string) bool {
			if p, err := netip.ParsePrefix(s); err == nil {
				return p.Contains(a)
			}
			if one, err := netip.ParseAddr(s); err == nil {
				return one == a
			}
			first, last, _ := strings.Cut(s, "-")
			return netip.MustParseAddr(first).Compare(a) <= 0 && a.Compare(netip.MustParseAddr(last)) <= 0 && netip.MustParseAddr(first).Is4() == a.Is4()
		})
	}
	w := newWorld(e)
	spaces := w.net.Spaces("")
	for _, r := range w.outside(spaces.Algebra()) {
		if r.name == way.To || slices.Contains(way.Tags, r.name) {
			if !r.set.And(spaces.Algebra().Where(space.Destination, oneAddr(a))).IsEmpty() {
				return true
			}
		}
	}
	return false
}

func (t Traffic) holds(f network.Flow) bool {
	in := func(list []network.PortRange) bool {
		return slices.ContainsFunc(list, func(r network.PortRange) bool { return r.First <= f.Port && f.Port <= r.Last })
	}
	switch f.Protocol {
	case network.TCP:
		return in(t.TCP)
	case network.UDP:
		return in(t.UDP)
	}
	return t.ICMP
}

// What --exfil says as sets is what the engine says of each packet.
func TestExfilAgreesWithPackets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := secured()
		for range rapid.IntRange(0, 5).Draw(t, "rules") {
			g := d.get(nsgID(rapid.SampledFrom([]string{"nsg-training", "nsg-jump", "nsg-agents"}).Draw(t, "group")))
			list := g.Properties["securityRules"].([]any)
			g.Properties["securityRules"] = append([]any{arm.Object{"name": "drawn", "properties": arm.Object{
				"priority": float64(rapid.IntRange(100, 4000).Draw(t, "priority")), "direction": "Outbound",
				"access":                   rapid.SampledFrom([]string{"Allow", "Deny"}).Draw(t, "access"),
				"protocol":                 rapid.SampledFrom([]string{"*", "Tcp", "Udp", "Icmp"}).Draw(t, "protocol"),
				"sourceAddressPrefix":      "*",
				"sourcePortRange":          "*",
				"destinationAddressPrefix": rapid.SampledFrom([]string{"*", "Internet", "Storage", "AzureCloud", "NoSuchTag", "8.8.0.0/16", "192.0.2.10", "10.0.0.0/8"}).Draw(t, "to"),
				"destinationPortRange":     rapid.SampledFrom([]string{"*", "443", "53", "1-1024"}).Draw(t, "port"),
			}}}, list...)
		}
		if rapid.Bool().Draw(t, "no way out") {
			delete(d.get(subnetID("vnet-aml", "training")).Properties, "natGateway")
		}
		e := d.estate2(t)
		x := Exfil(e)
		top := network.FromEstate(e)
		p := x.Places[rapid.IntRange(0, len(x.Places)-1).Draw(t, "place")]
		for range 6 {
			f := network.Flow{Source: p.Addr, SourcePort: 50000,
				Destination: rapid.SampledFrom(sampled()).Draw(t, "destination"),
				Protocol:    rapid.SampledFrom([]network.Protocol{network.TCP, network.UDP, network.ICMP}).Draw(t, "protocol")}
			if f.Protocol != network.ICMP {
				f.Port = rapid.SampledFrom([]uint16{22, 53, 443, 8443}).Draw(t, "port")
			}
			if want, got := top.Reach(f), x.holdsFlow(e, p, f); got != want.Value {
				t.Fatalf("%s %+v: the ways say %s, the engine %s (%s)", p.Name, f, got, want.Value, want.Decisive().Reason)
			}
		}
	})
}

func (d *draft) estate2(t *rapid.T) *arm.Estate {
	e, err := arm.NewEstate(d.docs...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestExfilNamesEachWay(t *testing.T) {
	public := func(d *draft) {
		d.get(storageID).Properties = arm.Object{"publicNetworkAccess": "Enabled"}
	}
	for _, c := range []struct {
		name   string
		change func(*draft)
		kind   WayKind
		to     string
		places string
		value  verdict.Value
	}{
		{"tags that compute needs", func(*draft) {}, WayTag, "service tag AzureMonitor", "cpu-cluster", verdict.Yes},
		{"agents have no rule at all", func(*draft) {}, WayInternet, "the internet at large", "vm-agent-0,vm-agent-1,vm-jump", verdict.Yes},
		{"names", func(*draft) {}, WayDNS, "any domain, asked of 168.63.129.16", "cpu-cluster", verdict.Yes},
		{"own DNS server", func(d *draft) {
			d.get(vnetID("vnet-bastion")).Properties["dhcpOptions"] = arm.Object{"dnsServers": []any{"8.8.8.8"}}
		}, WayDNS, "any domain, asked of 8.8.8.8", "vm-agent-0,vm-agent-1", verdict.Unknown},
		{"a storage account that is open", public, WayService, "blob/stmlops", "vm-agent-0,vm-agent-1,vm-jump,cpu-cluster", verdict.Yes},
		{"a session", func(*draft) {}, WayBastion, "the computer of whoever has a session by bas-mlops", "vm-jump", verdict.Yes},
		{"an endpoint of someone else's service", func(d *draft) {
			d.add(peID("pe-theirs"), arm.Object{"subnet": ref(subnetID("vnet-aml", "endpoints")), "privateLinkServiceConnections": []any{arm.Object{"name": "x", "properties": arm.Object{
				"privateLinkServiceId": "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/x/providers/Microsoft.Storage/storageAccounts/theirs", "groupIds": []any{"blob"}}}}})
		}, WayPrivateLink, "private endpoint pe-theirs of theirs", "cpu-cluster", verdict.Yes},
		{"a network of others", func(d *draft) {
			id := vnetID("vnet-bastion").Child("virtualNetworkPeerings", "out")
			d.add(id, arm.Object{"remoteVirtualNetwork": ref(vnetID("vnet-theirs")), "allowVirtualNetworkAccess": true, "peeringState": "Connected",
				"remoteAddressSpace": arm.Object{"addressPrefixes": []any{"10.50.0.0/16"}}})
		}, WayNetwork, "virtual network vnet-theirs", "vm-agent-0,vm-agent-1,vm-jump", verdict.Unknown},
		{"compute elsewhere", func(d *draft) { delete(d.get(clusterID).Properties["properties"].(arm.Object), "subnet") }, WayUndescribed, "anywhere", "cpu-cluster", verdict.Unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := secured()
			c.change(d)
			var seen []string
			for _, way := range Exfil(d.estate(t)).Ways {
				var places []string
				for _, door := range way.From {
					places = append(places, door.Places...)
				}
				from := strings.Join(places, ",")
				if way.Kind == c.kind && way.To == c.to && way.Value == c.value && strings.Contains(from, c.places) {
					return
				}
				seen = append(seen, way.To+" from "+from+": "+way.Value.String())
			}
			t.Errorf("%s from %s is not among\n%s", c.to, c.places, strings.Join(seen, "\n"))
		})
	}
}
