package check

import (
	"fmt"
	"strings"

	"github.com/agext/levenshtein"

	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// moreZones are names of zones that are in use beside Azure's table.
var moreZones = []string{
	"privatelink.cert.api.azureml.ms", "{region}.privatelink.azurecr.io", "{region}.data.privatelink.azurecr.io", "{subzone}.privatelink.{region}.azmk8s.io",
}

// sovereign are the ends of names in Azure's other clouds, whose table is another.
var sovereign = []string{".us", ".usgovcloudapi.net", ".usgovcloudapp.net", ".windowsazure.us", ".cn", ".chinacloudapi.cn", ".gov", ".scloud", ".ic.gov"}

// zonesNamed requires of each zone for private endpoints that public names lead into
// it: Azure's CNAMEs lead to names of its table and to no others.
func zonesNamed(w *world) []Requirement {
	var out []Requirement
	for _, z := range w.estate.OfType(service.TypePrivateDNSZone) {
		name := strings.ToLower(z.Name)
		private := strings.Contains(name, "privatelink")
		real, public := publicZone(name)
		if !private && !public || hasAnySuffix(name, sovereign) || strings.Contains(name, "{") {
			continue
		}
		value, reason, remedy := verdict.Yes, "public names of Azure lead into it", ""
		switch {
		case !private:
			value = verdict.No
			reason = fmt.Sprintf("%s is the public suffix itself: names with a private endpoint lead on to %s, which this zone is not, and those without one are hidden by it", z.Name, real)
			remedy = fmt.Sprintf("name the zone %s: azurerm_private_dns_zone", real)
		case !knownZone(name):
			value = verdict.No
			reason = fmt.Sprintf("no CNAME of a service of Azure leads into %s, so nobody asks for a record of it", z.Name)
			remedy = "take the zone away: azurerm_private_dns_zone"
			if near := nearestZone(name); near != "" {
				reason += fmt.Sprintf("; the zone of Azure's table that is most like it is %s", near)
				remedy = fmt.Sprintf("name the zone %s: azurerm_private_dns_zone", near)
			}
		}
		r := w.configured("zone-has-use", z, "Public names lead into the zone "+z.Name, value, reason, remedy)
		if value == verdict.No {
			if near := nearestZone(name); near != "" {
				r.faults = []fault{zoneFault(near)}
			} else if public {
				r.faults = []fault{zoneFault(real)}
			}
		}
		out = append(out, r)
	}
	return out
}

func hasAnySuffix(s string, list []string) bool {
	for _, suffix := range list {
		if strings.HasSuffix(s, suffix) {
			return true
		}
	}
	return false
}

// publicZone is the private zone for a name that is the public suffix of a service.
func publicZone(name string) (zone string, ok bool) {
	for _, z := range service.Zones() {
		if z.Public == name && z.Name != name {
			return z.Name, true
		}
	}
	return "", false
}

func knownZone(name string) bool {
	for _, z := range service.Zones() {
		if fits(z.Name, name) {
			return true
		}
	}
	for _, pattern := range moreZones {
		if fits(pattern, name) {
			return true
		}
	}
	return false
}

// fits compares a name with one of the table, in which {...} stands for one label
// or a part of one.
func fits(pattern, name string) bool {
	p, n := strings.Split(pattern, "."), strings.Split(name, ".")
	if len(p) != len(n) {
		return false
	}
	for i := range p {
		before, rest, open := strings.Cut(p[i], "{")
		_, after, _ := strings.Cut(rest, "}")
		if !open && p[i] != n[i] || open && (!strings.HasPrefix(n[i], before) || !strings.HasSuffix(n[i], after)) {
			return false
		}
	}
	return true
}

// nearestZone is the name of the table that is most like one that is not in it.
func nearestZone(name string) string {
	best, at := "", 0.7
	for _, z := range service.Zones() {
		if s := levenshtein.Similarity(name, z.Name, nil); s > at && !strings.Contains(z.Name, "{") {
			best, at = z.Name, s
		}
	}
	return best
}
