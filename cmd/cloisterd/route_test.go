package main

import (
	"bytes"
	"strings"
	"testing"

	nt "github.com/cloister-ml/cloister/network/networktest"
)

func TestEffectiveRoutes(t *testing.T) {
	e, err := nt.Estate(
		nt.VNet("hub", "10.1.0.0/16"), nt.Subnet("hub", "main", "10.1.0.0/24", nt.UseTable("rt")), nt.VNet("spoke", "10.2.0.0/16"), nt.Peer("hub", "spoke"),
		nt.RouteTable("rt", nt.Route("to-nowhere", "10.9.0.0/16", "None")), nt.VM("jump", "hub", "main", "10.1.0.4"),
	)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"jump", "nic-JUMP"} {
		routes, err := effectiveRoutes(e, name)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := writeRoutes(&out, routes); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			"Default 10.1.0.0/16 VnetLocal -", "Default 10.2.0.0/16 VNetPeering spoke", "User 10.9.0.0/16 None - to-nowhere", "Default 0.0.0.0/0 Internet",
		} {
			if got := strings.Join(strings.Fields(out.String()), " "); !strings.Contains(got, want) {
				t.Errorf("%s: %q is not in %q", name, want, got)
			}
		}
	}
	if _, err := effectiveRoutes(e, "other"); err == nil || !strings.Contains(err.Error(), "those of jump") {
		t.Errorf("an interface that is not there: %v", err)
	}
}
