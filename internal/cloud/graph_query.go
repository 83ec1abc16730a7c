package cloud

import (
	"encoding/base64"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

const graphPage = 100 // objects in an answer, as Graph's own

// list answers with those of the objects that the caller may see and the query asks
// for: $filter, $select, $top, $skiptoken, $count (OData 4.01, part 1, section 11).
func (q *graphCall) list(kind string, all []arm.Object) error {
	query := q.r.URL.Query()
	if query.Has("$search") {
		return Errorf(http.StatusBadRequest, "Request_UnsupportedQuery", "$search is not offered: use $filter.")
	}
	pass, err := graphFilter(query.Get("$filter"))
	if err != nil {
		return err
	}
	var found []arm.Object
	for _, o := range q.visible(all) {
		if pass(o) {
			found = append(found, o)
		}
	}
	body := arm.Object{"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#" + kind}
	if query.Get("$count") == "true" {
		body["@odata.count"] = len(found)
	}
	return q.page(body, found)
}

func (q *graphCall) page(body arm.Object, found []arm.Object) error {
	query := q.r.URL.Query()
	slices.SortFunc(found, func(a, b arm.Object) int { return strings.Compare(place(a), place(b)) })
	size := graphPage
	if top := query.Get("$top"); top != "" {
		n, err := strconv.Atoi(top)
		if err != nil || n < 1 || n > 999 {
			return Errorf(http.StatusBadRequest, "Request_BadRequest", "Invalid page size specified: '%s'. Must be between 1 and 999 inclusive.", strings.Map(printable, top))
		}
		size = n
	}
	if skip := query.Get("$skiptoken"); skip != "" {
		after, err := base64.RawURLEncoding.DecodeString(skip)
		if err != nil {
			return Errorf(http.StatusBadRequest, "Directory_ExpiredPageToken", "The $skiptoken is not one that this service gave out.")
		}
		found = slices.DeleteFunc(found, func(o arm.Object) bool { return place(o) <= string(after) })
	}
	if len(found) > size {
		query.Set("$skiptoken", base64.RawURLEncoding.EncodeToString([]byte(place(found[size-1]))))
		body["@odata.nextLink"] = q.base + strings.TrimPrefix(q.r.URL.Path, "/") + "?" + query.Encode()
		found = found[:size]
	}
	value := make([]arm.Object, 0, len(found))
	for _, o := range found {
		value = append(value, selected(o, query.Get("$select")))
	}
	body["value"] = value
	WriteJSON(q.w, http.StatusOK, body)
	return nil
}

// place is where an object comes in a list, which does not move when others come.
func place(o arm.Object) string {
	return strings.ToLower(arm.String(o, "displayName")) + "\x00" + arm.String(o, "id")
}

// one answers with one object.
func (q *graphCall) one(kind string, o arm.Object) error {
	return q.answer(http.StatusOK, kind, o)
}

func (q *graphCall) answer(status int, kind string, o arm.Object) error {
	out := maps.Clone(selected(o, q.r.URL.Query().Get("$select")))
	out["@odata.context"] = "https://graph.microsoft.com/v1.0/$metadata#" + kind + "/$entity"
	WriteJSON(q.w, status, out)
	return nil
}

// none answers that all was done, and there is nothing to show.
func (q *graphCall) none() error {
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

// selected are the properties that $select names.
func selected(o arm.Object, names string) arm.Object {
	if names == "" || names == "*" {
		return o
	}
	out := arm.Object{}
	for _, name := range append(strings.Split(names, ","), "@odata.type") {
		if v, ok := o[strings.TrimSpace(name)]; ok {
			out[strings.TrimSpace(name)] = v
		}
	}
	return out
}

// The comparisons of $filter that the directory offers; a quote in a value is
// written twice.
var (
	graphEqual  = regexp.MustCompile(`(?i)^(\w+)\s+(eq|ne)\s+(?:'((?:[^']|'')*)'|(true|false|null))$`)
	graphStarts = regexp.MustCompile(`(?i)^startswith\(\s*(\w+)\s*,\s*'((?:[^']|'')*)'\s*\)$`)
	graphAny    = regexp.MustCompile(`(?i)^(\w+)/any\(\s*(\w+)\s*:\s*(\w+)\s+eq\s+'((?:[^']|'')*)'\s*\)$`)
	graphIn     = regexp.MustCompile(`(?i)^(\w+)\s+in\s+\(((?:\s*'(?:[^']|'')*'\s*,?)+)\)$`)
	graphText   = regexp.MustCompile(`'((?:[^']|'')*)'`)
)

const maxGraphFilter = 4096

// graphFilter reads $filter: comparisons joined by and, and these by or.
func graphFilter(text string) (func(arm.Object) bool, error) {
	if len(text) > maxGraphFilter {
		return nil, Errorf(http.StatusBadRequest, "Request_UnsupportedQuery", "The filter is too long.")
	}
	if strings.TrimSpace(text) == "" {
		return func(arm.Object) bool { return true }, nil
	}
	var either [][]func(arm.Object) bool
	for _, part := range outsideQuotes(text, "or") {
		var all []func(arm.Object) bool
		for _, term := range outsideQuotes(part, "and") {
			test := graphTest(strings.TrimSpace(term))
			if test == nil {
				return nil, Errorf(http.StatusBadRequest, "Request_UnsupportedQuery",
					"The filter '%s' cannot be read: it has comparisons by eq, ne, in, startswith and any, joined by 'and' and by 'or'.", strings.Map(printable, text))
			}
			all = append(all, test)
		}
		either = append(either, all)
	}
	return func(o arm.Object) bool {
		return slices.ContainsFunc(either, func(all []func(arm.Object) bool) bool {
			return !slices.ContainsFunc(all, func(test func(arm.Object) bool) bool { return !test(o) })
		})
	}, nil
}

// outsideQuotes splits a filter at a word that is not within quotes.
func outsideQuotes(text, word string) []string {
	var out []string
	quoted, start := false, 0
	for i := range len(text) {
		if text[i] == '\'' {
			quoted = !quoted
		}
		end := i + len(word) + 2
		if !quoted && end <= len(text) && i >= start && text[i] == ' ' && text[end-1] == ' ' && strings.EqualFold(text[i+1:end-1], word) {
			out, start = append(out, text[start:i]), end
		}
	}
	return append(out, text[start:])
}

// graphTest is one comparison, or nil where it cannot be read.
func graphTest(term string) func(arm.Object) bool {
	plain := func(s string) string { return strings.ReplaceAll(s, "''", "'") }
	if m := graphEqual.FindStringSubmatch(term); m != nil {
		equal := func(o arm.Object) bool {
			if m[4] != "" {
				return constantIs(o[m[1]], strings.ToLower(m[4]))
			}
			return strings.EqualFold(arm.String(o, m[1]), plain(m[3]))
		}
		if strings.EqualFold(m[2], "ne") {
			return func(o arm.Object) bool { return !equal(o) }
		}
		return equal
	}
	if m := graphStarts.FindStringSubmatch(term); m != nil {
		start := strings.ToLower(plain(m[2]))
		return func(o arm.Object) bool { return strings.HasPrefix(strings.ToLower(arm.String(o, m[1])), start) }
	}
	if m := graphAny.FindStringSubmatch(term); m != nil && m[2] == m[3] {
		return func(o arm.Object) bool {
			return slices.ContainsFunc(arm.Strings(o, m[1]), func(s string) bool { return strings.EqualFold(s, plain(m[4])) })
		}
	}
	if m := graphIn.FindStringSubmatch(term); m != nil {
		var values []string
		for _, v := range graphText.FindAllStringSubmatch(m[2], -1) {
			values = append(values, plain(v[1]))
		}
		return func(o arm.Object) bool {
			return slices.ContainsFunc(values, func(v string) bool { return strings.EqualFold(v, arm.String(o, m[1])) })
		}
	}
	return nil
}

func constantIs(v any, name string) bool {
	switch v := v.(type) {
	case nil:
		return name == "null" || name == "false"
	case bool:
		return strconv.FormatBool(v) == name
	}
	return false
}
