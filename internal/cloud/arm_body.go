package cloud

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/store"
	"github.com/cloister-ml/cloister/service"
)

const (
	maxBody  = 4 << 20 // ARM's own bound
	maxDepth = 64      // of JSON in a document
)

// document is a resource as a client writes it.
type document struct {
	arm.Resource
	extra arm.Object
}

// readBody reads a request's body within its bound.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, Errorf(http.StatusRequestEntityTooLarge, "RequestContentTooLarge", "The request content is larger than %d bytes.", maxBody)
	}
	if err != nil {
		return nil, Errorf(http.StatusBadRequest, "InvalidRequestContent", "The request content could not be read.")
	}
	return data, nil
}

// readObject reads a request's body as a JSON object.
func readObject(w http.ResponseWriter, r *http.Request) (arm.Object, error) {
	data, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	return decodeObject(data)
}

// decodeObject reads a JSON object.
func decodeObject(data []byte) (arm.Object, error) {
	var o arm.Object
	if err := json.Unmarshal(data, &o); err != nil || o == nil {
		return nil, Errorf(http.StatusBadRequest, "InvalidRequestContent", "The request content was invalid and could not be deserialized: it is not a JSON object.")
	}
	for field := range o {
		for other := range o {
			if field != other && strings.EqualFold(field, other) {
				return nil, Errorf(http.StatusBadRequest, "InvalidRequestContent", "The request content was invalid: it has the field '%s' in two cases.", strings.ToLower(field))
			}
		}
	}
	if deeper(o, maxDepth) {
		return nil, Errorf(http.StatusBadRequest, "InvalidRequestContent", "The request content was invalid: it is nested more than %d deep.", maxDepth)
	}
	return o, nil
}

func deeper(v any, depth int) bool {
	if depth == 0 {
		return true
	}
	switch node := v.(type) {
	case map[string]any:
		for _, e := range node {
			if deeper(e, depth-1) {
				return true
			}
		}
	case []any:
		for _, e := range node {
			if deeper(e, depth-1) {
				return true
			}
		}
	}
	return false
}

// known are the top-level fields that are not extra: those of arm.Resource, and
// those that the cloud itself answers.
var known = []string{"id", "name", "type", "location", "kind", "tags", "sku", "identity", "properties", "etag", "systemData"}

// documentOf reads a document for an id. What the body says of its own id, name
// and type is passed over, as ARM does.
func documentOf(id arm.ID, body arm.Object) (document, error) {
	var doc document
	data, err := json.Marshal(body)
	if err == nil {
		err = json.Unmarshal(data, &doc.Resource)
	}
	if err != nil {
		var wrong *json.UnmarshalTypeError
		field := "a field"
		if errors.As(err, &wrong) {
			field = "'" + wrong.Field + "'"
		}
		return document{}, Errorf(http.StatusBadRequest, "InvalidRequestContent", "The request content was invalid and could not be deserialized: %s is of the wrong kind.", field)
	}
	doc.ID, doc.Name, doc.Type = id, id.Name(), id.Type()
	doc.Location = service.Region(doc.Location)
	doc.extra = maps.Clone(body)
	maps.DeleteFunc(doc.extra, func(field string, _ any) bool {
		for _, k := range known {
			if strings.EqualFold(k, field) {
				return true
			}
		}
		return false
	})
	if doc.Properties == nil {
		doc.Properties = arm.Object{}
	}
	deleteFold(doc.Properties, "provisioningState") // the cloud's to say
	deleteFold(doc.Properties, connectionKind)      // of the endpoints' documents
	return doc, nil
}

func deleteFold(o arm.Object, field string) {
	maps.DeleteFunc(o, func(k string, _ any) bool { return strings.EqualFold(k, field) })
}

// bodyOf is a document as a client would write it: what a PATCH is merged into.
func bodyOf(row *store.Row) (arm.Object, error) {
	data, err := json.Marshal(row.Resource)
	if err != nil {
		return nil, err
	}
	body := arm.Object{}
	if err := json.Unmarshal(data, &body); err != nil {
		return nil, err
	}
	maps.Copy(body, row.Extra)
	return body, nil
}

// mergePatch merges as RFC 7386 says: objects field by field, null deletes,
// anything else replaces. Tags are replaced as a whole, as ARM does.
func mergePatch(into, patch arm.Object, top bool) {
	for field, v := range patch {
		for k := range into {
			if strings.EqualFold(k, field) {
				field = k
			}
		}
		if v == nil {
			delete(into, field)
			continue
		}
		from, isObject := v.(map[string]any)
		to, ok := into[field].(map[string]any)
		whole := top && strings.EqualFold(field, "tags")
		if isObject && ok && !whole {
			mergePatch(to, from, false)
			continue
		}
		into[field] = v
	}
}

// same reports whether two documents are equal.
func same(a, b *store.Row) bool {
	return reflect.DeepEqual(plain(a), plain(b))
}

func plain(r *store.Row) any {
	body, err := bodyOf(r)
	if err != nil {
		return err
	}
	return body
}

// etag of a row, as in the ETag header.
func etag(row *store.Row) string { return `W/"` + strconv.FormatInt(row.Version, 16) + `"` }

// show is a row as GET answers it.
func (c *Cloud) show(view View, row *store.Row) arm.Object {
	r := row.Resource
	r.Properties, r.SKU = arm.Clone(r.Properties), arm.Clone(r.SKU)
	t := c.types.lookup(r.Type)
	if t.Present != nil {
		r = t.Present(view, r)
	}
	c.types.hideSecrets(r.Type, r.Properties)
	body := showResource(r)
	for k, v := range row.Extra {
		body[k] = v
	}
	properties, _ := body["properties"].(map[string]any)
	if properties == nil {
		properties = arm.Object{}
		body["properties"] = properties
	}
	if _, ok := properties["provisioningState"]; !t.Bare && (!ok || row.State != store.Succeeded) {
		properties["provisioningState"] = string(row.State)
	}
	showConnections(view, r.ID, properties)
	body["etag"] = etag(row)
	body["systemData"] = arm.Object{
		"createdBy": row.CreatedBy, "createdByType": writerType(row.CreatedBy), "createdAt": row.Created.Format(time.RFC3339Nano),
		"lastModifiedBy": row.ChangedBy, "lastModifiedByType": writerType(row.ChangedBy), "lastModifiedAt": row.Changed.Format(time.RFC3339Nano),
	}
	return body
}

// writerType is what a document's writer is: users have names, applications ids.
func writerType(signature string) string {
	if strings.Contains(signature, "@") {
		return "User"
	}
	return "Application"
}

// showResource is a document that is made and not stored.
func showResource(r arm.Resource) arm.Object {
	body := arm.Object{"id": string(r.ID), "name": r.Name, "type": r.Type}
	set := func(field string, v any, there bool) {
		if there {
			body[field] = v
		}
	}
	set("location", r.Location, r.Location != "")
	set("kind", r.Kind, r.Kind != "")
	set("tags", r.Tags, r.Tags != nil)
	set("sku", r.SKU, r.SKU != nil)
	set("identity", r.Identity, r.Identity != nil)
	set("properties", r.Properties, r.Properties != nil)
	return body
}

// showPlain is a row in a list of resources of every type, which has no
// properties.
func showPlain(row *store.Row, expand string) arm.Object {
	r := row.Resource
	r.Properties = nil
	body := showResource(r)
	for _, field := range strings.Split(expand, ",") {
		switch strings.ToLower(strings.TrimSpace(field)) {
		case "provisioningstate":
			body["provisioningState"] = string(row.State)
		case "createdtime":
			body["createdTime"] = row.Created.Format(time.RFC3339Nano)
		case "changedtime":
			body["changedTime"] = row.Changed.Format(time.RFC3339Nano)
		}
	}
	return body
}

var apiVersion = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}(-[a-zA-Z0-9.]+)?$`)

func checkVersion(r *http.Request) error {
	v := r.URL.Query().Get("api-version")
	if v == "" {
		return Errorf(http.StatusBadRequest, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests.")
	}
	if !apiVersion.MatchString(v) {
		return Errorf(http.StatusBadRequest, "InvalidApiVersionParameter", "The api-version '%s' is invalid: it is not a date such as 2025-01-01.", strings.Map(printable, v))
	}
	return nil
}

func printable(r rune) rune {
	if control(r) {
		return -1
	}
	return r
}
