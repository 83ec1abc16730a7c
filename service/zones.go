package service

import (
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// ZonesDate is the day of the list that [Zones] holds.
const ZonesDate = "2026-07-16"

// Zone is one row of Azure's table of private DNS zones: in which zone the private
// endpoint of a sub-resource has its record, and which public names lead into it.
// {region} stands for the region of the resource.
type Zone struct {
	Type  string // resource type
	Group string // sub-resource
	Name  string // privatelink.blob.core.windows.net
	// Public is the suffix of the public names, as blob.core.windows.net.
	Public string
	// host reports that the resource is served at {name}.Public and recorded as
	// {name}; the others have names that follow from more than the resource's.
	host bool
}

// Zones is Azure's table for the public cloud.
//
// Source: Microsoft Learn, "Azure Private Endpoint private DNS zone values",
// of [ZonesDate].
func Zones() []Zone {
	out := make([]Zone, len(zones))
	copy(out, zones)
	return out
}

// ZonesOf are the zones for a sub-resource of a resource in a location.
func ZonesOf(typ, group, location string) []string {
	var out []string
	for _, z := range zones {
		if strings.EqualFold(z.Type, typ) && strings.EqualFold(z.Group, group) {
			out = append(out, inRegion(z.Name, location))
		}
	}
	return out
}

// inRegion fills a name of the public cloud in for a location.
func inRegion(name, location string) string {
	name = strings.ReplaceAll(name, "{region}", Region(location))
	if c := cloudOf(location); c != nil {
		name = c.names.Replace(name)
	}
	return name
}

// listed are the endpoints of a resource whose names follow from the table.
func listed(r arm.Resource) []Endpoint {
	name := strings.ToLower(r.Name)
	if custom := arm.String(r.Properties, "customSubDomainName"); custom != "" {
		name = strings.ToLower(custom)
	}
	var out []Endpoint
	for _, z := range byType[strings.ToLower(r.Type)] {
		if !z.host || !ofKind(r, z) {
			continue
		}
		zone, suffix := strings.ReplaceAll(z.Name, "{region}", Region(r.Location)), strings.ReplaceAll(z.Public, "{region}", Region(r.Location))
		member := z.Group
		if len(out) > 0 && strings.EqualFold(out[len(out)-1].Group, z.Group) {
			member = z.Group + "-" + z.Public
		}
		out = append(out, Endpoint{
			Host: name + "." + suffix, Service: strings.ToLower(z.Group), Resource: r.ID, Owner: r.ID,
			Group: z.Group, Member: member, Private: name + "." + zone, Zone: zone, Record: name, Tag: "AzureCloud",
		})
	}
	return renamed(out, r.Location)
}

// ofKind reports whether a resource of this kind has the names of the row: an
// Azure OpenAI account those of openai, an AI services account all three.
func ofKind(r arm.Resource, z Zone) bool {
	if !strings.EqualFold(z.Type, typeCognitive) {
		return true
	}
	kind := strings.ToLower(r.Kind)
	switch z.Public {
	case "openai.azure.com":
		return kind == "openai" || kind == "aiservices"
	case "services.ai.azure.com":
		return kind == "aiservices"
	}
	return kind != "openai"
}

const typeCognitive = "Microsoft.CognitiveServices/accounts"

// byType finds the rows of a type, in lower case.
var byType = func() map[string][]Zone {
	out := map[string][]Zone{}
	for _, z := range zones {
		key := strings.ToLower(z.Type)
		out[key] = append(out[key], z)
	}
	return out
}()
