package network_test

import (
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
)

const (
	toDNS      = "10.1.0.4 -> 168.63.129.16 udp 53"
	toMetadata = "10.1.0.4 -> 169.254.169.254 tcp 80"
)

func TestPlatformAddressesSkipGroups(t *testing.T) {
	deny := nt.NSG("nsg", nt.Rule("deny", "100 Outbound Deny * *:* -> *:*"))
	ask(t, topology(t, twoSubnets(onSubnet("nsg"), nil, deny)...),
		question{toDNS, "yes", "security groups do not apply"},
		question{toMetadata, "yes", "security groups do not apply"},
	)
	named := nt.NSG("nsg", nt.Rule("no-imds", "100 Outbound Deny * *:* -> azureplatformimds+*:*"))
	ask(t, topology(t, twoSubnets(onSubnet("nsg"), nil, named)...),
		question{toDNS, "yes", "security groups do not apply"},
		question{toMetadata, "no", "rule no-imds"},
	)
}

func TestPlatformAnswersItsOwnPortsOnly(t *testing.T) {
	top := topology(t, twoSubnets(nil, nil)...)
	for _, open := range []string{toDNS, toMetadata, "10.1.0.4 -> 168.63.129.16 tcp 53", "10.1.0.4 -> 168.63.129.16 tcp 80"} {
		ask(t, top, question{open, "yes", ""})
	}
	const wire, metadata = "168.63.129.16 answers UDP 53, TCP 53, TCP 80 only", "169.254.169.254 answers TCP 80 only"
	ask(t, top,
		question{"10.1.0.4 -> 168.63.129.16 tcp 443", "no", wire},
		question{"10.1.0.4 -> 168.63.129.16 udp 80", "no", wire},
		question{"10.1.0.4 -> 168.63.129.16 icmp", "no", wire},
		question{"10.1.0.4 -> 169.254.169.254 tcp 443", "no", metadata},
		question{"10.1.0.4 -> 169.254.169.254 udp 80", "no", "UDP 80 is not answered there: " + metadata},
		question{"10.1.0.4 -> 169.254.169.254 tcp 53", "no", metadata},
	)
}

// The groups of the NIC and of the subnet must both allow what their rules name.
func TestBothGroupsDecideAboutThePlatform(t *testing.T) {
	allow, deny := nt.Rule("imds", "100 Outbound Allow * *:* -> AzurePlatformIMDS:*"), nt.Rule("no-imds", "100 Outbound Deny * *:* -> AzurePlatformIMDS:*")
	elsewhere := nt.Rule("no-dns", "100 Outbound Deny * *:* -> AzurePlatformDNS:*")
	for _, c := range []struct {
		name        string
		nic, subnet arm.Object
		question
	}{
		{"both allow", allow, allow, question{toMetadata, "yes", "rule imds"}},
		{"the NIC's denies", deny, allow, question{toMetadata, "no", "NSG own (NIC nic-web, outbound): rule no-imds"}},
		{"the subnet's denies", allow, deny, question{toMetadata, "no", "NSG nsg (subnet web, outbound): rule no-imds"}},
		{"the subnet's is about DNS", allow, elsewhere, question{toMetadata, "yes", "rule imds"}},
		{"and decides there", allow, elsewhere, question{toDNS, "no", "rule no-dns"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			top := topology(t, nt.VNet("a", "10.1.0.0/16"), nt.Subnet("a", "web", "10.1.0.0/24", nt.UseNSG("nsg")),
				nt.VM("web", "a", "web", "10.1.0.4", nt.UseNSG("own")), nt.NSG("own", c.nic), nt.NSG("nsg", c.subnet))
			ask(t, top, c.question)
		})
	}
}

func TestUncertainRulesAboutThePlatform(t *testing.T) {
	unknown := func(access string) arm.Object {
		r := nt.Rule("some", "100 Outbound "+access+" * *:* -> 10.9.0.0/16:*")
		r["properties"].(arm.Object)["destinationAddressPrefixes"] = arm.Unknown{Expression: "var.tag"}
		return r
	}
	for _, c := range []struct {
		name string
		rule arm.Object
		question
	}{
		{"may deny", unknown("Deny"), question{toDNS, "unknown", "(var.tag); otherwise default rule the platform is exempt"}},
		{"may allow what passes anyway", unknown("Allow"), question{toDNS, "yes", ""}},
		{"denies some source ports", nt.Rule("some", "100 Outbound Deny * *:60000-65535 -> AzurePlatformDNS:*"), question{toDNS, "unknown", "the client chooses its own"}},
		{"allows some source ports", nt.Rule("some", "100 Outbound Allow * *:60000-65535 -> AzurePlatformDNS:*"), question{toDNS, "yes", ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ask(t, topology(t, twoSubnets(onSubnet("nsg"), nil, nt.NSG("nsg", c.rule))...), c.question)
		})
	}
}

// A rule that names an address of the platform beside others is, for the
// platform, about that address alone.
func TestPlatformRulesAreForTheirAddress(t *testing.T) {
	top := topology(t, twoSubnets(onSubnet("nsg"), nil, nt.NSG("nsg",
		nt.Rule("both", "100 Outbound Deny * *:* -> AzurePlatformDNS+AzureUnlisted+10.0.0.0/8:*"),
		nt.Rule("other", "200 Outbound Deny * *:* -> 169.254.169.254:*")))...)
	filter := top.Filters(nt.NICID("nic-web"), network.Outbound)[0]
	for _, s := range network.PlatformServices() {
		var got []string
		for _, m := range filter.Platform(s.Addr) {
			got = append(got, m.Rule.Name)
			if len(m.Destinations) != 1 || m.Destinations[0].Addr() != s.Addr || len(m.Unresolved)+len(m.Doubts) > 0 {
				t.Errorf("%s is for %v, not certain for %v", m.Rule.Name, m.Destinations, m.Unresolved)
			}
		}
		if want := s.Addr.String() == "168.63.129.16"; (len(got) == 1 && got[0] == "both") != want {
			t.Errorf("for %s: %v", s.Addr, got)
		}
	}
}
