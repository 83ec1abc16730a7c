package cloud

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/store"
)

// list answers with the documents of one type below the target: a subscription,
// a group, or a parent.
func (q *request) list(typ *Type) error {
	scope := q.target.id()
	if scope != "" {
		scope = q.c.spellID(q.at, scope)
	}
	if err := q.may(actionName(typ.Name, "read"), scope); err != nil {
		return err
	}
	if err := q.mustHave(scope); err != nil {
		return err
	}
	if typ.Nested != "" {
		return q.listNested(typ, scope)
	}
	child := len(q.target.tail) > 1
	rows := q.at.ordered(func(r *store.Row) bool {
		id := r.Resource.ID
		here := r.Resource.IsType(typ.Name) && (child && id.Parent().Equal(scope) || !child && within(id, scope))
		return here && q.allowed(actionName(typ.Name, "read"), id) // a deny assignment below the scope may say no
	})
	if typ.List != nil {
		return q.listMade(typ, scope, rows)
	}
	items := make([]item, 0, len(rows))
	for _, row := range rows {
		items = append(items, item{row.Key(), func() arm.Object { return q.c.show(q.at, row) }})
	}
	return q.page(items)
}

func within(id, scope arm.ID) bool { return scope == "" || id.Within(scope) }

// listMade lists what the type itself makes of the stored documents.
func (q *request) listMade(typ *Type, scope arm.ID, rows []*store.Row) error {
	stored := make([]arm.Resource, 0, len(rows))
	for _, row := range rows {
		stored = append(stored, row.Resource)
	}
	made, err := typ.List(q.at, scope, q.r.URL.Query(), stored)
	if err != nil {
		return err
	}
	items := make([]item, 0, len(made))
	for _, r := range made {
		items = append(items, item{r.ID.Key(), func() arm.Object {
			if row := q.at.rows[r.ID.Key()]; row != nil {
				return q.c.show(q.at, row)
			}
			return showResource(r)
		}})
	}
	slices.SortFunc(items, func(a, b item) int { return strings.Compare(a.key, b.key) })
	return q.page(items)
}

func (q *request) listNested(typ *Type, parent arm.ID) error {
	row := q.at.rows[parent.Key()]
	var items []item
	for i := range elements(row.Resource, typ.Nested) {
		items = append(items, item{fmt.Sprintf("%06d", i), func() arm.Object { return showElement(row, typ, i) }})
	}
	return q.page(items)
}

// mustHave refuses a list below what does not exist.
func (q *request) mustHave(scope arm.ID) error {
	if scope == "" || scope.Type() == arm.TypeSubscription {
		return nil
	}
	if q.c.exists(q.at, scope) {
		return nil
	}
	if g := scope.Group(); g != "" && q.at.rows[g.Key()] == nil {
		return notFound(g)
	}
	return parentNotFound(q.r.Method, scope, scope)
}

// item is one element of a list: its place in the order, and what it shows.
type item struct {
	key  string
	show func() arm.Object
}

// page answers with as many items as a page holds, beginning after the one that
// the client names. Items are shown only when they are on the page.
func (q *request) page(items []item) error {
	query := q.r.URL.Query()
	size := q.c.options.PageSize
	if top := query.Get("$top"); top != "" {
		n, err := strconv.Atoi(top)
		if err != nil || n < 1 {
			return Errorf(http.StatusBadRequest, "InvalidQueryParameter", "The query parameter '$top' must be a whole number above 0.")
		}
		size = min(size, n)
	}
	if skip := query.Get("$skiptoken"); skip != "" {
		after, err := base64.RawURLEncoding.DecodeString(skip)
		if err != nil {
			return Errorf(http.StatusBadRequest, "InvalidSkipToken", "The query parameter '$skiptoken' is not one that this service gave out.")
		}
		for len(items) > 0 && items[0].key <= string(after) {
			items = items[1:]
		}
	}
	body := arm.Object{}
	if len(items) > size {
		query.Set("$skiptoken", base64.RawURLEncoding.EncodeToString([]byte(items[size-1].key)))
		body["nextLink"] = q.host + q.r.URL.EscapedPath() + "?" + query.Encode()
		items = items[:size]
	}
	value := make([]arm.Object, 0, len(items))
	for _, i := range items {
		value = append(value, i.show())
	}
	body["value"] = value
	WriteJSON(q.w, http.StatusOK, body)
	return nil
}

// listResources lists documents of every type below a group or the subscription.
func (q *request) listResources(scope arm.ID) error {
	pass, err := resourceFilter(q.r.URL.Query())
	if err != nil {
		return err
	}
	rows := q.at.ordered(func(r *store.Row) bool {
		id := r.Resource.ID
		return id.Within(scope) && topLevel(id) && pass(r) && q.allowed(actionName(r.Resource.Type, "read"), id)
	})
	expand := q.r.URL.Query().Get("$expand")
	items := make([]item, 0, len(rows))
	for _, row := range rows {
		items = append(items, item{row.Key(), func() arm.Object { return showPlain(row, expand) }})
	}
	return q.page(items)
}

// topLevel reports whether a document is a resource that is held by a group or by
// the subscription: neither a child nor an extension, and not a group.
func topLevel(id arm.ID) bool {
	return strings.Count(id.Type(), "/") == 1 && !id.Group().Equal(id) && id.Parent().Parent().Parent() == "" && !extends(id.Type())
}

// extends reports whether a type says something of its scope: its ids at a group
// or a subscription look like those of resources that are held there.
func extends(typ string) bool {
	namespace, _, _ := strings.Cut(typ, "/")
	return strings.EqualFold(namespace, "Microsoft.Authorization") || strings.EqualFold(typ, "Microsoft.Insights/diagnosticSettings")
}

var comparison = regexp.MustCompile(`(?i)^\(*\s*(resourceType|name|resourceGroup|location|tagName|tagValue)\s+eq\s+'([^']*)'\s*\)*$`)

// resourceFilter reads $filter: comparisons by eq, joined by and, or by or.
func resourceFilter(query url.Values) (func(*store.Row) bool, error) {
	text := strings.TrimSpace(query.Get("$filter"))
	if text == "" {
		return func(*store.Row) bool { return true }, nil
	}
	and, or := split(text, " and "), split(text, " or ")
	if len(and) > 1 && len(or) > 1 {
		return nil, badFilter(text)
	}
	parts, any := and, false
	if len(or) > 1 {
		parts, any = or, true
	}
	var tests []func(*store.Row) bool
	for _, p := range parts {
		m := comparison.FindStringSubmatch(strings.TrimSpace(p))
		if m == nil {
			return nil, badFilter(text)
		}
		tests = append(tests, test(m[1], m[2]))
	}
	return func(r *store.Row) bool {
		for _, t := range tests {
			if t(r) == any {
				return any
			}
		}
		return !any
	}, nil
}

func split(text, word string) []string {
	return regexp.MustCompile("(?i)"+word).Split(text, -1)
}

func badFilter(text string) error {
	return Errorf(http.StatusBadRequest, "InvalidFilterInQueryString",
		"Invalid $filter '%s' specified in the query string: it can compare resourceType, name, resourceGroup, location, tagName and tagValue by eq, joined by 'and' or by 'or'.", text)
}

func test(field, value string) func(*store.Row) bool {
	return func(row *store.Row) bool {
		r := row.Resource
		switch strings.ToLower(field) {
		case "resourcetype":
			return r.IsType(value)
		case "name":
			return strings.EqualFold(r.Name, value)
		case "resourcegroup":
			return strings.EqualFold(r.ID.ResourceGroup(), value)
		case "location":
			return strings.EqualFold(r.Location, value)
		}
		for k, v := range r.Tags {
			if field := strings.ToLower(field); field == "tagname" && strings.EqualFold(k, value) || field == "tagvalue" && v == value {
				return true
			}
		}
		return false
	}
}
