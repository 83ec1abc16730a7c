package check

import (
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
)

// inManaged is the secured solution with its cluster in a managed network.
func inManaged(mode string, rules ...arm.Resource) *draft {
	d := secured()
	delete(d.get(clusterID).Properties["properties"].(arm.Object), "subnet")
	d.get(workspaceID).Properties["managedNetwork"] = arm.Object{"isolationMode": mode}
	for _, r := range rules {
		d.add(r.ID, r.Properties)
	}
	return d
}

func managedRule(name string, o arm.Object) arm.Resource {
	id := workspaceID.Child("outboundRules", name)
	return arm.Resource{ID: id, Name: name, Type: id.Type(), Properties: o}
}

// The computes of a managed network have what the network lets out, and its own
// endpoints; nothing of the estate's networks is in their way.
func TestManagedNetworkHasItsFlows(t *testing.T) {
	for _, mode := range []string{"AllowInternetOutbound", "AllowOnlyApprovedOutbound"} {
		r := prove(t, inManaged(mode))
		if found := r.Findings(); len(found) > 0 {
			t.Errorf("%s: %s: %s", mode, found[0].Title, found[0].Reason)
		}
		seen := 0
		for _, q := range r.Requirements {
			if q.Rule == "compute-reaches-service" && q.From.Managed == workspaceID {
				seen++
			}
		}
		if seen == 0 {
			t.Errorf("%s: nothing is required of the computes", mode)
		}
	}
}

func TestTraceFromManagedNetwork(t *testing.T) {
	storage := managedRule("queues", arm.Object{"type": "PrivateEndpoint", "destination": arm.Object{"serviceResourceId": string(storageID), "subresourceTarget": "queue"}})
	for _, c := range []struct {
		name, mode, to, from string
		rules                []arm.Resource
		port                 uint16
		want                 Meeting
		because              string
	}{
		{"its own endpoint", "AllowOnlyApprovedOutbound", "blob/" + storageID.Name(), "", nil, 443, MeetAllowed, ""},
		{"what is closed and has no endpoint", "AllowInternetOutbound", "queue/" + storageID.Name(), "", nil, 443, MeetRefused, "publicNetworkAccess is Disabled"},
		{"a rule gives it one", "AllowInternetOutbound", "queue/" + storageID.Name(), "", []arm.Resource{storage}, 443, MeetAdmitted, ""},
		{"a public address", "AllowInternetOutbound", "192.0.2.10", "", nil, 22, MeetAdmitted, ""},
		{"a public address that nothing approves", "AllowOnlyApprovedOutbound", "192.0.2.10", "", nil, 22, MeetUnreachable, "none is for TCP 22"},
		{"a host that nothing approves", "AllowOnlyApprovedOutbound", "dev.azure.com", "", nil, 443, MeetUnreachable, "dev.azure.com"},
		{"a machine of the estate", "AllowInternetOutbound", "10.1.0.4", "", nil, 22, MeetUnreachable, "joined to no other"},
		{"serverless", "AllowOnlyApprovedOutbound", "blob/" + storageID.Name(), workspaceID.Name() + "/serverless", nil, 443, MeetForbidden, "no managed identity"},
		{"no isolation", "Disabled", "blob/" + storageID.Name(), "", nil, 443, MeetRefused, "publicNetworkAccess is Disabled"},
		{"no isolation, to a public address", "Disabled", "192.0.2.10", "", nil, 443, MeetAdmitted, "without a subnet"},
	} {
		t.Run(c.name, func(t *testing.T) {
			from := c.from
			if from == "" {
				from = clusterID.Name()
			}
			got, err := Trace(inManaged(c.mode, c.rules...).estate(t), Question{From: from, To: c.to, Port: c.port, Protocol: network.TCP})
			if err != nil {
				t.Fatal(err)
			}
			if got.Outcome != c.want || !strings.Contains(got.Reason, c.because) {
				t.Errorf("%s because %s, want %s because %s", got.Outcome, got.Reason, c.want, c.because)
			}
		})
	}
}

func TestMatrixOfManagedNetwork(t *testing.T) {
	cells := 0
	for _, c := range Matrix(inManaged("AllowOnlyApprovedOutbound").estate(t)) {
		if c.From.Managed == workspaceID {
			cells++
		}
	}
	if cells == 0 {
		t.Error("the matrix has no place of the managed network")
	}
}

func TestExfilFromManagedNetwork(t *testing.T) {
	ways := func(mode string, rules ...arm.Resource) string {
		var out []string
		for _, w := range Exfil(inManaged(mode, rules...).estate(t)).Ways {
			for _, d := range w.From {
				if strings.Contains(strings.Join(d.Places, " "), clusterID.Name()) {
					out = append(out, w.Value.String()+" "+w.To+": "+w.Traffic.String())
				}
			}
		}
		return strings.Join(out, "\n")
	}
	if got := ways("AllowInternetOutbound"); !strings.Contains(got, "yes the internet at large: everything") {
		t.Errorf("the internet is not a way:\n%s", got)
	}
	pypi := managedRule("pypi", arm.Object{"type": "FQDN", "destination": "pypi.org"})
	got := ways("AllowOnlyApprovedOutbound", pypi)
	for _, want := range []string{"yes pypi.org: TCP 80,443", "yes service tag AzureResourceManager: TCP 443"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not among\n%s", want, got)
		}
	}
	if strings.Contains(got, "at large") {
		t.Errorf("the internet is a way:\n%s", got)
	}
}

// Serverless compute in a subnet of the estate is a compute like others.
func TestServerlessInSubnet(t *testing.T) {
	d := secured()
	subnet := arm.Ref(d.get(clusterID).Properties, "properties.subnet.id")
	d.get(workspaceID).Properties["serverlessComputeSettings"] = arm.Object{"serverlessComputeCustomSubnet": string(subnet), "serverlessComputeNoPublicIP": true}
	r := prove(t, d)
	if found := r.Findings(); len(found) > 0 {
		t.Errorf("%s: %s", found[0].Title, found[0].Reason)
	}
	for _, p := range r.Places {
		if p.NIC.Equal(network.ServerlessNode(workspaceID)) {
			if !p.Subnet.Equal(subnet) || !p.Addr.IsValid() || p.Resource.Type() != service.TypeWorkspace {
				t.Errorf("it is at %+v", p)
			}
			return
		}
	}
	t.Error("there is no such place")
}
