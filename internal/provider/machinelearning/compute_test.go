package machinelearning_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
)

// Computes that are no clusters are documents of the workspace, and run nothing.
func TestComputesThatAreKept(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	for kind, properties := range map[string]arm.Object{
		"ComputeInstance": {"vmSize": "Standard_DS3_v2", "applicationSharingPolicy": "Personal"},
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
