package check

import (
	"testing"

	"github.com/cloister-ml/cloister/arm"
)

// A zone with registration knows a network's machines by their first address.
func TestRegisteredMachinesResolve(t *testing.T) {
	d := secured()
	zone := zoneID("corp.example")
	d.add(zone, arm.Object{})
	d.add(zone.Child("virtualNetworkLinks", "bastion"), arm.Object{
		"virtualNetwork": arm.Object{"id": string(vnetID("vnet-bastion"))}, "registrationEnabled": true,
	})
	w := newWorld(d.estate(t))
	for _, p := range w.places {
		if p.Name != "vm-jump" {
			continue
		}
		a := w.resolve(p, "vm-jump.corp.example")
		if len(a.Addrs) != 1 || a.Addrs[0] != p.Addr || !a.Addrs[0].IsValid() {
			t.Errorf("vm-jump is at %v, want %s: %+v", a.Addrs, p.Addr, a.Verdict)
		}
		return
	}
	t.Error("there is no vm-jump")
}
