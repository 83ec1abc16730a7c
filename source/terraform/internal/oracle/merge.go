package oracle

import (
	"reflect"

	"github.com/cloister-ml/cloister/arm"
)

// merge lays a patch over a document, as RFC 7386 has it.
func merge(doc, patch arm.Object) arm.Object {
	if doc == nil {
		doc = arm.Object{}
	}
	for k, v := range patch {
		inner, nested := v.(map[string]any)
		there, _ := doc[k].(map[string]any)
		switch {
		case v == nil:
			delete(doc, k)
		case nested:
			doc[k] = merge(there, inner)
		default:
			doc[k] = v
		}
	}
	return doc
}

// strip takes out of body what the endpoint has added to the document and the
// client only sends back: what is in doc as it is in body, and was not in sent.
func strip(body, doc, sent arm.Object) {
	for k, v := range body {
		shown, ok := doc[k]
		if !ok {
			continue
		}
		was, had := sent[k]
		switch v := v.(type) {
		case map[string]any:
			inner, isObject := shown.(map[string]any)
			before, _ := was.(map[string]any)
			if isObject {
				strip(v, inner, before)
				if len(v) == 0 && !had {
					delete(body, k)
				}
				continue
			}
		case []any:
			if list, isList := shown.([]any); isList && had {
				before, _ := was.([]any)
				stripList(v, list, before)
				continue
			}
		}
		if !had && reflect.DeepEqual(v, shown) {
			delete(body, k)
		}
	}
}

func stripList(body, doc, sent []any) {
	for _, e := range body {
		o, ok := e.(map[string]any)
		if !ok {
			continue
		}
		i := elementLike(o, doc)
		if i < 0 || i >= len(sent) {
			continue
		}
		shown, _ := doc[i].(map[string]any)
		was, _ := sent[i].(map[string]any)
		strip(o, shown, was)
	}
}

// elementLike is the place of the element that has the name of o, or the only one.
func elementLike(o arm.Object, list []any) int {
	for i, e := range list {
		other, ok := e.(map[string]any)
		if ok && (o["name"] != nil && other["name"] == o["name"] || len(list) == 1) {
			return i
		}
	}
	return -1
}
