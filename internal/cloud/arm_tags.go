package cloud

import (
	"maps"
	"net/http"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/store"
)

// isTags reports whether the target is the tags of a resource or a group, as a
// resource of their own: {scope}/providers/Microsoft.Resources/tags/default.
func (t target) isTags() bool {
	return strings.EqualFold(t.namespace, "Microsoft.Resources") && len(t.tail) == 2 &&
		strings.EqualFold(t.tail[0], "tags") && strings.EqualFold(t.tail[1], "default") && t.scope.ResourceGroup() != ""
}

// tags reads and writes the tags of a document, and nothing else of it. Who may
// not write the document may be allowed to tag it.
func (q *request) tags() error {
	scope := q.target.scope
	if err := q.mayChange("Microsoft.Resources/tags/"+verb(q.r.Method), scope); err != nil {
		return err
	}
	row := q.at.rows[scope.Key()]
	if row == nil {
		return notFound(scope)
	}
	var change func(map[string]string) (map[string]string, error)
	switch q.r.Method {
	case http.MethodGet:
		return q.answerTags(row)
	case http.MethodDelete:
		change = func(map[string]string) (map[string]string, error) { return nil, nil }
	case http.MethodPut, http.MethodPatch:
		body, err := readObject(q.w, q.r)
		if err != nil {
			return err
		}
		if change, err = tagChange(q.r.Method, body); err != nil {
			return err
		}
	default:
		return methodNotAllowed(q.r)
	}
	now, err := q.changeTags(scope, change)
	if err != nil {
		return err
	}
	if q.r.Method == http.MethodDelete {
		q.w.WriteHeader(http.StatusOK)
		return nil
	}
	return q.answerTags(now)
}

// tagChange is what a body asks for: PUT replaces, PATCH says what it does.
func tagChange(method string, body arm.Object) (func(map[string]string) (map[string]string, error), error) {
	given := map[string]string{}
	list, _ := arm.Lookup(body, "properties.tags")
	object, ok := list.(map[string]any)
	if !ok {
		return nil, Errorf(http.StatusBadRequest, "InvalidRequestContent", "The request content was invalid: it has no object properties.tags.")
	}
	for name, v := range object {
		text, ok := v.(string)
		if !ok {
			return nil, Errorf(http.StatusBadRequest, "InvalidRequestContent", "The request content was invalid: the tag '%s' is not a string.", name)
		}
		given[name] = text
	}
	operation := "replace"
	if method == http.MethodPatch {
		operation = strings.ToLower(arm.String(body, "operation"))
	}
	switch operation {
	case "replace":
		return func(map[string]string) (map[string]string, error) { return given, nil }, nil
	case "merge":
		return func(tags map[string]string) (map[string]string, error) {
			for name, value := range given {
				delete(tags, nameOfTag(tags, name))
				tags[name] = value
			}
			return tags, nil
		}, nil
	case "delete":
		return func(tags map[string]string) (map[string]string, error) {
			for name, value := range given {
				if known := nameOfTag(tags, name); tags[known] == value {
					delete(tags, known)
				}
			}
			return tags, nil
		}, nil
	}
	return nil, Errorf(http.StatusBadRequest, "InvalidTagsPatchOperation", "The operation '%s' is not one of Replace, Merge and Delete.", arm.String(body, "operation"))
}

// nameOfTag is a tag's name as the tags have it: case says nothing.
func nameOfTag(tags map[string]string, name string) string {
	for known := range tags {
		if strings.EqualFold(known, name) {
			return known
		}
	}
	return name
}

func (q *request) changeTags(id arm.ID, f func(map[string]string) (map[string]string, error)) (*store.Row, error) {
	var now *store.Row
	q.entry.Status = http.StatusOK
	err := q.change(func(d *draft) error {
		row := d.row(id)
		if row == nil {
			return notFound(id)
		}
		tags := maps.Clone(row.Resource.Tags)
		if tags == nil {
			tags = map[string]string{}
		}
		doc := document{Resource: row.Resource, extra: row.Extra}
		doc.Properties = arm.Clone(row.Resource.Properties)
		var err error
		if doc.Tags, err = f(tags); err != nil {
			return err
		}
		now, err = q.c.accept(d, doc)
		return err
	})
	return now, err
}

func (q *request) answerTags(row *store.Row) error {
	tags := row.Resource.Tags
	if tags == nil {
		tags = map[string]string{}
	}
	WriteJSON(q.w, http.StatusOK, arm.Object{
		"id": string(row.Resource.ID) + "/providers/Microsoft.Resources/tags/default", "name": "default", "type": "Microsoft.Resources/tags",
		"properties": arm.Object{"tags": tags},
	})
	return nil
}
