package resources

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/source/template"
)

// preview is a deployment that is worked out and not made.
type preview struct {
	trial   *cloud.Trial
	changes []arm.Object
	seen    map[string]bool // keys of what the template has, and of what holds it
}

// Reference implements template.Cloud: by what would be there.
func (v *preview) Reference(id arm.ID, _ string) (arm.Object, bool, error) {
	doc := v.trial.Get(id)
	return doc, doc != nil, nil
}

// List implements template.Cloud: keys are not given out for a preview.
func (v *preview) List(arm.ID, string, string, any) (any, bool, error) { return nil, false, nil }

// change adds one resource's change. The error is why it would be refused.
func (v *preview) change(id arm.ID, body arm.Object) error {
	for at := id; at != "" && at != "/" && !v.seen[at.Key()]; at = at.Parent() {
		v.seen[at.Key()] = true
	}
	_, unsure := firstUnknown(body)
	plain, _ := expressions(body).(map[string]any)
	before, after, err := v.trial.Put(id, plain)
	if err != nil && unsure {
		// It may be right when what is not known yet is known.
		v.changes = append(v.changes, arm.Object{"resourceId": string(id), "changeType": "Unsupported", "unsupportedReason": err.Error(), "after": plain})
		return nil
	}
	if err != nil {
		return err
	}
	one := arm.Object{"resourceId": string(id), "after": after}
	before, after = compared(before), compared(after)
	one["after"] = after
	one["changeType"] = "Create"
	if before != nil {
		one["before"], one["changeType"] = before, "NoChange"
		if delta := differences("", before, after); len(delta) > 0 {
			one["changeType"], one["delta"] = "Modify", delta
		}
	}
	v.changes = append(v.changes, one)
	return nil
}

// compared is a document without what the cloud says of it by itself.
func compared(doc arm.Object) arm.Object {
	if doc == nil {
		return nil
	}
	doc = maps.Clone(doc)
	delete(doc, "etag")
	delete(doc, "systemData")
	if props, ok := doc["properties"].(map[string]any); ok {
		props = maps.Clone(props)
		delete(props, "provisioningState")
		doc["properties"] = props
	}
	return doc
}

// expressions puts the expression in the place of each value that is not known.
func expressions(v any) any {
	switch node := v.(type) {
	case arm.Unknown:
		return "[" + node.Expression + "]"
	case map[string]any:
		out := make(map[string]any, len(node))
		for k, e := range node {
			out[k] = expressions(e)
		}
		return out
	case []any:
		out := make([]any, len(node))
		for i, e := range node {
			out[i] = expressions(e)
		}
		return out
	}
	return v
}

// differences are the properties that change, by path.
func differences(path string, before, after any) []arm.Object {
	was, wasObject := before.(map[string]any)
	is, isObject := after.(map[string]any)
	if !wasObject || !isObject {
		if reflect.DeepEqual(before, after) {
			return nil
		}
		return []arm.Object{{"path": path, "propertyChangeType": "Modify", "before": before, "after": after}}
	}
	names := maps.Clone(was)
	maps.Copy(names, is)
	var out []arm.Object
	for _, name := range slices.Sorted(maps.Keys(names)) {
		at := strings.TrimPrefix(path+"."+name, ".")
		b, had := was[name]
		a, has := is[name]
		switch {
		case !had:
			out = append(out, arm.Object{"path": at, "propertyChangeType": "Create", "after": a})
		case !has:
			out = append(out, arm.Object{"path": at, "propertyChangeType": "Delete", "before": b})
		default:
			out = append(out, differences(at, b, a)...)
		}
	}
	return out
}

// steps works out a deployment and those within it.
func (v *preview) steps(d *template.Deployment) error {
	for _, step := range d.Steps() {
		switch {
		case step.Existing:
		case step.IsDeployment():
			inner, diags := step.Deployment(v)
			if inner == nil || diags.HasErrors() {
				return invalid("The nested deployment %s: %s", step.ID.Name(), said(diags))
			}
			if err := v.steps(inner); err != nil {
				return err
			}
		default:
			body, err := step.Body(v)
			if err != nil {
				return invalid("%v", err)
			}
			if err := v.change(step.ID, body); err != nil {
				return err
			}
		}
	}
	return nil
}

// others adds what the group holds besides: it stays, or in the mode Complete goes.
func (v *preview) others(p path, mode string) {
	if p.at.ResourceGroup() == "" {
		return
	}
	kind := "Ignore"
	if mode == "Complete" {
		kind = "Delete"
	}
	for _, id := range v.trial.Held(p.at) {
		if !v.seen[id.Key()] {
			v.changes = append(v.changes, arm.Object{"resourceId": string(id), "changeType": kind, "before": compared(v.trial.Get(id))})
		}
	}
}

func (d *deployer) preview(r *http.Request, p path) (*preview, request, error) {
	req, err := readRequest(r, p)
	if err != nil {
		return nil, req, err
	}
	v, err := d.previewOf(r.Context(), cloud.CallerFrom(r.Context()), req, p)
	return v, req, err
}

// previewOf works out what a request would deploy.
func (d *deployer) previewOf(ctx context.Context, caller cloud.Caller, req request, p path) (*preview, error) {
	expanded, err := d.expand(ctx, caller, req, p)
	if err != nil {
		return nil, err
	}
	v := &preview{trial: d.cloud.Try(caller), seen: map[string]bool{}, changes: []arm.Object{}}
	if err := v.steps(expanded); err != nil {
		return nil, err
	}
	v.others(p, req.Properties.Mode)
	return v, nil
}

// validated are the resources that would be written.
func (v *preview) validated() []arm.Object {
	out := []arm.Object{}
	for _, c := range v.changes {
		if c["changeType"] != "Ignore" && c["changeType"] != "Delete" {
			out = append(out, arm.Object{"id": c["resourceId"]})
		}
	}
	return out
}

func (d *deployer) whatIf(w http.ResponseWriter, r *http.Request, p path) error {
	v, _, err := d.preview(r, p)
	var e *cloud.Error
	if errors.As(err, &e) && e.Status != http.StatusRequestEntityTooLarge {
		cloud.WriteJSON(w, http.StatusOK, arm.Object{"status": failed, "error": errorObject(err)})
		return nil
	}
	if err != nil {
		return err
	}
	cloud.WriteJSON(w, http.StatusOK, arm.Object{"status": succeeded, "properties": arm.Object{"changes": v.changes}})
	return nil
}

func (d *deployer) validate(w http.ResponseWriter, r *http.Request, p path) error {
	v, req, err := d.preview(r, p)
	if err != nil {
		return err
	}
	cloud.WriteJSON(w, http.StatusOK, arm.Object{
		"id": string(p.id), "name": p.id.Name(), "type": TypeDeployment,
		"properties": arm.Object{
			"mode": req.Properties.Mode, "provisioningState": succeeded, "timestamp": now(), "templateHash": hash(req.Properties.Template),
			"parameters": shown(req), "validatedResources": v.validated(),
		},
	})
	return nil
}
