package oracle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// Recording is what the provider sent for one configuration.
type Recording struct {
	// Config is the directory of the configuration, relative to that of the
	// recording; "" for that itself.
	Config string `json:"config,omitempty"`
	// Vars are the values that its variables had.
	Vars map[string]string `json:"vars,omitempty"`
	// Provider is the provider's name and version.
	Provider string `json:"provider"`
	// Bodies are ordered by id.
	Bodies []Body `json:"bodies"`
}

// Body is the last that was sent to one resource.
type Body struct {
	ID         arm.ID     `json:"id"`
	APIVersion string     `json:"apiVersion"`
	Body       arm.Object `json:"body"`
}

// Gather makes of writes the last body of each resource, in the shape that package
// arm documents: subnets as documents of their own, security rules and routes in
// the group or table that they are of. A role assignment has the name that readers
// give it, for the provider draws one by lot.
func Gather(writes []Write) []Body {
	byID := map[string]*Body{}
	for _, w := range writes {
		b, ok := byID[w.ID.Key()]
		if !ok {
			b = &Body{ID: w.ID}
			byID[w.ID.Key()] = b
		}
		b.APIVersion = w.APIVersion
		if w.Patch {
			b.Body = merge(arm.Clone(b.Body), arm.Clone(w.Body))
		} else {
			b.Body = arm.Clone(w.Body)
		}
	}
	for _, key := range sortedKeys(byID) {
		switch b := byID[key]; strings.ToLower(b.ID.Type()) {
		case "microsoft.network/virtualnetworks":
			splitSubnets(byID, b)
		case "microsoft.network/networksecuritygroups/securityrules":
			fold(byID, b, "securityRules")
		case "microsoft.network/routetables/routes":
			fold(byID, b, "routes")
		case "microsoft.network/loadbalancers/backendaddresspools":
			fold(byID, b, "backendAddressPools")
		case "microsoft.network/loadbalancers/inboundnatrules":
			fold(byID, b, "inboundNatRules")
		case "microsoft.web/sites/config", "microsoft.web/sites/networkconfig":
			props, _ := b.Body["properties"].(map[string]any)
			if site, ok := byID[b.ID.Parent().Key()]; ok && foldSetting(site, b.ID.Name(), props) {
				delete(byID, key)
			}
		case "microsoft.authorization/roleassignments":
			b.ID = assignmentID(b)
		case "microsoft.insights/components/proactivedetectionconfigs":
			delete(b.Body, "name")
			b.Body = arm.Object{"properties": b.Body} // sent without
		case "microsoft.storage/storageaccounts/objectreplicationpolicies":
			b.ID = replicationID(b)
		}
	}
	out := make([]Body, 0, len(byID))
	for _, b := range byID {
		out = append(out, *b)
	}
	slices.SortFunc(out, func(a, b Body) int { return strings.Compare(a.ID.Key(), b.ID.Key()) })
	return out
}

// splitSubnets makes documents of the subnets within a network.
func splitSubnets(byID map[string]*Body, network *Body) {
	props, _ := network.Body["properties"].(map[string]any)
	for _, s := range arm.Objects(props, "subnets") {
		id := network.ID.Child("subnets", arm.String(s, "name"))
		if _, own := byID[id.Key()]; !own {
			byID[id.Key()] = &Body{ID: id, APIVersion: network.APIVersion, Body: arm.Object{"properties": s["properties"]}}
		}
	}
	delete(props, "subnets")
}

// fold puts a child into the list of its parent.
func fold(byID map[string]*Body, child *Body, list string) {
	parent, ok := byID[child.ID.Parent().Key()]
	if !ok {
		return
	}
	props, ok := parent.Body["properties"].(map[string]any)
	if !ok {
		props = arm.Object{}
		parent.Body["properties"] = props
	}
	all, _ := props[list].([]any)
	props[list] = append(all, arm.Object{"name": child.ID.Name(), "properties": child.Body["properties"]})
	delete(byID, child.ID.Key())
}

func assignmentID(b *Body) arm.ID {
	scope := b.ID.Parent()
	props, _ := b.Body["properties"].(map[string]any)
	name := arm.StableGUID(scope, "roleAssignment/"+strings.ToLower(arm.String(props, "roleDefinitionId"))+"/"+arm.String(props, "principalId"))
	return scope.Extension("Microsoft.Authorization", "roleAssignments", name)
}

// replicationID is a policy's id as readers make it: the provider sends "default",
// and Azure chooses a name that both accounts then have.
func replicationID(b *Body) arm.ID {
	props, _ := b.Body["properties"].(map[string]any)
	from, to := arm.ID(arm.String(props, "sourceAccount")), arm.ID(arm.String(props, "destinationAccount"))
	return b.ID.Parent().Child("objectReplicationPolicies", arm.StableGUID(to, "objectReplicationPolicy/"+from.Key()))
}

// Read reads a recording.
func Read(path string) (Recording, error) {
	var r Recording
	raw, err := os.ReadFile(path)
	if err != nil {
		return r, fmt.Errorf("reading a recording: %w", err)
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return r, fmt.Errorf("reading %s: %w", path, err)
	}
	return r, nil
}

// Write writes the recording with a line for each body, so that a change of one is
// a change of one line.
func (r Recording) Write(path string) error {
	var out bytes.Buffer
	line := func(v any) error {
		enc := json.NewEncoder(&out)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(v); err != nil {
			return fmt.Errorf("writing a recording: %w", err)
		}
		out.Truncate(out.Len() - 1)
		return nil
	}
	out.WriteString("{\n")
	for _, part := range []struct {
		name  string
		value any
		empty bool
	}{{"config", r.Config, r.Config == ""}, {"vars", r.Vars, len(r.Vars) == 0}, {"provider", r.Provider, false}} {
		if part.empty {
			continue
		}
		fmt.Fprintf(&out, "  %q: ", part.name)
		if err := line(part.value); err != nil {
			return err
		}
		out.WriteString(",\n")
	}
	out.WriteString("  \"bodies\": [")
	for i, b := range r.Bodies {
		if out.WriteString(map[bool]string{true: "\n    ", false: ",\n    "}[i == 0]); true {
			if err := line(b); err != nil {
				return err
			}
		}
	}
	out.WriteString("\n  ]\n}\n")
	if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
		return fmt.Errorf("writing a recording: %w", err)
	}
	return nil
}

// Variables are the recording's variables with others over them.
func (r Recording) Variables(more map[string]string) map[string]string {
	out := maps.Clone(r.Vars)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, more)
	return out
}
