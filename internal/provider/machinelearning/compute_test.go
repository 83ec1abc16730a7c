package machinelearning_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
)

// A compute instance in a subnet is a machine, for as long as it is there.
func TestComputeInstanceIsAMachine(t *testing.T) {
	w := newWorld(t)
	subnet := id("Microsoft.Network/virtualNetworks", "vnet").Child("subnets", "training")
	w.put(arm.Resource{ID: subnet.Parent(), Location: "westeurope", Properties: arm.Object{}})
	w.put(arm.Resource{ID: subnet, Properties: arm.Object{}})
	instance := w.ws.Child("computes", "ci-notebooks")
	w.put(arm.Resource{ID: instance, Location: "westeurope", Identity: &arm.Identity{Type: "SystemAssigned"}, Properties: arm.Object{
		"computeType": "ComputeInstance", "properties": arm.Object{"vmSize": "Standard_DS3_v2", "subnet": arm.Object{"id": string(subnet)}},
	}})
	if err := w.Wait(t.Context(), instance); err != nil {
		t.Fatal(err)
	}
	if !w.stations.runs(instance) {
		t.Error("it does not run")
	}
	i := slices.IndexFunc(w.Status(), func(s cloud.Status) bool { return s.ID.Equal(instance) })
	if s := w.Status()[i]; s.Kept || !s.Ready {
		t.Errorf("its status is %+v", s)
	}
	if _, err := submit(t, w.client(), strings.Replace(command("true"), "cpu-cluster", "ci-notebooks", 1), nil); err == nil {
		t.Error("it takes jobs")
	}
	if err := w.Client().Delete(t.Context(), instance); err != nil {
		t.Fatal(err)
	}
	if w.stations.runs(instance) {
		t.Error("it runs on")
	}
}

// Computes that are neither are documents of the workspace, and run nothing.
func TestComputesThatAreKept(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	for kind, properties := range map[string]arm.Object{
		"ComputeInstance": {"vmSize": "Standard_DS3_v2"}, // in no subnet of the estate
		"Kubernetes":      {"namespace": "default"},
	} {
		t.Run(kind, func(t *testing.T) {
			name := strings.ToLower(kind)
			w.put(arm.Resource{ID: w.ws.Child("computes", name), Location: "westeurope", Identity: &arm.Identity{Type: "SystemAssigned"}, Properties: arm.Object{
				"computeType": kind, "properties": properties,
			}})
			doc, err := c.Compute(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			if got := doc.Text("computeType"); got != kind {
				t.Errorf("it is shown as %q", got)
			}
			if nodes := doc.Text("properties.currentNodeCount"); nodes != "" {
				t.Errorf("it shows nodes: %s", nodes)
			}
			status := w.Status()
			i := slices.IndexFunc(status, func(s cloud.Status) bool { return s.ID.Name() == name })
			if i < 0 || !status[i].Kept {
				t.Errorf("it is not said to be kept")
			}

			job := strings.Replace(command("true"), "cpu-cluster", name, 1)
			if _, err := submit(t, c, job, nil); err == nil || !strings.Contains(err.Error(), "is a "+kind+": jobs are run on clusters") {
				t.Errorf("a job on it: %v", err)
			}
		})
	}
	i := slices.IndexFunc(w.Status(), func(s cloud.Status) bool { return s.ID.Equal(w.cluster) })
	if w.Status()[i].Kept {
		t.Error("the cluster is said to be kept")
	}
}

func TestComputeDocumentsAreChecked(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		name, want string
		properties arm.Object
	}{
		{"no kind", `computeType is ""`, arm.Object{}},
		{"a kind that there is not", `computeType is "Mainframe"`, arm.Object{"computeType": "Mainframe"}},
		{"an instance in a subnet that is not there", "was not found", arm.Object{
			"computeType": "ComputeInstance", "properties": arm.Object{"subnet": arm.Object{"id": string(id("Microsoft.Network/virtualNetworks", "v").Child("subnets", "s"))}},
		}},
		{"a cluster without a size", "scaleSettings", arm.Object{"computeType": "AmlCompute"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := arm.Resource{ID: w.ws.Child("computes", "other"), Name: "other", Location: "westeurope", Properties: tt.properties}
			r.Type = r.ID.Type()
			if _, err := w.Client().Put(t.Context(), r); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}
