package terraform

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

const typeNSG = "Microsoft.Network/networkSecurityGroups"

// ruleProps are a security rule's, in its group or on its own.
var ruleProps = []prop{
	attr("name", "name"),
	attr("description", "properties.description"),
	attr("priority", "properties.priority"),
	attr("direction", "properties.direction"),
	attr("access", "properties.access"),
	attr("protocol", "properties.protocol"),
	attr("source_port_range", "properties.sourcePortRange"),
	attr("source_port_ranges", "properties.sourcePortRanges"),
	attr("destination_port_range", "properties.destinationPortRange"),
	attr("destination_port_ranges", "properties.destinationPortRanges"),
	attr("source_address_prefix", "properties.sourceAddressPrefix"),
	attr("source_address_prefixes", "properties.sourceAddressPrefixes"),
	attr("destination_address_prefix", "properties.destinationAddressPrefix"),
	attr("destination_address_prefixes", "properties.destinationAddressPrefixes"),
	attr("source_application_security_group_ids", "properties.sourceApplicationSecurityGroups").as(references),
	attr("destination_application_security_group_ids", "properties.destinationApplicationSecurityGroups").as(references),
}

var nsgKinds = map[string]kind{
	"azurerm_network_security_group": {
		arm:   typeNSG,
		id:    inGroup(typeNSG),
		props: []prop{each("security_rule", "securityRules", ruleProps...).or([]any{})},
	},
	"azurerm_network_security_rule":                     within(under(typeNSG, "network_security_group_name", "securityRules"), "securityRules", ruleProps...),
	"azurerm_subnet_network_security_group_association": setsRef("subnet_id", typeSubnet, "network_security_group_id", "networkSecurityGroup.id"),
}

// appendTo adds an element to an array of a document's properties. Where the
// array itself is not known it stays so.
func appendTo(doc *arm.Resource, member string, element any) {
	if doc.Properties == nil {
		doc.Properties = arm.Object{}
	}
	switch list := doc.Properties[member].(type) {
	case nil:
		doc.Properties[member] = []any{element}
	case []any:
		doc.Properties[member] = append(list, element)
	}
}

// orderRules puts the rules of a group into the order in which Azure reads them:
// inbound before outbound, by priority, and each rule's prefixes and ports, the shorter first.
// The order in which they are written means nothing, and a plan or a state keeps
// another.
func orderRules(doc *arm.Resource) {
	rules, ok := doc.Properties["securityRules"].([]any)
	if !ok || !doc.IsType(typeNSG) {
		return
	}
	for _, rule := range rules {
		o, _ := rule.(arm.Object)
		props, _ := o["properties"].(arm.Object)
		for _, name := range []string{"sourceAddressPrefixes", "destinationAddressPrefixes", "sourcePortRanges", "destinationPortRanges"} {
			if list, ok := props[name].([]any); ok {
				props[name] = ordered(list)
			}
		}
	}
	slices.SortStableFunc(rules, func(a, b any) int {
		x, y := keyOfRule(a), keyOfRule(b)
		return cmp.Or(strings.Compare(x.direction, y.direction), cmp.Compare(x.priority, y.priority), strings.Compare(x.name, y.name))
	})
}

// ordered sorts a list of strings; one that holds something else stays as it is.
func ordered(list []any) []any {
	for _, e := range list {
		if _, text := e.(string); !text {
			return list
		}
	}
	return slices.SortedFunc(slices.Values(list), func(a, b any) int {
		x, y := a.(string), b.(string)
		return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y)) // 80 before 443
	})
}

type ruleKey struct {
	direction string
	priority  float64
	name      string
}

// keyOfRule is what orders a rule; one whose direction or priority is not known
// comes last.
func keyOfRule(rule any) ruleKey {
	o, _ := rule.(arm.Object)
	k := ruleKey{direction: strings.ToLower(arm.String(o, "properties.direction")), priority: math.Inf(1), name: arm.String(o, "name")}
	if k.direction == "" {
		k.direction = "~"
	}
	if v, _ := arm.Lookup(o, "properties.priority"); v != nil {
		if p, ok := v.(float64); ok {
			k.priority = p
		}
	}
	return k
}
