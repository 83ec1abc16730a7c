package service_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

// Tags are known by the names that Azure gives them, in any case; what Azure does
// not list is not known here, and never empty.
func TestTagsByName(t *testing.T) {
	for _, name := range []string{
		"AzureMachineLearning", "Storage", "storage", "Storage.WestEurope", "AzureActiveDirectory", "AzureContainerRegistry", "AzureContainerRegistry.NorthEurope",
		"AzureFrontDoor.FirstParty", "AzureFrontDoor.FrontEnd", "AzureFrontDoor.Backend", "MicrosoftContainerRegistry", "MicrosoftContainerRegistry.EastUS", "AzureResourceManager",
		"AzureMonitor", "BatchNodeManagement", "BatchNodeManagement.westeurope", "AzureKeyVault", "AzureKeyVault.UKSouth", "EventHub.CentralUS", "ServiceBus", "Sql.EastUS2",
		"AzureCosmosDB", "GatewayManager", "AzureDevOps", "AppService", "AzureCloud", "AzureCloud.WestEurope", "Storage.CentralFrance", "Storage.FranceCentral",
	} {
		if list, ok := service.Tag(name); !ok || len(list) == 0 {
			t.Errorf("%s is not known", name)
		}
	}
	for _, name := range []string{
		"", ".", "KeyVault", "Storage.", "Storage.Atlantis", "Storage.WestEurope.EastUS", "AzureMachineLearning.WestEurope", "AzureResourceManager.WestEurope",
		"AzureKubernetesService", "VirtualNetwork", "Internet", "AzureLoadBalancer", ".WestEurope",
	} {
		if list, ok := service.Tag(name); ok {
			t.Errorf("%s is known as %v", name, list)
		}
	}
}

// A regional form is within its tag and within its region, and apart from every
// other region and from every other tag; everything is within AzureCloud.
func TestRegionalTags(t *testing.T) {
	regional := []string{"Storage", "Sql", "AzureKeyVault", "AzureContainerRegistry", "BatchNodeManagement", "EventHub", "ServiceBus", "AzureCosmosDB", "AppService"}
	places := []string{"westeurope", "northeurope", "eastus", "southeastus"}
	own := map[string]netip.Prefix{}
	for _, tag := range regional {
		for _, region := range places {
			list, _ := service.Tag(tag + "." + region)
			piece := list[len(list)-1]
			for name, other := range own {
				if piece.Overlaps(other) {
					t.Errorf("%s.%s (%s) overlaps %s (%s)", tag, region, piece, name, other)
				}
			}
			own[tag+"."+region] = piece
			for _, wider := range []string{tag, "AzureCloud", "AzureCloud." + region} {
				if !holds(wider, piece.Addr()) {
					t.Errorf("%s does not hold %s.%s", wider, tag, region)
				}
			}
			if region != "eastus" && holds("AzureCloud.eastus", piece.Addr()) {
				t.Errorf("AzureCloud.eastus holds %s.%s", tag, region)
			}
		}
	}
}

func holds(tag string, a netip.Addr) bool {
	list, _ := service.Tag(tag)
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(a) })
}

// A service is at an address of its tag and of its region; of a region that is not
// listed it is at one that its tag has everywhere.
func TestServicesAreInTheirRegion(t *testing.T) {
	for _, c := range []struct{ typ, tag string }{
		{service.TypeStorageAccount, "Storage"}, {service.TypeKeyVault, "AzureKeyVault"}, {service.TypeRegistry, "AzureContainerRegistry"},
	} {
		for location, in := range map[string]map[string]bool{
			"West Europe": {"westeurope": true, "eastus": false}, "eastus": {"westeurope": false, "eastus": true}, "atlantis": {"westeurope": true, "eastus": true},
		} {
			r := arm.Resource{ID: arm.ResourceID("00000000-0000-0000-0000-000000000001", "rg", c.typ, "x"), Name: "x", Type: c.typ, Location: location}
			a := service.PublicAddr(service.Endpoints(r)[0])
			if !holds(c.tag, a) {
				t.Errorf("%s in %s is at %s, outside %s", c.typ, location, a, c.tag)
			}
			for region, want := range in {
				if got := holds(c.tag+"."+region, a); got != want {
					t.Errorf("%s in %s is at %s: in %s.%s %v, want %v", c.typ, location, a, c.tag, region, got, want)
				}
			}
		}
	}
}

func TestTagsAreDated(t *testing.T) {
	if year, month, ok := strings.Cut(service.TagsAsOf, "-"); !ok || len(year) != 4 || len(month) != 2 {
		t.Errorf("TagsAsOf is %q, not a month", service.TagsAsOf)
	}
}
