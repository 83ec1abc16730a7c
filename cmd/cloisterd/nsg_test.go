package main

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/daemon"
)

func TestWriteGroups(t *testing.T) {
	counts := []daemon.GroupCount{
		{Group: "nsg-a", Network: "hub", Direction: "Inbound", Rule: "ssh", Access: "Allow", Packets: 3, Bytes: 180},
		{Group: "nsg-a", Network: "hub", Direction: "Inbound", Rule: "rest", Access: "Deny"},
	}
	const head = "NSG    NETWORK  DIRECTION  RULE  ACCESS  PACKETS  BYTES\nnsg-a  hub      Inbound    ssh   Allow   3        180\n"
	for all, want := range map[bool]string{
		false: head + "1 rules have met nothing yet: --all shows them\n",
		true:  head + "nsg-a  hub      Inbound    rest  Deny    0        0\n",
	} {
		var b strings.Builder
		if err := writeGroups(&b, counts, all); err != nil || b.String() != want {
			t.Errorf("all %v: %v\n%s\nwant\n%s", all, err, b.String(), want)
		}
	}
}

func TestWriteFlow(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	group := arm.ID("/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/networkSecurityGroups/nsg-a")
	for _, c := range []struct {
		flow daemon.Flow
		want string
	}{
		{daemon.Flow{Time: at, Group: group, Direction: "Inbound", Rule: "ssh", Access: "Allow", Protocol: "Tcp",
			Source: netip.MustParseAddrPort("10.0.0.4:40000"), Destination: netip.MustParseAddrPort("10.0.0.5:22")},
			"03:04:05 Allow Tcp  10.0.0.4:40000 > 10.0.0.5:22  Inbound nsg-a ssh\n"},
		{daemon.Flow{Time: at, Direction: "Outbound", Access: "Deny", Protocol: "Icmp",
			Source: netip.MustParseAddrPort("10.0.0.4:0"), Destination: netip.MustParseAddrPort("10.0.0.5:0")},
			"03:04:05 Deny  Icmp 10.0.0.4 > 10.0.0.5  Outbound (security admin rules) (no rule is for it)\n"},
	} {
		var b strings.Builder
		if err := writeFlow(&b, c.flow); err != nil || b.String() != c.want {
			t.Errorf("%v: %q, want %q", err, b.String(), c.want)
		}
	}
	if f := (daemon.Flow{Group: group}); !f.Concerns("") || !f.Concerns("NSG-A") || !f.Concerns(string(group)) || f.Concerns("nsg-b") {
		t.Error("a flow concerns its group, by name and id, and no other")
	}
}
