package function

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/cloister-ml/cloister/source/template/internal/value"
)

var uris = map[string]function{
	"uri":                  {min: 2, max: 2, call: joinURI},
	"uriComponent":         {min: 1, max: 1, call: one(escapeComponent)},
	"uriComponentToString": {min: 1, max: 1, call: one(unescapeComponent)},
	"dataUri": {min: 1, max: 1, call: func(args []any) (any, error) {
		s, err := asText(args, 0)
		return "data:text/plain;charset=utf8;base64," + base64.StdEncoding.EncodeToString([]byte(s)), err
	}},
	"dataUriToString": {min: 1, max: 1, call: fromDataURI},
	"parseUri":        {min: 1, max: 1, call: parseURI},
	"buildUri":        {min: 1, max: 1, deep: true, call: buildURI},
}

func joinURI(args []any) (any, error) {
	base, relative, err := twoTexts(args)
	if err != nil {
		return nil, err
	}
	b, err := url.Parse(base)
	if err != nil || !b.IsAbs() || b.Host == "" {
		return nil, fmt.Errorf("%q is not an absolute URI", clipped(base))
	}
	r, err := url.Parse(relative)
	if err != nil {
		return nil, fmt.Errorf("%q is not a relative URI", clipped(relative))
	}
	return b.ResolveReference(r).String(), nil
}

// escapeComponent leaves only what RFC 3986 calls unreserved.
func escapeComponent(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

// unescapeComponent leaves an escape that is none as it is.
func unescapeComponent(s string) string {
	out, err := url.PathUnescape(s)
	if err != nil {
		return s
	}
	return out
}

// Source: RFC 2397.
func fromDataURI(args []any) (any, error) {
	s, err := text(args, 0)
	if err != nil {
		return nil, err
	}
	head, data, ok := strings.Cut(s, ",")
	if !ok || !strings.HasPrefix(strings.ToLower(head), "data:") {
		return nil, errors.New("the text is not a data URI")
	}
	if !strings.HasSuffix(strings.ToLower(head), ";base64") {
		return unescapeComponent(data), nil
	}
	return fromBase64(data)
}

func parseURI(args []any) (any, error) {
	s, err := text(args, 0)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(s)
	if err != nil || !u.IsAbs() {
		return nil, fmt.Errorf("%q is not an absolute URI", clipped(s))
	}
	out := value.Object{"scheme": u.Scheme, "host": u.Hostname(), "port": nil, "path": u.EscapedPath(), "query": ""}
	if n, err := strconv.ParseInt(u.Port(), 10, 64); err == nil {
		out["port"] = n
	}
	if u.RawQuery != "" {
		out["query"] = "?" + u.RawQuery
	}
	return out, nil
}

func buildURI(args []any) (any, error) {
	o, err := object(args, 0)
	if err != nil {
		return nil, err
	}
	part := func(name string) string {
		v, _ := value.Field(o, name)
		s, _ := value.Text(v)
		return s
	}
	u := url.URL{Scheme: part("scheme"), Host: part("host"), Path: part("path"), RawQuery: strings.TrimPrefix(part("query"), "?")}
	if u.Scheme == "" || u.Host == "" {
		return nil, errors.New("the object needs the members scheme and host")
	}
	if port := part("port"); port != "" {
		u.Host += ":" + port
	}
	return u.String(), nil
}
