package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/check"
	"github.com/cloister-ml/cloister/privatedns"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sample is a report with one requirement of each outcome, and two that one
// change mends.
func sample() *check.Report {
	registry := arm.ID("/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/crmlops")
	stages := []check.Stage{
		{Name: check.StageResolve, Verdict: verdict.Verdict{Value: verdict.No, Steps: []verdict.Step{
			{At: "public DNS", Value: verdict.Yes, Reason: "crmlops has the private endpoint pe-registry, so its public name leads to crmlops.privatelink.azurecr.io"},
			{At: "zone privatelink.azurecr.io", Value: verdict.Yes, Reason: "not linked to vnet-bastion, so its records are not seen there"},
			{Value: verdict.No, Reason: "crmlops.azurecr.io resolves to its public address 198.51.100.188 from vnet-bastion, because privatelink.azurecr.io is not linked to vnet-bastion"},
		}}},
		{Name: check.StageConnect, Verdict: verdict.Verdict{Value: verdict.Yes, Steps: []verdict.Step{{At: "internet", Value: verdict.Yes, Reason: "reached"}}}},
	}
	fall := check.Requirement{
		ID: "agent-reaches-service:vm-agent-0:registry/crmlops", Rule: "agent-reaches-service", Title: "Agent vm-agent-0 reaches registry crmlops",
		From: check.Place{Name: "vm-agent-0", Kind: check.KindMachine, Role: check.RoleAgent, Addr: netip.MustParseAddr("10.2.2.4")},
		To:   check.Target{Name: "crmlops.azurecr.io", Service: "registry", Resource: registry, Port: 443},
		Must: true, Stages: stages, Outcome: check.Violated, Severity: check.High, Resource: registry,
		Reason: "crmlops.azurecr.io resolves to its public address 198.51.100.188 from vnet-bastion, because privatelink.azurecr.io is not linked to vnet-bastion",
		Source: arm.Source{File: "/home/me/infra/dns.tf", Line: 12, Address: "azurerm_private_dns_zone.registry"},
		Remedy: "link zone privatelink.azurecr.io to network vnet-bastion: azurerm_private_dns_zone_virtual_network_link",
	}
	also := fall
	also.ID, also.Title = "agent-reaches-service:vm-agent-1:registry/crmlops", "Agent vm-agent-1 reaches registry crmlops"
	unknown := check.Requirement{
		ID: "service-closed-to-internet:blob/st", Rule: "service-closed-to-internet", Title: "The internet is refused by blob storage st\x1b[31m", Severity: check.Critical,
		Outcome: check.Unknown, Reason: "publicNetworkAccess is known only after deployment (var.public)",
		Stages: []check.Stage{{Name: check.StageAdmit, Verdict: verdict.Verdict{Steps: []verdict.Step{{At: "firewall of st", Reason: "publicNetworkAccess is known only after deployment (var.public)"}}}}},
	}
	off := check.Requirement{
		ID: "public-access-off:kv", Rule: "public-access-off", Title: "Public network access of kv is off", Severity: check.Medium,
		Outcome: check.Off, Reason: "closed by policy, ticket 17", Must: true,
	}
	holds := check.Requirement{
		ID: "bastion-reaches-jump-host:bas:vm-jump", Rule: "bastion-reaches-jump-host", Title: "Bastion bas reaches jump host vm-jump", Severity: check.High,
		Outcome: check.Holds, Reason: "rule allow-bastion (priority 100) allows TCP 22 from 10.2.0.4 to 10.2.1.4", Must: true,
	}
	return &check.Report{Requirements: []check.Requirement{fall, also, holds, unknown, off}, Resources: 67}
}

func sampleCells() []check.Cell {
	yes := verdict.Verdict{Value: verdict.Yes, Steps: []verdict.Step{{Value: verdict.Yes, Reason: "fine"}}}
	no := verdict.Verdict{Value: verdict.No, Steps: []verdict.Step{{Value: verdict.No, Reason: "denied by nsg-training"}}}
	account := arm.ID("/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/st")
	private := privatedns.Answer{Code: privatedns.NoError, Zone: "/z", Addrs: []netip.Addr{netip.MustParseAddr("10.1.1.4")}, Verdict: yes}
	public := privatedns.Answer{Code: privatedns.NoError, Addrs: []netip.Addr{netip.MustParseAddr("198.51.100.97")}, Verdict: yes}
	blob := service.Endpoint{Host: "st.blob.core.windows.net", Service: "blob", Resource: account}
	platform := service.Endpoint{Host: service.HostARM, Service: "arm"}
	agent, node, outside := check.Place{Name: "vm-agent-0"}, check.Place{Name: "a-cluster-with-a-long-name"}, check.Place{Name: "internet"}
	return []check.Cell{
		{From: agent, To: blob, Resolve: private, Connect: yes, Admit: yes, Authorize: yes, Called: true},
		{From: agent, To: platform, Resolve: public, Connect: yes, Admit: yes, Authorize: yes, Called: true},
		{From: node, To: blob, Resolve: private, Connect: no, Admit: no, Authorize: no, Called: true},
		{From: node, To: platform, Resolve: public, Connect: yes, Admit: yes, Authorize: no, Called: true},
		{From: outside, To: blob, Resolve: public, Connect: yes, Admit: no, Authorize: no, Called: true},
		{From: outside, To: platform, Resolve: privatedns.Answer{Code: privatedns.NXDomain, Verdict: no}, Connect: no, Admit: no},
	}
}

func relative(file string) string { return strings.TrimPrefix(file, "/home/me/infra/") }

func TestGolden(t *testing.T) {
	o := Options{Path: relative, Version: "1.2.3"}
	color, all := o, o
	color.Color, all.All = true, true
	for name, write := range map[string]func(*bytes.Buffer) error{
		"report.txt":       func(b *bytes.Buffer) error { return Text(b, sample(), o) },
		"report-all.txt":   func(b *bytes.Buffer) error { return Text(b, sample(), all) },
		"report-color.txt": func(b *bytes.Buffer) error { return Text(b, sample(), color) },
		"report.json":      func(b *bytes.Buffer) error { return JSON(b, sample(), o) },
		"report.sarif":     func(b *bytes.Buffer) error { return SARIF(b, sample(), o) },
		"report.xml":       func(b *bytes.Buffer) error { return JUnit(b, sample(), o) },
		"report.md":        func(b *bytes.Buffer) error { return Markdown(b, sample(), o) },
		"quality.json":     func(b *bytes.Buffer) error { return CodeQuality(b, sample(), o) },
		"matrix.md":        func(b *bytes.Buffer) error { return MatrixMarkdown(b, sampleCells()) },
		"matrix.txt":       func(b *bytes.Buffer) error { return MatrixText(b, sampleCells(), o) },
		"nothing.txt":      func(b *bytes.Buffer) error { return Text(b, &check.Report{}, o) },
	} {
		t.Run(name, func(t *testing.T) {
			var first, second bytes.Buffer
			if err := write(&first); err != nil {
				t.Fatal(err)
			}
			if err := write(&second); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
				t.Fatal("not steady", err)
			}
			golden := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(golden, first.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(first.Bytes(), want) {
				t.Errorf("%s differs (-update writes it anew):\n%s", golden, first.String())
			}
		})
	}
}

func TestTextStaysWithinItsWidth(t *testing.T) {
	for _, width := range []int{60, 80, 100, 160} {
		var b bytes.Buffer
		if err := Text(&b, sample(), Options{Width: width, All: true}); err != nil {
			t.Fatal(err)
		}
		for l := range strings.Lines(b.String()) {
			longWord := len(strings.Fields(l)) == 1 // a name is never broken
			if n := len([]rune(strings.TrimRight(l, "\n"))); n > width && !longWord {
				t.Errorf("at width %d a line has %d: %s", width, n, l)
			}
		}
	}
}

func TestNoControlCharactersFromDocuments(t *testing.T) {
	var b bytes.Buffer
	if err := Text(&b, sample(), Options{}); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsRune(b.String(), 0x1b) {
		t.Error("a title's escape code reaches the terminal")
	}
}

// What code scanning needs of SARIF 2.1.0.
func TestSARIFIsComplete(t *testing.T) {
	var b bytes.Buffer
	if err := SARIF(&b, sample(), Options{Path: relative}); err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if log.Version != "2.1.0" || len(run.Results) != 4 {
		t.Fatalf("version %s, %d results", log.Version, len(run.Results))
	}
	for _, r := range run.Results {
		if run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID {
			t.Errorf("%s points at the rule %s", r.RuleID, run.Tool.Driver.Rules[r.RuleIndex].ID)
		}
		if r.Kind != "fail" && r.Level != "none" {
			t.Errorf("%s: kind %s must have the level none", r.RuleID, r.Kind)
		}
		if len(r.PartialFingerprints) == 0 || r.Message.Text == "" {
			t.Errorf("%s has no fingerprint or message", r.RuleID)
		}
	}
	where := run.Results[0].Locations[0].PhysicalLocation
	if where.ArtifactLocation.URI != "dns.tf" || where.Region.StartLine != 12 {
		t.Errorf("the first is at %+v", where)
	}
}

func TestJUnitCounts(t *testing.T) {
	var b bytes.Buffer
	if err := JUnit(&b, sample(), Options{}); err != nil {
		t.Fatal(err)
	}
	var all junitSuites
	if err := xml.Unmarshal(b.Bytes(), &all); err != nil {
		t.Fatal(err)
	}
	skipped := 0
	for _, s := range all.Suites {
		skipped += s.Skipped
	}
	if all.Tests != 5 || all.Failures != 2 || skipped != 2 {
		t.Errorf("%d tests, %d failures, %d skipped", all.Tests, all.Failures, skipped)
	}
}

// A hundred machines that meet the same are one column, whose first names are enough.
func TestManyPlacesAreCounted(t *testing.T) {
	var cells []check.Cell
	var names []string
	for i := range 100 {
		names = append(names, fmt.Sprintf("vm-%03d", i))
		cells = append(cells, check.Cell{From: check.Place{Name: names[i]}, To: service.Endpoint{Host: "login.microsoftonline.com"}})
	}
	var b strings.Builder
	if err := MatrixText(&b, cells, Options{Width: 80}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "and 93 more") || strings.Count(b.String(), "vm-") != 7 {
		t.Errorf("the matrix is\n%s", b.String())
	}
	if got := several(names); !strings.HasSuffix(got, "vm-011 and 88 more (--json names all)") {
		t.Errorf("it says %s", got)
	}
}
