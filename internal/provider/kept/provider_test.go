package kept

import (
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/cloud/client"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
)

const group = "/subscriptions/" + cloudtest.Subscription + "/resourceGroups/rg"

func start(t *testing.T) *client.Client {
	t.Helper()
	c := cloudtest.Start(t, func(cloud.Host) []cloud.Provider { return New() }).Client()
	if _, err := c.Put(t.Context(), arm.Resource{ID: group, Location: "westeurope"}); err != nil {
		t.Fatal(err)
	}
	return c
}

func put(t *testing.T, c *client.Client, id arm.ID, properties arm.Object) {
	t.Helper()
	if _, err := c.Put(t.Context(), arm.Resource{ID: id, Location: "westeurope", Properties: properties}); err != nil {
		t.Fatalf("putting %s: %v", id, err)
	}
}

// What Azure computes is there, and what a client has written stays.
func TestComputedProperties(t *testing.T) {
	tests := []struct {
		id       arm.ID
		written  arm.Object
		property string
		want     string
	}{
		{group + "/providers/Microsoft.CognitiveServices/accounts/c1", nil, "endpoint", "https://westeurope.api.cognitive.microsoft.com/"},
		{group + "/providers/Microsoft.CognitiveServices/accounts/c2", arm.Object{"customSubDomainName": "own"}, "endpoint", "https://own.api.cognitive.microsoft.com/"},
		{group + "/providers/Microsoft.DBforPostgreSQL/flexibleServers/p1", nil, "fullyQualifiedDomainName", "p1.postgres.database.azure.com"},
		{group + "/providers/Microsoft.Kusto/clusters/k1", nil, "uri", "https://k1.westeurope.kusto.windows.net"},
		{group + "/providers/Microsoft.Cache/redis/r1", arm.Object{"redisVersion": "7.2"}, "redisVersion", "7.2"},
		{group + "/providers/Microsoft.Web/sites/s1", nil, "defaultHostName", "s1.azurewebsites.net"},
		{group + "/providers/Microsoft.RecoveryServices/vaults/v1", nil, "", ""},
		{
			group + "/providers/Microsoft.RecoveryServices/vaults/v1/backupPolicies/b1",
			arm.Object{"schedule": arm.Object{"at": "23:00:00Z", "scheduleRunTimes": []any{"23:00:00Z"}}}, "schedule.at", "23:00:00Z",
		},
	}
	c := start(t)
	for _, tt := range tests {
		put(t, c, tt.id, tt.written)
		r, err := c.Get(t.Context(), tt.id)
		if err != nil {
			t.Fatal(err)
		}
		if got := arm.String(r.Properties, tt.property); tt.property != "" && got != tt.want {
			t.Errorf("%s has the %s %q, want %q", tt.id, tt.property, got, tt.want)
		}
	}
	policy, err := c.Get(t.Context(), group+"/providers/Microsoft.RecoveryServices/vaults/v1/backupPolicies/b1")
	if err != nil {
		t.Fatal(err)
	}
	if at := arm.Strings(policy.Properties, "schedule.scheduleRunTimes"); len(at) != 1 || at[0] != "2018-07-30T23:00:00Z" {
		t.Errorf("the policy runs at %q", at)
	}
}

// What exists by virtue of what is above it is there as long as that is, and is as
// it was written once it has been.
func TestExistsByVirtue(t *testing.T) {
	c := start(t)
	site := arm.ID(group + "/providers/Microsoft.Web/sites/s1")
	setting := site + "/config/appsettings"
	if _, err := c.Get(t.Context(), setting); err == nil {
		t.Error("there are settings of a site that there is not")
	}
	put(t, c, site, arm.Object{"siteConfig": arm.Object{"appSettings": []any{arm.Object{"name": "A", "value": "1"}}}})
	list := func() arm.Object {
		t.Helper()
		var out struct{ Properties arm.Object }
		if err := c.Post(t.Context(), setting, "list", nil, &out); err != nil {
			t.Fatal(err)
		}
		return out.Properties
	}
	if got := list(); len(got) != 1 || got["A"] != "1" {
		t.Errorf("the settings are %v", got)
	}
	put(t, c, setting, arm.Object{"B": "2"})
	if got := list(); len(got) != 1 || got["B"] != "2" {
		t.Errorf("the settings are %v", got)
	}
}

// Keys stay the same, and differ from each other and from another service's.
func TestKeys(t *testing.T) {
	c := start(t)
	seen := map[string]bool{}
	for _, name := range []string{"one", "two", "one"} {
		id := arm.ID(group + "/providers/Microsoft.Search/searchServices/" + name)
		put(t, c, id, nil)
		var keys map[string]string
		if err := c.Post(t.Context(), id, "listAdminKeys", nil, &keys); err != nil {
			t.Fatal(err)
		}
		seen[keys["primaryKey"]], seen[keys["secondaryKey"]] = true, true
	}
	if len(seen) != 4 || seen[""] {
		t.Errorf("%d keys of two services", len(seen))
	}
}

// Every type is in the namespace of its provider, and none is there twice.
func TestNamesOfTypes(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range New() {
		for _, typ := range p.Types {
			if key := strings.ToLower(typ.Name); seen[key] || !strings.HasPrefix(typ.Name, p.Namespace+"/") {
				t.Errorf("%s in %s", typ.Name, p.Namespace)
			} else {
				seen[key] = true
			}
			if typ.Runs == nil || typ.Runs(arm.Resource{}) {
				t.Errorf("%s says that it runs", typ.Name)
			}
		}
	}
}
