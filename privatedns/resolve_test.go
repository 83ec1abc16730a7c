package privatedns

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
	"pgregory.net/rapid"
)

const (
	sub   = "11111111-1111-1111-1111-111111111111"
	group = "rg"
)

func id(typ, name string) arm.ID { return arm.ResourceID(sub, group, typ, name) }

var (
	aml     = id(service.TypeVirtualNetwork, "aml")
	bastion = id(service.TypeVirtualNetwork, "bastion")
	account = id(service.TypeStorageAccount, "stmlops")
	peBlob  = id(service.TypePrivateEndpoint, "pe-blob")
	zBlob   = id(service.TypePrivateDNSZone, "privatelink.blob.core.windows.net")
)

const (
	blobHost    = "stmlops.blob.core.windows.net"
	blobPrivate = "stmlops.privatelink.blob.core.windows.net"
	peAddr      = "10.1.1.4"
)

func doc(i arm.ID, p arm.Object) arm.Resource {
	return arm.Resource{ID: i, Name: i.Name(), Type: i.Type(), Location: "westeurope", Properties: p}
}

func ref(i arm.ID) arm.Object { return arm.Object{"id": string(i)} }

func linkDoc(zone arm.ID, vnet arm.ID, extra ...string) arm.Resource {
	p := arm.Object{"virtualNetwork": ref(vnet)}
	for i := 0; i+1 < len(extra); i += 2 {
		p[extra[i]] = extra[i+1]
	}
	return doc(zone.Child("virtualNetworkLinks", "to-"+vnet.Name()), p)
}

func endpoint(i, target arm.ID, group, status string) arm.Resource {
	return doc(i, arm.Object{"privateLinkServiceConnections": []any{arm.Object{"properties": arm.Object{
		"privateLinkServiceId": string(target), "groupIds": []any{group},
		"privateLinkServiceConnectionState": arm.Object{"status": status},
	}}}})
}

func zoneGroup(pe arm.ID, zones ...arm.ID) arm.Resource {
	var configs []any
	for _, z := range zones {
		configs = append(configs, arm.Object{"properties": arm.Object{"privateDnsZoneId": string(z)}})
	}
	return doc(pe.Child("privateDnsZoneGroups", "default"), arm.Object{"privateDnsZoneConfigs": configs})
}

func aRecord(zone arm.ID, name string, addrs ...string) arm.Resource {
	var list []any
	for _, a := range addrs {
		list = append(list, arm.Object{"ipv4Address": a})
	}
	return doc(zone.Child("A", name), arm.Object{"aRecords": list})
}

func records(t testing.TB, docs ...arm.Resource) *Records {
	t.Helper()
	e, err := arm.NewEstate(docs...)
	if err != nil {
		t.Fatal(err)
	}
	return FromEstate(e, func(endpoint arm.ID, member string) netip.Addr { return netip.MustParseAddr(peAddr) })
}

// base is a storage account with a private endpoint, its zone linked to aml.
func base(extra ...arm.Resource) []arm.Resource {
	return append([]arm.Resource{
		doc(aml, nil), doc(bastion, nil), doc(account, nil),
		endpoint(peBlob, account, "blob", "Approved"), zoneGroup(peBlob, zBlob), doc(zBlob, nil), linkDoc(zBlob, aml),
	}, extra...)
}

func without(docs []arm.Resource, i arm.ID) []arm.Resource {
	return slices.DeleteFunc(docs, func(r arm.Resource) bool { return r.ID.Equal(i) })
}

func TestResolve(t *testing.T) {
	public := service.PublicAddr(service.Endpoints(doc(account, nil))[0]).String()
	child := id(service.TypePrivateDNSZone, "stmlops.privatelink.blob.core.windows.net")
	corp := id(service.TypePrivateDNSZone, "corp.example")
	for _, c := range []struct {
		name   string
		docs   []arm.Resource
		vnet   arm.ID
		ask    string
		code   string
		addr   string
		zone   arm.ID
		value  verdict.Value
		reason string // of the last step
		cnames int
	}{
		{"linked: the endpoint's address", base(), aml, blobHost, NoError, peAddr, zBlob, verdict.Yes, "zone group of private endpoint pe-blob", 1},
		{"case and trailing dot do not matter", base(), aml, "STMLOPS.Blob.core.windows.net.", NoError, peAddr, zBlob, verdict.Yes, "", 1},
		{"the private name itself", base(), aml, blobPrivate, NoError, peAddr, zBlob, verdict.Yes, "", 0},
		{"peering shares no link: public", base(), bastion, blobHost, NoError, public, "", verdict.Yes, "the public address of stmlops", 1},
		{"from the internet: public", base(), "", blobHost, NoError, public, "", verdict.Yes, "the public address of stmlops", 1},
		{"no endpoint: no CNAME", []arm.Resource{doc(aml, nil), doc(account, nil), doc(zBlob, nil), linkDoc(zBlob, aml)}, aml, blobHost, NoError, public, "", verdict.Yes, "", 0},
		{"endpoint not approved: no CNAME, no record", append(without(base(), peBlob), endpoint(peBlob, account, "blob", "Pending")), aml, blobHost, NoError, public, "", verdict.Yes, "", 0},
		{"linked but no record: no such name", without(base(), peBlob.Child("privateDnsZoneGroups", "default")), aml, blobHost, NXDomain, "", zBlob, verdict.No, "a linked zone is not asked again in public", 1},
		{
			"linked, no record, fallback to the internet",
			append(without(without(base(), peBlob.Child("privateDnsZoneGroups", "default")), zBlob.Child("virtualNetworkLinks", "to-aml")), linkDoc(zBlob, aml, "resolutionPolicy", "NxDomainRedirect")),
			aml, blobHost, NoError, public, "", verdict.Yes, "", 1,
		},
		{"a longer linked zone shadows", base(doc(child, nil), linkDoc(child, aml)), aml, blobHost, NoError, "", child, verdict.No, "has no address", 1},
		{"a longer zone that is not linked does not", base(doc(child, nil)), aml, blobHost, NoError, peAddr, zBlob, verdict.Yes, "", 1},
		{"a service without endpoint in a network with the zone", base(doc(id(service.TypeStorageAccount, "other"), nil)), aml, "other.blob.core.windows.net", NoError, "", "", verdict.Yes, "the public address of other", 0},
		{"written by hand", base(doc(corp, nil), linkDoc(corp, aml), aRecord(corp, "db", "10.9.0.2", "10.9.0.1")), aml, "db.corp.example", NoError, "10.9.0.1", corp, verdict.Yes, "A record set db", 0},
		{"the zone itself", base(doc(corp, nil), linkDoc(corp, aml), aRecord(corp, "@", "10.9.0.9")), aml, "corp.example", NoError, "10.9.0.9", corp, verdict.Yes, "", 0},
		{"a wildcard", base(doc(corp, nil), linkDoc(corp, aml), aRecord(corp, "*.apps", "10.9.0.3")), aml, "x.y.apps.corp.example", NoError, "10.9.0.3", corp, verdict.Yes, "*.apps.corp.example", 0},
		{"a wildcard does not cover what exists", base(doc(corp, nil), linkDoc(corp, aml), aRecord(corp, "*", "10.9.0.3"), aRecord(corp, "a.b", "10.9.0.4")), aml, "b.corp.example", NoError, "", corp, verdict.No, "exists in the zone but has no address", 0},
		{"nor what lies below it", base(doc(corp, nil), linkDoc(corp, aml), aRecord(corp, "*", "10.9.0.3"), aRecord(corp, "b", "10.9.0.4")), aml, "c.b.corp.example", NXDomain, "", corp, verdict.No, "", 0},
		{"a CNAME in a private zone", base(doc(corp, nil), linkDoc(corp, aml), doc(corp.Child("CNAME", "data"), arm.Object{"cnameRecord": arm.Object{"cname": blobHost + "."}})), aml, "data.corp.example", NoError, peAddr, zBlob, verdict.Yes, "", 2},
		{"a loop", base(doc(corp, nil), linkDoc(corp, aml), doc(corp.Child("CNAME", "a"), arm.Object{"cnameRecord": arm.Object{"cname": "b.corp.example"}}), doc(corp.Child("CNAME", "b"), arm.Object{"cnameRecord": arm.Object{"cname": "a.corp.example"}})), aml, "a.corp.example", ServFail, "", "", verdict.No, "loop", 1},
		{"other types only", base(doc(corp, nil), linkDoc(corp, aml), doc(corp.Child("TXT", "note"), nil)), aml, "note.corp.example", NoError, "", corp, verdict.No, "", 0},
		{"a name of nobody", base(), aml, "pypi.org", NXDomain, "", "", verdict.No, "not a name that this cloud serves", 0},
		{"a platform host", base(), aml, service.HostARM, NoError, "", "", verdict.Yes, "", 0},
		{"own DNS servers", append(without(base(), aml), doc(aml, arm.Object{"dhcpOptions": arm.Object{"dnsServers": []any{"10.1.9.4"}}})), aml, blobHost, "", "", "", verdict.Unknown, "on-premises or elsewhere outside the estate", 0},
		{"Azure's server named as own", append(without(base(), aml), doc(aml, arm.Object{"dhcpOptions": arm.Object{"dnsServers": []any{"168.63.129.16"}}})), aml, blobHost, NoError, peAddr, zBlob, verdict.Yes, "", 1},
		{"a network outside the estate", base(), id(service.TypeVirtualNetwork, "hub"), blobHost, "", "", "", verdict.Unknown, "not in the estate", 0},
		{"a link to a network that is not known", append(without(base(), zBlob.Child("virtualNetworkLinks", "to-aml")), doc(zBlob.Child("virtualNetworkLinks", "to-x"), arm.Object{"virtualNetwork": arm.Object{"id": arm.Unknown{Expression: "data.x.id"}}})), aml, blobHost, "", "", "", verdict.Unknown, "data.x.id", 1},
		{"a record whose address is not known", base(doc(corp, nil), linkDoc(corp, aml), doc(corp.Child("A", "db"), arm.Object{"aRecords": []any{arm.Object{"ipv4Address": arm.Unknown{Expression: "x.ip"}}}})), aml, "db.corp.example", "", "", "", verdict.Unknown, "x.ip", 0},
		{"a target that is not known may write the record", append(without(base(), peBlob), doc(peBlob, arm.Object{"privateLinkServiceConnections": []any{arm.Object{"properties": arm.Object{"privateLinkServiceId": arm.Unknown{Expression: "var.target"}, "groupIds": []any{"blob"}}}}})), aml, blobPrivate, "", "", "", verdict.Unknown, "var.target", 0},
		{"and leaves open whether there is a CNAME", append(without(base(), peBlob), doc(peBlob, arm.Object{"privateLinkServiceConnections": []any{arm.Object{"properties": arm.Object{"privateLinkServiceId": arm.Unknown{Expression: "var.target"}, "groupIds": []any{"blob"}}}}})), aml, blobHost, "", "", "", verdict.Unknown, "var.target", 0},
		{"whether it is approved is not known", append(without(base(), peBlob), doc(peBlob, arm.Object{"privateLinkServiceConnections": []any{arm.Object{"properties": arm.Object{"privateLinkServiceId": string(account), "groupIds": []any{"blob"}, "privateLinkServiceConnectionState": arm.Object{"status": arm.Unknown{Expression: "x.status"}}}}}})), aml, blobHost, "", "", "", verdict.Unknown, "x.status", 0},
		{"an empty label", base(), aml, "a..b", ServFail, "", "", verdict.No, "label", 0},
		{"too long", base(), aml, strings.Repeat("a.", 200), ServFail, "", "", verdict.No, "253", 0},
		{"empty", base(), aml, "", ServFail, "", "", verdict.No, "empty", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := records(t, c.docs...).Resolve(c.vnet, c.ask)
			if a.Code != c.code || a.Zone != c.zone || a.Verdict.Value != c.value || len(a.CNAMEs) != c.cnames {
				t.Errorf("got code %q, zone %q, %s, chain %v", a.Code, a.Zone, a.Verdict.Value, a.CNAMEs)
			}
			if c.addr != "" && (len(a.Addrs) == 0 || a.Addrs[0].String() != c.addr) {
				t.Errorf("addresses %v, want %s", a.Addrs, c.addr)
			}
			if steps := a.Verdict.Steps; len(steps) == 0 || !strings.Contains(steps[len(steps)-1].Reason, c.reason) {
				t.Errorf("the last of %+v lacks %q", steps, c.reason)
			}
		})
	}
}

func TestWorkspaceNames(t *testing.T) {
	ws := id(service.TypeWorkspace, "mlw")
	pe := id(service.TypePrivateEndpoint, "pe-ws")
	api, notebooks := id(service.TypePrivateDNSZone, "privatelink.api.azureml.ms"), id(service.TypePrivateDNSZone, "privatelink.notebooks.azure.net")
	online := doc(ws.Child("onlineEndpoints", "score"), nil)
	docs := []arm.Resource{
		doc(aml, nil), doc(ws, nil), online, endpoint(pe, ws, "amlworkspace", "Approved"), zoneGroup(pe, api),
		doc(api, nil), linkDoc(api, aml), doc(notebooks, nil), linkDoc(notebooks, aml),
	}
	r := records(t, docs...)
	for _, ep := range append(service.Endpoints(docs[1]), service.Endpoints(online)...) {
		if ep.Host == "" {
			continue
		}
		a := r.Resolve(aml, ep.Host)
		want := NoError
		if ep.Service == "notebooks" { // its zone is linked, and the zone group does not name it
			want = NXDomain
		}
		if a.Code != want || a.Private() != (want == NoError) {
			t.Errorf("%s: %s %v from %s: %+v", ep.Host, a.Code, a.Addrs, a.Zone, a.Verdict.Steps)
		}
	}
}

func TestRegistration(t *testing.T) {
	corp := id(service.TypePrivateDNSZone, "corp.example")
	nic := id(service.TypeNetworkInterface, "nic")
	l := linkDoc(corp, aml)
	l.Properties["registrationEnabled"] = true
	r := records(t, doc(aml, nil), doc(corp, nil), l,
		doc(nic, arm.Object{"ipConfigurations": []any{arm.Object{"properties": arm.Object{"subnet": ref(aml.Child("subnets", "s"))}}}}),
		doc(id(typeVM, "VM-Jump"), arm.Object{"networkProfile": arm.Object{"networkInterfaces": []any{ref(nic)}}}))
	if a := r.Resolve(aml, "vm-jump.corp.example"); !a.Private() {
		t.Errorf("the machine is not registered: %+v", a)
	}
}

func TestTwinZonesAreAProblem(t *testing.T) {
	twin := arm.ResourceID(sub, "other", service.TypePrivateDNSZone, "privatelink.blob.core.windows.net")
	r := records(t, base(doc(twin, nil), linkDoc(twin, aml))...)
	if len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Message, "two zones named privatelink.blob.core.windows.net") {
		t.Errorf("problems: %+v", r.Problems)
	}
}

// Every answer keeps these, whatever is asked.
func checkAnswer(t interface{ Errorf(string, ...any) }, a Answer) {
	switch {
	case a.Verdict.Value == verdict.Yes && (a.Code != NoError || len(a.Addrs) == 0):
		t.Errorf("%q resolves without an address: %+v", a.Name, a)
	case a.Verdict.Value != verdict.Yes && len(a.Addrs) > 0:
		t.Errorf("%q has addresses and does not resolve: %+v", a.Name, a)
	case a.Code == "" && a.Verdict.Value != verdict.Unknown:
		t.Errorf("%q has no code: %+v", a.Name, a)
	case len(a.CNAMEs) > maxChain || len(a.Verdict.Steps) == 0:
		t.Errorf("%q: %+v", a.Name, a)
	}
}

func TestAnyName(t *testing.T) {
	corp := id(service.TypePrivateDNSZone, "corp.example")
	r := records(t, base(doc(corp, nil), linkDoc(corp, aml), aRecord(corp, "*", "10.9.0.3"))...)
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.OneOf(rapid.String(), rapid.StringMatching(`([a-z*_-]{0,6}\.){0,6}(corp\.example|blob\.core\.windows\.net|privatelink\.blob\.core\.windows\.net)\.?`)).Draw(t, "name")
		vnet := rapid.SampledFrom([]arm.ID{aml, bastion, "", "nonsense"}).Draw(t, "vnet")
		a := r.Resolve(vnet, name)
		checkAnswer(t, a)
		if b := r.Resolve(vnet, strings.ToUpper(name)); name == strings.ToLower(strings.ToUpper(name)) && b.Code != a.Code {
			t.Errorf("case matters: %+v and %+v", a, b)
		}
	})
}

func FuzzResolve(f *testing.F) {
	corp := id(service.TypePrivateDNSZone, "corp.example")
	r := records(f, base(doc(corp, nil), linkDoc(corp, aml), aRecord(corp, "*", "10.9.0.3"))...)
	for _, s := range []string{blobHost, blobPrivate, "x.corp.example", "*.corp.example.", "", ".", "..", "\x00", "é.corp.example", strings.Repeat("a", 300)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		checkAnswer(t, r.Resolve(aml, name))
		checkAnswer(t, r.Resolve("", name))
	})
}
