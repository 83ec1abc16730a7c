package signing

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Sign is the HMAC-SHA256 of text, as signatures are written.
func Sign(key []byte, text string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Signed reports, in constant time, whether signature is text signed with key.
func Signed(key []byte, text, signature string) bool {
	return hmac.Equal([]byte(Sign(key, text)), []byte(signature))
}

// signedHeaders come first in what a request signs, in this order.
var signedHeaders = []string{
	"Content-Encoding", "Content-Language", "Content-Length", "Content-MD5", "Content-Type", "Date",
	"If-Modified-Since", "If-Match", "If-None-Match", "If-Unmodified-Since", "Range",
}

// Request is what a client signs of a request with its account's key. There are
// two such texts, because clients do not agree where a hyphen sorts: current ones
// sort header names as words, older ones by their bytes.
func Request(r *http.Request, account string) (texts [2]string) {
	var head strings.Builder
	head.WriteString(r.Method + "\n")
	for _, name := range signedHeaders {
		head.WriteString(signedValue(r, name) + "\n")
	}
	resource := canonicalResource(r.URL, account)
	texts[0] = head.String() + canonicalHeaders(r.Header, compareWords) + resource
	texts[1] = head.String() + canonicalHeaders(r.Header, strings.Compare) + resource
	return texts
}

func signedValue(r *http.Request, name string) string {
	v := r.Header.Get(name)
	switch {
	case name == "Content-Length" && v == "0":
		return ""
	case name == "Date" && r.Header.Get("x-ms-date") != "":
		return ""
	}
	return v
}

func canonicalHeaders(h http.Header, compare func(a, b string) int) string {
	var names []string
	for name := range h {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-ms-") {
			names = append(names, lower)
		}
	}
	slices.SortFunc(names, compare)
	var out strings.Builder
	for _, name := range names {
		out.WriteString(name + ":" + strings.TrimSpace(strings.Join(h.Values(name), ",")) + "\n")
	}
	return out.String()
}

// compareWords orders header names without regard to hyphens; of two that are
// then equal, the one whose first differing place has no hyphen comes first.
func compareWords(a, b string) int {
	if c := strings.Compare(strings.ReplaceAll(a, "-", ""), strings.ReplaceAll(b, "-", "")); c != 0 {
		return c
	}
	for i := 0; i < min(len(a), len(b)); i++ {
		if a[i] != b[i] {
			if a[i] == '-' {
				return 1
			}
			return -1
		}
	}
	return len(a) - len(b)
}

func canonicalResource(u *url.URL, account string) string {
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	var out strings.Builder
	out.WriteString("/" + account + path)
	query := map[string][]string{}
	for name, values := range u.Query() {
		lower := strings.ToLower(name)
		query[lower] = append(query[lower], values...)
	}
	names := make([]string, 0, len(query))
	for name := range query {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		slices.Sort(query[name])
		out.WriteString("\n" + name + ":" + strings.Join(query[name], ","))
	}
	return out.String()
}
