package cloister_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/cloister-ml/cloister/"

// floor is a part of the house and what of ours its packages may import, tests
// aside. A name stands for the package and all below it.
type floor struct {
	part    string
	imports []string
}

// The house from the ground up. A package belongs to the longest part that fits.
var ground = []string{"arm", "service", "verdict"}

var meanings = append([]string{"network", "privatedns", "access"}, ground...)

var house = []floor{
	{"arm", nil},
	{"verdict", []string{"arm"}},
	{"service", []string{"arm"}},
	{"network", append([]string{"network/space"}, ground...)},
	{"network/space", nil},
	{"network/networktest", append([]string{"network"}, ground...)},
	{"privatedns", ground},
	{"access", ground},
	{"check", meanings},
	{"check/require", append([]string{"check"}, meanings...)},
	{"check/rulebook", nil},
	{"report", append([]string{"check", "report/floorplan"}, meanings...)},
	{"report/floorplan", meanings},
	{"source", append([]string{"source"}, ground...)},
	{"source/diagnostic", nil},
	{"source/terraform", append([]string{"source/terraform", "source/diagnostic"}, ground...)},
	{"source/template", append([]string{"source/template", "source/diagnostic"}, ground...)},

	{"internal/durable", nil},
	{"internal/acr", nil},
	{"internal/rootless", nil},
	{"internal/image", []string{"internal/rootless"}},
	{"internal/sandbox", []string{"internal/rootless"}},
	{"internal/machine", nil},
	{"internal/sshd", []string{"internal/rootless"}},
	{"internal/bastion", nil},
	{"internal/project", []string{"arm"}},
	{"internal/tunnel", nil},
	{"internal/bgp", nil},
	{"internal/fabric", append([]string{"internal/fabric", "internal/rootless", "internal/tunnel", "internal/bgp"}, meanings...)},
	{"internal/flowlog", ground},
	{"internal/remark", []string{"arm", "check"}},
	{"internal/cloud", append([]string{"internal/cloud", "internal/durable"}, meanings...)},
	{"internal/backup", append([]string{"internal/cloud", "internal/durable"}, meanings...)},
	{"internal/devops", []string{"internal/devops", "internal/agent", "internal/durable"}}, // it hands out the agent
	{"internal/agent", []string{"internal/devops/wire", "internal/devops/expression", "internal/durable", "internal/machine"}},
	{"internal/command", append([]string{"check", "report", "source", "internal/project", "internal/remark"}, meanings...)},
	{"cmd/cloister", []string{"internal/command"}}, // what reads and proves never links the cloud
	{"internal/probe", append([]string{"check"}, meanings...)},
	{"internal/node", append([]string{"internal/provider/machinelearning/datastore", "internal/provider/machinelearning/task", "internal/sandbox"}, ground...)},
}

// A provider imports the control plane's registration interface, and never
// another provider.
var provider = append([]string{"internal/cloud", "internal/durable"}, meanings...)

// providerReads are the readers that a provider is a runner of.
var providerReads = map[string][]string{"resources": {"source/template", "source/diagnostic"}}

// top are the parts that join the floors.
var top = []string{"cmd", "internal/armclients", "internal/daemon", "internal/mission", "internal/mlclient", "e2e"}

func TestFloorsImportDownwards(t *testing.T) {
	for _, p := range packages(t) {
		path := strings.TrimPrefix(p.ImportPath, module)
		allowed, ok := allowance(path)
		if !ok {
			if !slices.ContainsFunc(top, func(s string) bool { return within(path, s) }) {
				t.Errorf("%s is on no floor of the house", path)
			}
			allowed = nil
		}
		for _, imported := range p.Imports {
			imported, ours := strings.CutPrefix(imported, module)
			if !ours {
				continue
			}
			if within(imported, "cmd") {
				t.Errorf("%s imports %s: nothing imports cmd", path, imported)
			}
			if ok && !slices.ContainsFunc(allowed, func(a string) bool { return within(imported, a) }) {
				t.Errorf("%s imports %s, which is not below it", path, imported)
			}
		}
	}
}

// allowance is what a package may import.
func allowance(path string) ([]string, bool) {
	if rest, ok := strings.CutPrefix(path, "internal/provider/"); ok {
		own, _, _ := strings.Cut(rest, "/")
		return slices.Concat(provider, []string{"internal/provider/" + own}, providerReads[own]), true
	}
	var best floor
	for _, f := range house {
		if within(path, f.part) && len(f.part) > len(best.part) {
			best = f
		}
	}
	return best.imports, best.part != ""
}

// within reports whether a package is the part or below it.
func within(path, part string) bool { return path == part || strings.HasPrefix(path, part+"/") }

type goPackage struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("listing the packages: %v", err)
	}
	var all []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(p.ImportPath, module) {
			all = append(all, p)
		}
	}
}
