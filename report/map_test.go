package report_test

import (
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/check"
	"github.com/cloister-ml/cloister/report"
	"github.com/cloister-ml/cloister/report/floorplan"
	"github.com/cloister-ml/cloister/service"
)

func TestOnMap(t *testing.T) {
	vm := arm.ResourceID("s", "g", "Microsoft.Compute/virtualMachines", "vm")
	vnet := arm.ResourceID("s", "g", service.TypeVirtualNetwork, "v")
	store := arm.ResourceID("s", "g", service.TypeStorageAccount, "st")
	machine := check.Place{Name: "vm", Kind: check.KindMachine, Resource: vm, VNet: vnet}
	blob := check.Target{Name: "st.blob.core.windows.net", Resource: store, Endpoint: service.Endpoint{Resource: store, Owner: store, Group: "blob"}}
	for _, tt := range []struct {
		name string
		in   check.Requirement
		want floorplan.Finding
	}{
		{"a flow to a service", check.Requirement{Rule: "r", From: machine, To: blob, Must: true, Outcome: check.Violated, Source: arm.Source{File: "main.tf", Line: 3}},
			floorplan.Finding{Rule: "r", From: vm, To: store, Door: "blob", Where: "main.tf:3"}},
		{"from the internet, and open", check.Requirement{Rule: "r", From: check.Place{Kind: check.KindInternet}, To: blob, Outcome: check.Violated},
			floorplan.Finding{Rule: "r", From: floorplan.Internet, To: store, Door: "blob", Open: true}},
		{"to a host of the platform", check.Requirement{Rule: "r", From: machine, To: check.Target{Name: "management.azure.com"}, Must: true, Outcome: check.Unknown},
			floorplan.Finding{Rule: "r", From: vm, To: floorplan.Internet, Unknown: true}},
		{"from a network", check.Requirement{Rule: "r", From: check.Place{Kind: check.KindNetwork, VNet: vnet}, To: blob, Must: true, Outcome: check.Violated},
			floorplan.Finding{Rule: "r", From: vnet, To: store, Door: "blob"}},
		{"a right, which is no flow", check.Requirement{Rule: "r", From: check.Place{Kind: check.KindService, Resource: vm}, To: blob, Must: true, Outcome: check.Violated, Resource: store},
			floorplan.Finding{Rule: "r", Door: "blob", Resource: store}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var p floorplan.Plan
			report.OnMap(&p, &check.Report{Requirements: []check.Requirement{tt.in, {Outcome: check.Holds}, {Outcome: check.Off}}}, report.Options{})
			if len(p.Findings) != 1 || p.Findings[0] != tt.want {
				t.Errorf("findings %+v, want %+v", p.Findings, tt.want)
			}
			if p.Tally.Holds != 1 || p.Tally.Off != 1 || p.Tally.Falls+p.Tally.Unknown != 1 {
				t.Errorf("tally %+v", p.Tally)
			}
		})
	}
}
