package containerservice

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/provider/providertest"
)

const (
	clusterID = arm.ID("/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/aks")
	vnetID    = arm.ID("/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v")
)

func cluster() arm.Resource {
	return arm.Resource{ID: clusterID, Name: "aks", Type: TypeCluster, Location: "westeurope", Properties: arm.Object{
		"dnsPrefix": "aks",
		"agentPoolProfiles": []any{arm.Object{
			"name": "system", "mode": "System", "vmSize": "Standard_D4s_v5", "count": 2.0, "vnetSubnetID": string(vnetID.Child("subnets", "s")),
		}},
		"networkProfile": arm.Object{"serviceCidr": "172.16.0.0/16", "dnsServiceIP": "172.16.0.10"},
	}}
}

func host(t *testing.T, more ...arm.Resource) *providertest.Host {
	subnet := vnetID.Child("subnets", "s")
	return providertest.NewHost(t, append(more,
		arm.Resource{ID: vnetID, Name: "v", Type: vnetID.Type()},
		arm.Resource{ID: subnet, Name: "s", Type: subnet.Type(), Properties: arm.Object{"addressPrefix": "10.0.1.0/24"}},
	)...)
}

func typeOf(t *testing.T, p cloud.Provider, name string) cloud.Type {
	t.Helper()
	for _, typ := range p.Types {
		if typ.Name == name {
			return typ
		}
	}
	t.Fatalf("there is no type %s", name)
	return cloud.Type{}
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var e *cloud.Error
	if errors.As(err, &e) != (code != "") || e != nil && e.Code != code {
		t.Errorf("error %v, want the code %q", err, code)
	}
}

func TestClustersAreChecked(t *testing.T) {
	h := host(t)
	prepare := typeOf(t, New(h), TypeCluster).Prepare
	pool := func(r arm.Resource) arm.Object { return arm.Objects(r.Properties, "agentPoolProfiles")[0] }
	for _, tt := range []struct {
		name   string
		change func(arm.Resource)
		old    bool
		code   string
	}{
		{"as it should be", func(arm.Resource) {}, false, ""},
		{"the same again", func(arm.Resource) {}, true, ""},
		{"no pool", func(r arm.Resource) { delete(r.Properties, "agentPoolProfiles") }, false, "InvalidParameter"},
		{"no system pool", func(r arm.Resource) { pool(r)["mode"] = "User" }, false, "BadRequest"},
		{"services in the nodes' network", func(r arm.Resource) { r.Properties["networkProfile"] = arm.Object{"serviceCidr": "10.0.0.0/16"} }, false, "ServiceCidrOverlapExistingSubnetsCidr"},
		{"a subnet that is not there", func(r arm.Resource) { pool(r)["vnetSubnetID"] = string(vnetID.Child("subnets", "none")) }, false, "InvalidResourceReference"},
		{"another DNS prefix", func(r arm.Resource) { r.Properties["dnsPrefix"] = "other" }, true, "PropertyChangeNotAllowed"},
		{"other services", func(r arm.Resource) { r.Properties["networkProfile"] = arm.Object{"serviceCidr": "172.17.0.0/16"} }, true, "PropertyChangeNotAllowed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := cluster()
			tt.change(r)
			var old *arm.Resource
			if tt.old {
				was := cluster()
				old = &was
			}
			made, err := prepare(h, old, r)
			wantCode(t, err, tt.code)
			if err == nil && (arm.String(made.Properties, "nodeResourceGroup") != "MC_g_aks_westeurope" || !strings.HasSuffix(arm.String(made.Properties, "fqdn"), ".hcp.westeurope.azmk8s.io")) {
				t.Errorf("filled in: %v", made.Properties)
			}
		})
	}
}

// A node pool is an element of its cluster's document until it is written by
// itself, and wins over that then.
func TestNodePools(t *testing.T) {
	h := host(t, cluster())
	p := New(h)
	pools, clusters := typeOf(t, p, TypePool), typeOf(t, p, TypeCluster)
	id := clusterID.Child("agentPools", "system")
	found, ok := pools.Find(h, id)
	if !ok || arm.String(found.Properties, "vmSize") != "Standard_D4s_v5" {
		t.Fatalf("the pool that the cluster declares: %v, %t", found, ok)
	}
	if _, ok := pools.Find(h, clusterID.Child("agentPools", "none")); ok {
		t.Error("a pool that nobody declares is found")
	}
	found.Properties["maxCount"] = 5.0
	made, err := pools.Prepare(h, nil, found)
	wantCode(t, err, "")
	made.ID, made.Name, made.Type = id, "system", TypePool
	wantCode(t, pools.CanDelete(h, made), "BadRequest") // the last of the system's
	h.Put(made)
	shown := clusters.Present(h, cluster())
	if got := arm.Objects(shown.Properties, "agentPoolProfiles"); len(got) != 1 || got[0]["maxCount"] != 5.0 {
		t.Errorf("the cluster shows %v", got)
	}
	bad := made
	bad.Name = "System-1"
	if _, err := pools.Prepare(h, nil, bad); err == nil {
		t.Error("a pool's name with a capital and a hyphen is accepted")
	}
}

func TestCredentials(t *testing.T) {
	p := New(host(t))
	typ := typeOf(t, p, TypeCluster)
	read := func(r arm.Resource) string {
		t.Helper()
		out, err := typ.Actions["listclusteradmincredential"](t.Context(), r, nil)
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(out)
		if err != nil {
			t.Fatal(err)
		}
		var answer arm.Object
		if err := json.Unmarshal(data, &answer); err != nil {
			t.Fatal(err)
		}
		config, err := base64.StdEncoding.DecodeString(arm.String(answer, "kubeconfigs.0.value"))
		if err != nil {
			t.Fatal(err)
		}
		return string(config)
	}
	if config := read(cluster()); !strings.Contains(config, "client-certificate-data") || !strings.Contains(config, "certificate-authority-data") {
		t.Errorf("the administrator's file: %s", config)
	}
	closed := cluster()
	closed.Properties["disableLocalAccounts"] = true
	_, err := typ.Actions["listclusteradmincredential"](t.Context(), closed, nil)
	wantCode(t, err, "BadRequest")
	if err := typ.Remove(t.Context(), cluster()); err != nil {
		t.Error(err)
	}
}

// azurerm changes what is beside a private cluster's zone in its profile without
// saying the zone again, which Azure keeps.
func TestZoneOfAPrivateClusterIsKept(t *testing.T) {
	h := host(t)
	prepare := typeOf(t, New(h), TypeCluster).Prepare
	old, changed := cluster(), cluster()
	old.Properties["apiServerAccessProfile"] = arm.Object{"enablePrivateCluster": true, "privateDNSZone": "System", "disableRunCommand": true}
	changed.Properties["apiServerAccessProfile"] = arm.Object{"enablePrivateCluster": true, "disableRunCommand": false}
	got, err := prepare(h, &old, changed)
	if err != nil {
		t.Fatal(err)
	}
	if zone := arm.String(got.Properties, "apiServerAccessProfile.privateDNSZone"); zone != "System" || arm.Bool(got.Properties, "apiServerAccessProfile.disableRunCommand", true) {
		t.Errorf("the profile is %v", got.Properties["apiServerAccessProfile"])
	}
}
