package network

import (
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
)

func prepareNSG(view cloud.View, _ *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if err := checkLocated(r); err != nil {
		return r, err
	}
	for _, computed := range []string{"defaultSecurityRules", "networkInterfaces", "subnets", "resourceGuid"} {
		remove(r.Properties, computed)
	}
	plainElements(r.Properties, "securityRules")
	if err := checkPriorities(r); err != nil {
		return r, err
	}
	if err := problems(view, r, "SecurityRuleInvalid"); err != nil {
		return r, err
	}
	e := with(view, r)
	for _, s := range e.ReferencesTo(r.ID) {
		if err := checkBastionSubnet(e, s.From); err != nil {
			return r, err
		}
	}
	return r, nil
}

// plainElements leaves of each element its name and its properties: the rest
// follows from them.
func plainElements(o arm.Object, field string) {
	list := []any{}
	for _, e := range arm.Objects(o, field) {
		properties, _ := e["properties"].(map[string]any)
		properties = arm.Clone(properties)
		if properties == nil {
			properties = arm.Object{}
		}
		remove(properties, "provisioningState")
		list = append(list, arm.Object{"name": arm.String(e, "name"), "properties": properties})
	}
	remove(o, field)
	o[field] = list
}

func checkPriorities(r arm.Resource) error {
	type place struct {
		direction string
		priority  int
	}
	names, taken := map[string]bool{}, map[place]string{}
	for _, rule := range arm.Objects(r.Properties, "securityRules") {
		name := arm.String(rule, "name")
		if !resourceName.MatchString(name) {
			return refuse("InvalidResourceName", "Resource name %s is invalid: it is the name of a security rule of %s.", name, r.ID)
		}
		if key := strings.ToLower(name); names[key] {
			return refuse("DuplicateResourceName", "Resource %s has two security rules with the name %s.", r.ID, name)
		}
		names[strings.ToLower(name)] = true
		at := place{strings.ToLower(arm.String(rule, "properties.direction")), arm.Int(rule, "properties.priority", 0)}
		if at.priority < 100 || at.priority > 4096 {
			return refuse("SecurityRuleInvalidPriority", "Security rule %s has invalid priority %d. Priority must be between 100 and 4096.", name, at.priority)
		}
		if other, ok := taken[at]; ok {
			return refuse("SecurityRuleConflict", "Security rule %s conflicts with rule %s. Rules cannot have the same Priority and Direction.", name, other)
		}
		taken[at] = name
	}
	return nil
}

func presentNSG(view cloud.View, r arm.Resource) arm.Resource {
	withIDs(r, "securityRules", "securityRules")
	r.Properties["defaultSecurityRules"] = defaultRules(view, r)
	if list := usersOf(view, r.ID, typeSubnet); len(list) > 0 {
		r.Properties["subnets"] = refs(list)
	}
	if list := usersOf(view, r.ID, service.TypeNetworkInterface); len(list) > 0 {
		r.Properties["networkInterfaces"] = refs(list)
	}
	fill(r.Properties, "resourceGuid", arm.StableGUID(r.ID, "resourceGuid"))
	return r
}

// withIDs gives the elements of an array the id that each has as a document.
func withIDs(r arm.Resource, field, kind string) {
	for _, e := range arm.Objects(r.Properties, field) {
		e["id"] = string(r.ID.Child(kind, arm.String(e, "name")))
		e["type"] = r.Type + "/" + kind
	}
}

// defaultRules are Azure's own six, as documents.
func defaultRules(view cloud.View, r arm.Resource) []any {
	g, _ := network.FromEstate(view.Estate()).NSG(r.ID)
	list := []any{}
	for _, rule := range g.Rules {
		if !rule.Default {
			continue
		}
		access := "Deny"
		if rule.Allow {
			access = "Allow"
		}
		list = append(list, arm.Object{
			"id": string(r.ID.Child("defaultSecurityRules", rule.Name)), "name": rule.Name, "type": r.Type + "/defaultSecurityRules",
			"properties": arm.Object{
				"protocol": rule.Protocol, "sourcePortRange": "*", "destinationPortRange": "*", "provisioningState": "Succeeded",
				"sourceAddressPrefix": first(rule.Sources), "destinationAddressPrefix": first(rule.Destinations),
				"access": access, "priority": float64(rule.Priority), "direction": string(rule.Direction),
			},
		})
	}
	return list
}

func first(list []string) string {
	if len(list) == 0 {
		return "*"
	}
	return list[0]
}
