package privatedns

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// The spoke asks the hub's firewall, and the zones are linked to the hub alone.
func hubAndSpoke(spokeServers ...any) []arm.Resource {
	hub, spoke := vnetID("hub"), vnetID("spoke")
	docs := []arm.Resource{
		doc(hub, nil), doc(spoke, arm.Object{"dhcpOptions": arm.Object{"dnsServers": spokeServers}}),
		doc(hub.Child("virtualNetworkPeerings", "s"), arm.Object{"remoteVirtualNetwork": ref(spoke)}),
		doc(account, nil), endpoint(peBlob, account, "blob", "Approved"), zoneGroup(peBlob, zBlob), doc(zBlob, nil), linkDoc(zBlob, hub),
		doc(id(typeFirewall, "fw"), arm.Object{
			"additionalProperties": arm.Object{"Network.DNS.EnableProxy": "true"},
			"ipConfigurations":     []any{arm.Object{"properties": arm.Object{"privateIPAddress": "10.0.0.4", "subnet": ref(hub.Child("subnets", "f"))}}},
		}),
	}
	in := doc(id(typeResolver, "r").Child("inboundEndpoints", "in"), arm.Object{"ipConfigurations": []any{arm.Object{"privateIpAllocationMethod": "Dynamic"}}})
	in.Source = arm.Source{File: "dns/main.tf", Address: "module.dns.azurerm_private_dns_resolver_inbound_endpoint.in"}
	return append(docs, doc(id(typeResolver, "r"), arm.Object{"virtualNetwork": ref(hub)}), in)
}

func TestServers(t *testing.T) {
	dynamic := arm.Unknown{Expression: "azurerm_private_dns_resolver_inbound_endpoint.in.ip_configurations.private_ip_address", File: "dns/outputs.tf"}
	for _, c := range []struct {
		name    string
		servers []any
		value   verdict.Value
		reason  string
	}{
		{"the firewall's proxy asks the hub's zones", []any{"10.0.0.4"}, verdict.Yes, ""},
		{"an inbound endpoint whose address Azure chooses", []any{dynamic}, verdict.Yes, ""},
		{"both", []any{"10.0.0.4", dynamic}, verdict.Yes, ""},
		{"the firewall and on-premises", []any{"10.0.0.4", "192.168.1.1"}, verdict.Unknown, "do not all give the same answer"},
		{"on-premises first", []any{"192.168.1.1", "10.0.0.4"}, verdict.Unknown, "outside the estate"},
		{"a public resolver", []any{"1.1.1.1"}, verdict.Yes, "the public address"},
		{"no address at all", []any{"dns.corp"}, verdict.No, "not the address"},
		{"not known", []any{arm.Unknown{Expression: "var.dns"}}, verdict.Unknown, "var.dns"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := records(t, hubAndSpoke(c.servers...)...).Resolve(vnetID("spoke"), blobHost)
			last := a.Verdict.Steps[len(a.Verdict.Steps)-1].Reason
			if a.Verdict.Value != c.value || !strings.Contains(last, c.reason) || a.Private() != (c.value == verdict.Yes && c.reason == "") {
				t.Errorf("%s %v: %+v", a.Verdict.Value, a.Addrs, a.Verdict.Steps)
			}
		})
	}
}

func TestInterfaceServersWin(t *testing.T) {
	nic := id(service.TypeNetworkInterface, "nic")
	docs := append(hubAndSpoke(), doc(nic, arm.Object{
		"dnsSettings":      arm.Object{"dnsServers": []any{"10.0.0.4"}},
		"ipConfigurations": []any{arm.Object{"properties": arm.Object{"subnet": ref(vnetID("spoke").Child("subnets", "s"))}}},
	}))
	r := records(t, docs...)
	if a := r.Resolve(vnetID("spoke"), blobHost); a.Private() {
		t.Errorf("the network's own: %+v", a)
	}
	if a := r.ResolveNIC(nic, blobHost); !a.Private() {
		t.Errorf("the interface's: %+v", a)
	}
}

func TestOnPremisesAsksAnInboundEndpoint(t *testing.T) {
	docs := hubAndSpoke()
	docs = append(docs, doc(id(typeResolver, "r").Child("inboundEndpoints", "static"), arm.Object{"ipConfigurations": []any{arm.Object{"privateIpAddress": "10.0.9.4"}}}))
	r := records(t, docs...)
	if a := r.ResolveAt(netip.MustParseAddr("10.0.9.4"), blobHost); !a.Private() {
		t.Errorf("%+v", a)
	}
	if a := r.ResolveAt(netip.MustParseAddr("10.0.9.5"), blobHost); a.Verdict.Value != verdict.Unknown {
		t.Errorf("%+v", a)
	}
}

func TestMachineNames(t *testing.T) {
	corp := id(service.TypePrivateDNSZone, "corp.example")
	l := linkDoc(corp, vnetID("one"))
	l.Properties["registrationEnabled"] = true
	docs := append(vmDocs("one"), doc(vnetID("one"), nil), doc(vnetID("two"), nil), doc(corp, nil), l)
	e, err := arm.NewEstate(docs...)
	if err != nil {
		t.Fatal(err)
	}
	r := FromEstate(e, nil)
	a := r.Resolve(vnetID("one"), ReverseName(netip.MustParseAddr(vmAddr("one"))))
	if !slices.Equal(a.Names, []string{"vm.corp.example", "vm.internal.cloudapp.net"}) || a.Verdict.Value != verdict.Yes {
		t.Errorf("reverse: %+v", a)
	}
	if a := r.Resolve(vnetID("two"), ReverseName(netip.MustParseAddr(vmAddr("one")))); a.Code != NXDomain {
		t.Errorf("reverse from another network: %+v", a)
	}
	if a := r.Resolve(vnetID("one"), "vm.internal.cloudapp.net"); len(a.Addrs) != 1 {
		t.Errorf("internal name: %+v", a)
	}
	if a := r.Resolve(vnetID("one"), "vm.k1x.ax.internal.cloudapp.net"); a.Verdict.Value != verdict.Unknown {
		t.Errorf("the network's suffix is not known: %+v", a)
	}
}

func TestReverseNamesGoRound(t *testing.T) {
	for _, s := range []string{"10.1.2.3", "2001:db8::1", "fe80::ffff:1"} {
		a := netip.MustParseAddr(s)
		if back, ok := reverseAddr(ReverseName(a)); !ok || back != a {
			t.Errorf("%s: %s, %v", a, ReverseName(a), back)
		}
	}
}

func TestAAAAAndNames(t *testing.T) {
	corp := id(service.TypePrivateDNSZone, "corp.example")
	v6 := doc(corp.Child("AAAA", "db"), arm.Object{"aaaaRecords": []any{arm.Object{"ipv6Address": "2001:db8::7"}}})
	r := records(t, base(doc(corp, nil), linkDoc(corp, aml), aRecord(corp, "db", "10.9.0.1"), v6, aRecord(corp, "xn--bcher-kva", "10.9.0.2"))...)
	if a := r.Resolve(aml, "db.corp.example"); fmt.Sprint(a.Addrs) != "[10.9.0.1 2001:db8::7]" {
		t.Errorf("%+v", a)
	}
	if a := r.Resolve(aml, "Bücher.corp.example"); fmt.Sprint(a.Addrs) != "[10.9.0.2]" {
		t.Errorf("%+v", a)
	}
}

// The last writer wins, and nobody knows who that is.
func TestTwoEndpointsWriteOneRecord(t *testing.T) {
	second := id(service.TypePrivateEndpoint, "pe-blob-test")
	e, err := arm.NewEstate(base(endpoint(second, account, "blob", "Approved"), zoneGroup(second, zBlob))...)
	if err != nil {
		t.Fatal(err)
	}
	r := FromEstate(e, func(pe arm.ID, _ string) netip.Addr {
		if pe.Equal(second) {
			return netip.MustParseAddr("10.2.0.99")
		}
		return netip.MustParseAddr(peAddr)
	})
	if a := r.Resolve(aml, blobHost); a.Verdict.Value != verdict.Unknown || !strings.Contains(a.Verdict.Decisive().Reason, "written last") {
		t.Errorf("%+v", a)
	}
}

func TestZoneOutsideTheEstate(t *testing.T) {
	docs := without(without(base(), zBlob), zBlob.Child("virtualNetworkLinks", "to-aml"))
	if a := records(t, docs...).Resolve(aml, blobHost); a.Verdict.Value != verdict.Unknown || !strings.Contains(a.Verdict.Decisive().Reason, "whether it is linked") {
		t.Errorf("%+v", a)
	}
}

func TestProblems(t *testing.T) {
	corp, other := id(service.TypePrivateDNSZone, "corp.example"), id(service.TypePrivateDNSZone, "other.example")
	registering := func(z arm.ID) arm.Resource {
		l := linkDoc(z, aml)
		l.Properties["registrationEnabled"] = true
		return l
	}
	many := make([]string, 21)
	for i := range many {
		many[i] = fmt.Sprintf("10.8.0.%d", i)
	}
	r := records(t, doc(aml, nil), doc(corp, nil), doc(other, nil), registering(corp), registering(other), aRecord(corp, "many", many...),
		doc(corp.Child("CNAME", "@"), arm.Object{"cnameRecord": arm.Object{"cname": "x.example"}}), doc(id(service.TypePrivateDNSZone, "local"), nil))
	all := fmt.Sprint(r.Problems)
	for _, want := range []string{"for registration already", "21 records", "the name of the zone itself", "has 1 labels"} {
		if !strings.Contains(all, want) {
			t.Errorf("no problem says %q: %s", want, all)
		}
	}
}

// BenchmarkResolve asks in an estate of 10,000 documents.
func BenchmarkResolve(b *testing.B) {
	e := largeEstate(b)
	r := FromEstate(e, func(arm.ID, string) netip.Addr { return netip.MustParseAddr(peAddr) })
	b.ReportAllocs()
	for b.Loop() {
		if a := r.Resolve(vnetID("n7"), "st7.blob.core.windows.net"); !a.Private() {
			b.Fatalf("%+v", a)
		}
	}
}

func BenchmarkFromEstate(b *testing.B) {
	e := largeEstate(b)
	for b.Loop() {
		FromEstate(e, func(arm.ID, string) netip.Addr { return netip.MustParseAddr(peAddr) })
	}
}

func largeEstate(tb testing.TB) *arm.Estate {
	docs := []arm.Resource{doc(zBlob, nil)}
	for i := range 500 {
		docs = append(docs, doc(vnetID(fmt.Sprint("n", i)), nil))
		l := linkDoc(zBlob, vnetID(fmt.Sprint("n", i)))
		l.ID = zBlob.Child("virtualNetworkLinks", fmt.Sprint("l", i))
		docs = append(docs, l)
	}
	for i := range 3000 {
		pe, st := id(service.TypePrivateEndpoint, fmt.Sprint("pe", i)), id(service.TypeStorageAccount, fmt.Sprint("st", i))
		docs = append(docs, doc(st, nil), endpoint(pe, st, "blob", "Approved"), zoneGroup(pe, zBlob))
	}
	e, err := arm.NewEstate(docs...)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}
