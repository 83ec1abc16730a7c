package cloud

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

// instanceVersions are the versions of /metadata/instance that are answered, the
// oldest first; all alike, since a newer one only adds. Source: Microsoft Learn,
// "Azure Instance Metadata Service", "Supported API versions".
var instanceVersions = []string{
	"2017-04-02", "2017-08-01", "2017-12-01", "2018-02-01", "2018-04-02", "2018-10-01", "2019-02-01", "2019-03-11", "2019-04-30",
	"2019-06-01", "2019-06-04", "2019-08-01", "2019-08-15", "2019-11-01", "2020-06-01", "2020-09-01", "2020-10-01", "2020-12-01",
	"2021-01-01", "2021-02-01", "2021-03-01", "2021-05-01", "2021-10-01", "2021-11-01", "2021-11-15", "2021-12-13", "2023-07-01",
}

// instance describes the machine to the programs on it: all of it, or the part at
// the path. As on Azure a part is JSON unless format=text asks for a list of names
// or a value, and a single value is text only.
func (m *metadata) instance(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if !slices.Contains(instanceVersions, query.Get("api-version")) {
		newest := slices.Clone(instanceVersions[len(instanceVersions)-3:])
		slices.Reverse(newest)
		WriteJSON(w, http.StatusBadRequest, arm.Object{
			"error": "Bad request. api-version is invalid or was not specified in the request.", "newest-versions": newest,
		})
		return
	}
	machine, ok := m.c.Get(m.owner)
	if !ok {
		metadataError(w, http.StatusNotFound, "not_found", "The machine is not there any more")
		return
	}
	node, ok := descend(m.describe(machine), r.PathValue("path"))
	if !ok {
		WriteJSON(w, http.StatusNotFound, arm.Object{"error": "Not found"})
		return
	}
	text := strings.EqualFold(query.Get("format"), "text")
	switch node.(type) {
	case arm.Object, []any:
		if !text {
			WriteJSON(w, http.StatusOK, node)
			return
		}
	default:
		if !text {
			WriteJSON(w, http.StatusBadRequest, arm.Object{"error": "Bad request. A single value is text: add format=text."})
			return
		}
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprint(w, asText(node))
}

// descend finds the part of a tree at a path of names and numbers.
func descend(node any, path string) (any, bool) {
	for name := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if name == "" {
			continue
		}
		switch at := node.(type) {
		case arm.Object:
			next, ok := at[name]
			if !ok {
				return nil, false
			}
			node = next
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(at) {
				return nil, false
			}
			node = at[i]
		default:
			return nil, false
		}
	}
	return node, true
}

// asText is a value, or the names of what is below, one a line, with a slash after
// those that have more below them.
func asText(node any) string {
	var names []string
	name := func(n string, below any) {
		switch below.(type) {
		case arm.Object, []any:
			n += "/"
		}
		names = append(names, n)
	}
	switch at := node.(type) {
	case arm.Object:
		for _, n := range slices.Sorted(maps.Keys(at)) {
			name(n, at[n])
		}
	case []any:
		for i, below := range at {
			name(strconv.Itoa(i), below)
		}
	default:
		return fmt.Sprint(at)
	}
	return strings.Join(names, "\n")
}

func (m *metadata) describe(machine arm.Resource) arm.Object {
	tags := []any{}
	var pairs []string
	for _, k := range slices.Sorted(maps.Keys(machine.Tags)) {
		tags = append(tags, arm.Object{"name": k, "value": machine.Tags[k]})
		pairs = append(pairs, k+":"+machine.Tags[k])
	}
	size := arm.String(machine.Properties, "hardwareProfile.vmSize")
	if size == "" {
		size = arm.String(machine.Properties, "properties.vmSize")
	}
	image := func(field string) string {
		return arm.String(machine.Properties, "storageProfile.imageReference."+field)
	}
	return arm.Object{
		"compute": arm.Object{
			"azEnvironment": "AzurePublicCloud", "location": service.Region(machine.Location), "name": machine.Name, "osType": "Linux",
			"resourceGroupName": machine.ID.ResourceGroup(), "resourceId": string(machine.ID), "subscriptionId": machine.ID.Subscription(),
			"vmId": arm.StableGUID(machine.ID, "vmId"), "vmSize": size, "tags": strings.Join(pairs, ";"), "tagsList": tags,
			"publisher": image("publisher"), "offer": image("offer"), "sku": image("sku"), "version": image("version"),
			"osProfile": arm.Object{
				"adminUsername": arm.String(machine.Properties, "osProfile.adminUsername"),
				"computerName":  arm.String(machine.Properties, "osProfile.computerName"),
			},
		},
		"network": arm.Object{"interface": m.interfaces()},
	}
}

func (m *metadata) interfaces() []any {
	t := m.c.snapshot().docs.topology()
	out := []any{}
	for _, nic := range t.NICs {
		if !nic.Owner.Equal(m.owner) {
			continue
		}
		addresses, subnets, sixes := []any{}, []any{}, []any{}
		for _, a := range nic.Addrs {
			if a.Is6() {
				sixes = append(sixes, arm.Object{"privateIpAddress": a.String()})
				continue
			}
			public := ""
			if nic.PublicAddr.IsValid() {
				public = nic.PublicAddr.String()
			}
			addresses = append(addresses, arm.Object{"privateIpAddress": a.String(), "publicIpAddress": public})
		}
		if s, ok := t.Subnet(nic.Subnet); ok {
			for _, p := range s.Prefixes {
				if p.Addr().Is6() {
					continue
				}
				subnets = append(subnets, arm.Object{"address": p.Addr().String(), "prefix": strconv.Itoa(p.Bits())})
			}
		}
		out = append(out, arm.Object{"ipv4": arm.Object{"ipAddress": addresses, "subnet": subnets}, "ipv6": arm.Object{"ipAddress": sixes}})
	}
	return out
}
