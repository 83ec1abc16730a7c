package source

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/diagnostic"
	"github.com/cloister-ml/cloister/source/terraform"
)

// existing are the documents of the stubs, each once: a later stub's wins.
func existing(opts Options) ([]arm.Resource, diagnostic.Diagnostics) {
	byKey := map[string]arm.Resource{}
	var diags diagnostic.Diagnostics
	for _, path := range opts.Stubs {
		docs, said := stub(path, opts)
		diags.Append(said)
		for _, d := range docs {
			byKey[d.ID.Key()] = d
		}
	}
	out := make([]arm.Resource, 0, len(byKey))
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		out = append(out, byKey[key])
	}
	return out, diags
}

// stub reads one file of documents, or each of a directory's.
func stub(path string, opts Options) ([]arm.Resource, diagnostic.Diagnostics) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return stubFile(path, opts)
	}
	var all []arm.Resource
	var diags diagnostic.Diagnostics
	for _, e := range entries { // sorted by name
		if ext := filepath.Ext(e.Name()); e.IsDir() || ext != ".json" && ext != ".tfstate" {
			continue
		}
		docs, said := stubFile(filepath.Join(path, e.Name()), opts)
		all = append(all, docs...)
		diags.Append(said)
	}
	if len(all) == 0 && !diags.HasErrors() {
		return nil, diagnostic.Fail("", "Nothing in a stub", "%s holds no .json and no .tfstate files with documents.", path)
	}
	return all, diags
}

func stubFile(path string, opts Options) ([]arm.Resource, diagnostic.Diagnostics) {
	f, err := os.Open(path)
	if err != nil {
		return nil, diagnostic.Fail("", "Stub cannot be read", "%v.", err)
	}
	defer f.Close()
	text, err := bounded(f)
	if err != nil {
		return nil, diagnostic.Fail(path, "Stub cannot be read", "%v.", err)
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return nil, badJSON(path, text, err)
	}
	if list, ok := answers(v); ok {
		return documents(path, list)
	}
	var h head
	if err := json.Unmarshal(text, &h); err != nil {
		return nil, badJSON(path, text, err)
	}
	o := opts
	o.Stubs, o.Config = nil, ""
	var e *arm.Estate
	var diags diagnostic.Diagnostics
	switch h.form() {
	case formPlan, formState:
		e, diags = terraform.LoadPlan(path, text, o.terraform(nil))
	case formRawState:
		e, diags = terraform.LoadState(path, text, o.terraform(nil))
	case formEstate:
		e, diags = estate(path, text)
	default:
		return nil, diagnostic.Fail(path, "Not a stub", "A stub holds documents as \"az ... show\" or \"az resource list\" print them, a state, or an estate (cloister show --json).")
	}
	if e == nil {
		return nil, diags
	}
	all := slices.Clone(e.All())
	for i := range all {
		all[i].Source.File = path
	}
	return all, diags
}

// answers are the documents of what the command line of Azure or its REST API
// print: one, a list, or a list within "value".
func answers(v any) ([]any, bool) {
	switch v := v.(type) {
	case []any:
		return v, true
	case map[string]any:
		if list, ok := v["value"].([]any); ok {
			return list, true
		}
		if _, ok := v["id"].(string); ok {
			return []any{v}, true
		}
	}
	return nil, false
}

func documents(file string, list []any) ([]arm.Resource, diagnostic.Diagnostics) {
	var out []arm.Resource
	for i, e := range list {
		o, ok := e.(map[string]any)
		if !ok {
			return nil, diagnostic.Fail(file, "Not a document", "Element %d is no object.", i)
		}
		id, err := arm.ParseID(arm.String(o, "id"))
		if err != nil {
			return nil, diagnostic.Fail(file, "Not a document", "Element %d: %v.", i, err)
		}
		docs, err := document(id, o)
		if err != nil {
			return nil, diagnostic.Fail(file, "Not a document", "%s: %v.", id, err)
		}
		for _, d := range docs {
			d.Source = arm.Source{File: file}
			out = append(out, d)
		}
	}
	return out, diagnostic.Diagnostics{}
}

// envelope are the members of a document that are beside its properties. The
// command line of Azure leaves out the member "properties" of some types and has
// what is in it beside these.
var envelope = []string{
	"id", "name", "type", "location", "kind", "tags", "sku", "identity", "zones", "properties",
	"etag", "managedBy", "plan", "extendedLocation", "systemData", "resourceGroup", "provisioningState",
}

// document is one document and those of its children that an estate has apart.
func document(id arm.ID, o arm.Object) ([]arm.Resource, error) {
	nested := nest(o)
	nested["id"], nested["name"], nested["type"] = string(id), id.Name(), id.Type()
	raw, err := json.Marshal(nested)
	if err != nil {
		return nil, fmt.Errorf("writing it: %w", err)
	}
	doc, err := arm.Decode(raw)
	if err != nil {
		return nil, fmt.Errorf("it does not have the shape of a document: %w", err)
	}
	out := []arm.Resource{doc}
	if !doc.IsType("Microsoft.Network/virtualNetworks") {
		return out, nil
	}
	for _, part := range []string{"subnets", "virtualNetworkPeerings"} {
		for _, c := range arm.Objects(doc.Properties, part) {
			name := arm.String(c, "name")
			if name == "" {
				continue
			}
			more, err := document(id.Child(part, name), c)
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
		}
		delete(doc.Properties, part)
	}
	return out, nil
}

// nest gives a document its member "properties" where it has none, and each named
// part of it likewise.
func nest(o arm.Object) arm.Object {
	out := arm.Object{}
	props, whole := o["properties"].(map[string]any)
	if !whole {
		props = arm.Object{}
	}
	for k, v := range o {
		switch {
		case k == "etag" || k == "resourceGroup" || k == "systemData":
		case k == "provisioningState" && !whole, slices.Contains(envelope, k):
			out[k] = v
		case !whole:
			props[k] = parts(v)
		}
	}
	out["properties"] = props
	return out
}

// parts nests the elements of a list that have an id and a name of their own.
func parts(v any) any {
	list, ok := v.([]any)
	if !ok {
		return v
	}
	out := make([]any, len(list))
	for i, e := range list {
		out[i] = e
		o, ok := e.(map[string]any)
		if !ok || !strings.HasPrefix(arm.String(o, "id"), "/subscriptions/") || arm.String(o, "name") == "" {
			continue
		}
		if _, whole := o["properties"]; !whole {
			out[i] = nest(o)
		}
	}
	return out
}
