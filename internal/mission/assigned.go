package mission

import (
	"context"
	"fmt"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/client"
)

// assignable are the attributes of Terraform that the cloud gives a value when it
// accepts a document and that others are often written with, by the document's type:
// where the document has it.
var assignable = map[string]map[string]func(arm.Resource) string{
	strings.ToLower("Microsoft.Network/publicIPAddresses"): {
		"ip_address": func(r arm.Resource) string { return arm.String(r.Properties, "ipAddress") },
	},
	strings.ToLower("Microsoft.Network/networkInterfaces"): {
		"private_ip_address": firstPrivate("ipConfigurations"),
	},
	strings.ToLower("Microsoft.Network/loadBalancers"): {
		"private_ip_address":                              firstPrivate("frontendIPConfigurations"),
		"frontend_ip_configuration[0].private_ip_address": firstPrivate("frontendIPConfigurations"),
	},
}

func firstPrivate(list string) func(arm.Resource) string {
	return func(r arm.Resource) string {
		for _, c := range arm.Objects(r.Properties, list) {
			return arm.String(c, "properties.privateIPAddress")
		}
		return ""
	}
}

// assigned is an attribute that documents are written with and that another's
// deployment decides.
type assigned struct {
	expression string
	of         arm.ID
	read       func(arm.Resource) string
}

// letAssign writes the documents whose addresses others need, with all that they refer
// to themselves, and returns those addresses by the expressions that ask for them.
// What is not known after that is for [apply] to complain of.
func letAssign(ctx context.Context, c *client.Client, dir string, e *arm.Estate) (map[string]string, error) {
	wanted := assignments(e)
	if len(wanted) == 0 {
		return nil, nil
	}
	last, err := readApplied(dir)
	if err != nil {
		return nil, fmt.Errorf("reading what was applied before: %w", err)
	}
	needed := map[string]bool{}
	for _, w := range wanted {
		need(e, w.of, needed)
	}
	for _, r := range e.InOrder() {
		if !needed[r.ID.Key()] || hasUnknown(r.Properties) {
			continue
		}
		hash, err := hashOf(r)
		if err != nil {
			return nil, err
		}
		if last.Hashes[r.ID.Key()] == hash && there(ctx, c, r.ID) {
			continue
		}
		if err := put(ctx, c, r); err != nil && !inUse(err) {
			return nil, fmt.Errorf("%s (%s): %w", r.Source.Address, r.Source, err)
		}
	}
	out := map[string]string{}
	for _, w := range wanted {
		r, err := c.Get(ctx, w.of)
		if client.NotFound(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("asking for %s: %w", w.expression, err)
		}
		if value := w.read(r); value != "" {
			out[w.expression] = value
		}
	}
	return out, nil
}

// need marks a document with all that it refers to and its parents.
func need(e *arm.Estate, id arm.ID, marked map[string]bool) {
	r, ok := e.Get(id)
	if !ok || marked[r.ID.Key()] {
		return
	}
	marked[r.ID.Key()] = true
	need(e, r.ID.Parent(), marked)
	need(e, r.ID.Group(), marked)
	for _, edge := range e.Edges() {
		if edge.From.Equal(r.ID) {
			need(e, edge.To, marked)
		}
	}
}

// assignments are what documents are written with and the cloud is to decide.
func assignments(e *arm.Estate) []assigned {
	var out []assigned
	seen := map[string]bool{}
	places := map[string]arm.Resource{}
	for _, r := range e.All() {
		places[r.Source.Address] = r
	}
	for _, r := range e.All() {
		eachUnknown(r.Properties, func(u arm.Unknown) {
			if seen[u.Expression] {
				return
			}
			seen[u.Expression] = true
			if w, ok := assignmentOf(places, u.Expression); ok {
				out = append(out, w)
			}
		})
	}
	return out
}

// assignmentOf finds the document whose attribute an expression is: the address ends at
// one of the dots.
func assignmentOf(places map[string]arm.Resource, expression string) (assigned, bool) {
	for i, c := range expression {
		if c != '.' {
			continue
		}
		r, ok := places[expression[:i]]
		if !ok {
			continue
		}
		if read, ok := assignable[strings.ToLower(r.Type)][expression[i+1:]]; ok {
			return assigned{expression, r.ID, read}, true
		}
	}
	return assigned{}, false
}

func hasUnknown(v any) (has bool) {
	eachUnknown(v, func(arm.Unknown) { has = true })
	return has
}

func eachUnknown(v any, do func(arm.Unknown)) {
	switch node := v.(type) {
	case arm.Unknown:
		do(node)
	case map[string]any:
		for _, e := range node {
			eachUnknown(e, do)
		}
	case []any:
		for _, e := range node {
			eachUnknown(e, do)
		}
	}
}
