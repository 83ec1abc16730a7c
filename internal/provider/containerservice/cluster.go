package containerservice

import (
	"net/http"
	"net/netip"
	"regexp"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
)

// version is the Kubernetes version of a cluster that asks for none.
const version = "1.33"

var (
	clusterName = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9])?$`)
	poolName    = regexp.MustCompile(`^[a-z][a-z0-9]{0,11}$`)
	dnsPrefix   = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9-]{0,52}[a-zA-Z0-9])?$`)
)

// prepareCluster checks a cluster and fills in what Azure fills in.
func prepareCluster(view cloud.View, old *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if !clusterName.MatchString(r.Name) {
		return r, badRequest("InvalidParameter", "The cluster name %q is invalid: it has 1 to 63 letters, digits, '-' and '_', and begins and ends with a letter or a digit.", r.Name)
	}
	if r.Properties = arm.Clone(r.Properties); r.Properties == nil {
		r.Properties = arm.Object{}
	}
	keepZone(old, r.Properties)
	for _, check := range []func(cloud.View, *arm.Resource, arm.Resource) error{checkPools, checkPrefix, checkUnchanged, checkServices} {
		if err := check(view, old, r); err != nil {
			return r, err
		}
	}
	fillCluster(r)
	return r, nil
}

// keepZone keeps the zone of a private cluster, which cannot be changed, where a
// client changes the profile that it is in without it, as azurerm does.
func keepZone(old *arm.Resource, p arm.Object) {
	profile, ok := p["apiServerAccessProfile"].(map[string]any)
	if old == nil || !ok || profile["privateDNSZone"] != nil {
		return
	}
	if zone := arm.String(old.Properties, "apiServerAccessProfile.privateDNSZone"); zone != "" {
		profile["privateDNSZone"] = zone
	}
}

func checkPools(_ cloud.View, old *arm.Resource, r arm.Resource) error {
	profiles := pools(r)
	system := false
	for _, p := range profiles {
		if err := checkPool(arm.String(p, "name"), p); err != nil {
			return err
		}
		system = system || strings.EqualFold(arm.String(p, "mode"), "System")
	}
	if old == nil && len(profiles) > 0 && !system {
		return badRequest("BadRequest", "There has to be at least one agent pool with mode System.")
	}
	if old == nil && len(profiles) == 0 {
		return badRequest("InvalidParameter", "Required parameter agentPoolProfiles is missing (null).")
	}
	return nil
}

func checkPool(name string, p arm.Object) error {
	if !poolName.MatchString(name) {
		return badRequest("InvalidParameter", "The agent pool name %q is invalid: it has 1 to 12 lower-case letters and digits, and begins with a letter.", name)
	}
	if lowest, highest := arm.Int(p, "minCount", 0), arm.Int(p, "maxCount", 1000); arm.Bool(p, "enableAutoScaling", false) && lowest > highest {
		return badRequest("InvalidParameter", "The agent pool %s scales from %d to %d nodes: the first must not be above the second.", name, lowest, highest)
	}
	return nil
}

// checkPrefix checks what the name of the API server begins with.
func checkPrefix(_ cloud.View, _ *arm.Resource, r arm.Resource) error {
	prefix, subdomain := arm.String(r.Properties, "dnsPrefix"), arm.String(r.Properties, "fqdnSubdomain")
	switch {
	case prefix != "" && subdomain != "":
		return badRequest("InvalidParameter", "properties.dnsPrefix and properties.fqdnSubdomain exclude each other.")
	case prefix == "" && subdomain == "":
		return badRequest("InvalidParameter", "Required parameter dnsPrefix is missing (null).")
	case !dnsPrefix.MatchString(prefix + subdomain):
		return badRequest("InvalidParameter", "%q cannot begin a host name: it has 1 to 54 letters, digits and '-', and begins and ends with a letter or a digit.", prefix+subdomain)
	}
	return nil
}

// checkUnchanged refuses changes that a cluster must be made anew for.
func checkUnchanged(_ cloud.View, old *arm.Resource, r arm.Resource) error {
	if old == nil {
		return nil
	}
	for _, path := range []string{
		"dnsPrefix", "fqdnSubdomain", "nodeResourceGroup", "apiServerAccessProfile.enablePrivateCluster", "networkProfile.podCidr",
		"networkProfile.serviceCidr", "networkProfile.dnsServiceIP", "networkProfile.networkPlugin",
	} {
		was, had := arm.Lookup(old.Properties, path)
		is, has := arm.Lookup(r.Properties, path)
		if had && has && is != "" && was != is {
			return cloud.Errorf(http.StatusConflict, "PropertyChangeNotAllowed", "Changing property 'properties.%s' is not allowed: it was %v.", path, was)
		}
	}
	return nil
}

// checkServices refuses a range of services that overlaps a subnet of the nodes'
// network: their addresses could not be told apart.
func checkServices(view cloud.View, _ *arm.Resource, r arm.Resource) error {
	services, err := netip.ParsePrefix(arm.String(r.Properties, "networkProfile.serviceCidr"))
	if err != nil {
		return nil //nolint:nilerr // without a range, Azure chooses one
	}
	for _, p := range pools(r) {
		id := arm.Ref(p, "vnetSubnetID")
		if id == "" {
			continue
		}
		subnet, ok := view.Get(id)
		if !ok {
			return badRequest("InvalidResourceReference", "The subnet %s of the agent pool %s does not exist.", id, arm.String(p, "name"))
		}
		for _, other := range view.Estate().Children(subnet.ID.Parent(), subnet.Type) {
			for _, text := range append(arm.Strings(other.Properties, "addressPrefixes"), arm.String(other.Properties, "addressPrefix")) {
				if prefix, err := netip.ParsePrefix(text); err == nil && prefix.Overlaps(services) {
					return badRequest("ServiceCidrOverlapExistingSubnetsCidr", "The specified service CIDR %s conflicts with the existing subnet %s (%s).", services, other.Name, prefix)
				}
			}
		}
	}
	return nil
}

// fillCluster fills in what Azure does.
func fillCluster(r arm.Resource) {
	p := r.Properties
	region := strings.ToLower(r.Location)
	fill(p, "kubernetesVersion", version)
	p["currentKubernetesVersion"] = p["kubernetesVersion"]
	fill(p, "nodeResourceGroup", "MC_"+r.ID.ResourceGroup()+"_"+r.Name+"_"+region)
	fill(p, "maxAgentPools", 100.0)
	fill(p, "enableRBAC", true)
	p["powerState"] = arm.Object{"code": "Stopped"} // nothing runs it
	host := apiHost(r, region)
	if arm.Bool(p, "apiServerAccessProfile.enablePrivateCluster", false) {
		p["privateFQDN"] = host
	} else {
		p["fqdn"] = host
	}
	if oidc, ok := p["oidcIssuerProfile"].(arm.Object); ok && arm.Bool(oidc, "enabled", false) {
		oidc["issuerURL"] = "https://" + region + ".oic.prod-aks.azure.com/" + arm.StableGUID(r.ID, "tenant") + "/" + arm.StableGUID(r.ID, "issuer") + "/"
	}
	for _, profile := range pools(r) {
		fillPool(profile, p["kubernetesVersion"])
	}
}

func fillPool(p arm.Object, version any) {
	fill(p, "count", 1.0)
	fill(p, "mode", "User")
	fill(p, "osType", "Linux")
	fill(p, "type", "VirtualMachineScaleSets")
	fill(p, "orchestratorVersion", version)
	p["currentOrchestratorVersion"] = p["orchestratorVersion"]
	p["powerState"] = arm.Object{"code": "Stopped"}
}

// fill sets a member that is missing or empty.
func fill(o arm.Object, name string, value any) {
	if have, ok := o[name]; !ok || have == nil || have == "" {
		o[name] = value
	}
}

// apiHost is the host name of the API server. In a private zone that the user
// brings, a cluster with a subdomain is called by it alone.
func apiHost(r arm.Resource, region string) string {
	p := r.Properties
	hash := strings.ReplaceAll(arm.StableGUID(r.ID, "fqdn"), "-", "")[:8]
	private := arm.Bool(p, "apiServerAccessProfile.enablePrivateCluster", false)
	switch subdomain := arm.String(p, "fqdnSubdomain"); {
	case subdomain != "":
		return subdomain + ".privatelink." + region + ".azmk8s.io"
	case private:
		return arm.String(p, "dnsPrefix") + "-" + hash + "." + arm.StableGUID(r.ID, "zone") + ".privatelink." + region + ".azmk8s.io"
	}
	return arm.String(p, "dnsPrefix") + "-" + hash + ".hcp." + region + ".azmk8s.io"
}

// preparePool checks a node pool and fills in what Azure fills in.
func preparePool(view cloud.View, _ *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if r.Properties = arm.Clone(r.Properties); r.Properties == nil {
		r.Properties = arm.Object{}
	}
	if err := checkPool(r.Name, r.Properties); err != nil {
		return r, err
	}
	var v any = version
	if cluster, ok := view.Get(r.ID.Parent()); ok {
		v = cluster.Properties["kubernetesVersion"]
	}
	fillPool(r.Properties, v)
	return r, nil
}
