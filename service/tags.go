package service

import (
	"net/netip"
	"strings"
	"sync"
)

// TagsAsOf is the month in which the names of service tags, and whether they have
// regional forms, were last held against Azure's list.
//
// Sources: Microsoft Learn, "Virtual network service tags" (available service
// tags) and "Configure inbound and outbound network traffic" of Azure Machine
// Learning.
const TagsAsOf = "2026-03"

// serviceTag is a tag with its place in the plan.
type serviceTag struct {
	name     string
	shared   string // what it has of no region, of TEST-NET-2 (RFC 5737); "" for none
	regional bool   // it has a form for each region
}

// serviceTags are the tags that are listed. Where each is follows from its place in
// the list: new ones go to its end. Those that name addresses of the caller's own
// network (VirtualNetwork, Internet, AzureLoadBalancer, AzurePlatformDNS, ...) are
// not here.
var serviceTags = []serviceTag{
	{"AzureActiveDirectory", "198.51.100.0/29", false},
	{"AzureResourceManager", "198.51.100.8/29", false},
	{"AzureDevOps", "198.51.100.16/29", true},
	{"AzureMonitor", "198.51.100.24/29", false},
	{"MicrosoftContainerRegistry", "198.51.100.32/29", true},
	{"AzureFrontDoor.FirstParty", "198.51.100.40/29", false},
	{"AzureFrontDoor.Frontend", "198.51.100.48/29", false},
	{"BatchNodeManagement", "198.51.100.56/29", true},
	{"AzureMachineLearning", "198.51.100.64/27", false},
	{"Storage", "198.51.100.96/27", true},
	{"AzureKeyVault", "198.51.100.128/27", true},
	{"AzureContainerRegistry", "198.51.100.160/27", true},
	{"GatewayManager", "198.51.100.192/29", false},
	{"Sql", "", true},
	{"EventHub", "", true},
	{"ServiceBus", "", true},
	{"AzureCosmosDB", "", true},
	{"AppService", "", true},
	{"ApiManagement", "", true},
	{"AzureConnectors", "", true},
	{"AzureIoTHub", "", true},
	{"DataFactory", "", true},
	{"HDInsight", "", true},
	{"AzureContainerAppsService", "", true},
	{"AzureFrontDoor.Backend", "", false},
	{"AppConfiguration", "", false},
	{"AppServiceManagement", "", false},
	{"AzureArcInfrastructure", "", false},
	{"AzureAttestation", "", false},
	{"AzureBackup", "", false},
	{"AzureBotService", "", false},
	{"AzureCognitiveSearch", "", false},
	{"AzureDatabricks", "", false},
	{"AzureEventGrid", "", false},
	{"AzureMachineLearningInference", "", false},
	{"AzureOpenDatasets", "", false},
	{"AzureSignalR", "", false},
	{"AzureSiteRecovery", "", false},
	{"AzureTrafficManager", "", false},
	{"CognitiveServicesFrontend", "", false},
	{"CognitiveServicesManagement", "", false},
	{"DataFactoryManagement", "", false},
	{"GuestAndHybridManagement", "", false},
	{"LogicApps", "", false},
	{"LogicAppsManagement", "", false},
	{"PowerBI", "", false},
	{"SerialConsole", "", false},
	{"ServiceFabric", "", false},
	{"SqlManagement", "", false},
	{"StorageSyncService", "", false},
	{"WindowsVirtualDesktop", "", false},
}

// regions are those of the public cloud, in an order that stays as it is: new ones
// go to its end.
var regions = strings.Fields(`
	eastus eastus2 southcentralus westus2 westus3 australiaeast southeastasia northeurope swedencentral uksouth westeurope
	centralus southafricanorth centralindia eastasia japaneast koreacentral canadacentral francecentral germanywestcentral
	norwayeast switzerlandnorth uaenorth brazilsouth israelcentral qatarcentral italynorth polandcentral spaincentral
	mexicocentral newzealandnorth northcentralus westus jioindiawest jioindiacentral westcentralus southafricawest
	australiacentral australiacentral2 australiasoutheast japanwest koreasouth southindia westindia canadaeast francesouth
	germanynorth norwaywest switzerlandwest ukwest uaecentral brazilsoutheast swedensouth indonesiacentral malaysiawest
	austriaeast chilecentral belgiumcentral denmarkeast taiwannorth taiwannorthwest malaysiasouth southeastus
`)

// tagRegions are the names that service tags have for some regions.
var tagRegions = map[string]string{
	"centralfrance": "francecentral", "southfrance": "francesouth", "germanywc": "germanywestcentral", "germanyn": "germanynorth",
	"norwaye": "norwayeast", "norwayw": "norwaywest", "switzerlandn": "switzerlandnorth", "switzerlandw": "switzerlandwest",
	"brazilse": "brazilsoutheast",
}

// Where the plan puts what has no room in TEST-NET-2: the range for benchmarks
// (RFC 2544). Each tag that has regional forms has a /21 of it, with a /27 for each
// region; each other tag a /24 of the upper half.
var (
	regionalBase = netip.MustParseAddr("198.18.0.0")
	globalBase   = netip.MustParseAddr("198.19.0.0")
)

// azureCloud is the tag of everything that Azure itself has.
const azureCloud = "azurecloud"

var everything = []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("198.18.0.0/15")}

// otherServices holds the services of which no tag has a prefix of its own. They
// are of AzureCloud and of no other tag in the plan.
var otherServices = netip.MustParsePrefix("198.51.100.224/27")

// Services are the prefixes of the plan that belong to services.
func Services() []netip.Prefix { return append([]netip.Prefix(nil), everything...) }

// tagPlan is the plan by names in lower case, regional forms included. It is made
// when it is first asked for: there are thousands of names.
var tagPlan = sync.OnceValue(planTags)

func planTags() map[string][]netip.Prefix {
	plan := map[string][]netip.Prefix{azureCloud: everything}
	numbered, global := 0, 0
	for _, t := range serviceTags {
		name := strings.ToLower(t.name)
		var shared []netip.Prefix
		if t.shared != "" {
			shared = []netip.Prefix{netip.MustParsePrefix(t.shared)}
		}
		switch {
		case t.regional:
			block := netip.PrefixFrom(after(regionalBase, numbered<<11), 21)
			numbered++
			plan[name] = append(shared[:len(shared):len(shared)], block)
			for i, region := range regions {
				piece := netip.PrefixFrom(after(block.Addr(), i<<5), 27)
				plan[name+"."+region] = append(shared[:len(shared):len(shared)], piece)
				cloud := azureCloud + "." + region
				if plan[cloud] == nil {
					plan[cloud] = everything[:1:1]
				}
				plan[cloud] = append(plan[cloud], piece)
			}
		case t.shared != "":
			plan[name] = shared
		default:
			plan[name] = []netip.Prefix{netip.PrefixFrom(after(globalBase, global<<8), 24)}
			global++
		}
	}
	return plan
}

// after is the IPv4 address n places behind a.
func after(a netip.Addr, n int) netip.Addr {
	b := a.As4()
	v := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	v += uint32(n)
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}

// Tag is the prefix list of a service tag, by its name as Azure has it, in any
// case. A regional form ("Storage.WestEurope") is for services of that region, and
// for those of which the plan does not say where they are: what is shared by all.
// A tag that is not listed, a region that is not, and a regional form of a tag that
// has none are not known: ok is false, and the caller must not take them as empty.
// VirtualNetwork, Internet and AzureLoadBalancer depend on the network that asks
// and are not here. The list must not be changed.
func Tag(name string) (prefixes []netip.Prefix, ok bool) {
	name = strings.ToLower(name)
	prefixes, ok = tagPlan()[name]
	if i := strings.LastIndexByte(name, '.'); !ok && i > 0 {
		prefixes, ok = tagPlan()[name[:i+1]+tagRegions[name[i+1:]]]
	}
	return prefixes, ok
}

// placeOf is where the plan puts a service of a tag and a region.
func placeOf(tag, region string) (netip.Prefix, bool) {
	if strings.EqualFold(tag, azureCloud) {
		return otherServices, true
	}
	if list := tagPlan()[strings.ToLower(tag+"."+region)]; region != "" && len(list) > 0 {
		return list[len(list)-1], true
	}
	list := tagPlan()[strings.ToLower(tag)]
	if len(list) == 0 {
		return netip.Prefix{}, false
	}
	return list[0], true
}
