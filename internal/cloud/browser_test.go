package cloud_test

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// browser keeps cookies and sends forms, as one does.
type browser struct {
	t      *testing.T
	client *http.Client
	base   string
	cookie string
}

type shownPage struct {
	status   int
	text     string
	location *url.URL
	action   string
	fields   map[string]string
}

var (
	inputs  = regexp.MustCompile(`<input[^>]*>`)
	nameOf  = regexp.MustCompile(` name="([^"]*)"`)
	valueOf = regexp.MustCompile(` value="([^"]*)"`)
	actions = regexp.MustCompile(`<form[^>]* action="([^"]*)"`)
)

func (b *browser) do(r *http.Request) shownPage {
	b.t.Helper()
	if b.cookie != "" {
		r.Header.Set("Cookie", b.cookie)
	}
	got, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer got.Body.Close()
	data, err := io.ReadAll(got.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range got.Cookies() {
		if !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode && c.MaxAge >= 0 {
			b.t.Errorf("the cookie %s can be read or sent by others", c.Name)
		}
		b.cookie = c.Name + "=" + c.Value
	}
	page := shownPage{status: got.StatusCode, text: string(data), fields: map[string]string{}}
	if at := got.Header.Get("Location"); at != "" {
		if page.location, err = url.Parse(at); err != nil {
			b.t.Fatal(err)
		}
		return page
	}
	policy := got.Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || got.Header.Get("Cache-Control") != "no-store" {
		b.t.Errorf("the page can be framed, kept or loaded into: %v", got.Header)
	}
	if m := actions.FindStringSubmatch(page.text); m != nil {
		page.action = html.UnescapeString(m[1])
	}
	for _, in := range inputs.FindAllString(page.text, -1) {
		value := ""
		if m := valueOf.FindStringSubmatch(in); m != nil {
			value = html.UnescapeString(m[1])
		}
		if m := nameOf.FindStringSubmatch(in); m != nil {
			page.fields[m[1]] = value
		}
	}
	return page
}

func (b *browser) get(path string) shownPage {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.base+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(r)
}

// submit sends a page's form with some fields filled in.
func (b *browser) submit(page shownPage, fill map[string]string) shownPage {
	b.t.Helper()
	values := url.Values{}
	for k, v := range page.fields {
		values.Set(k, v)
	}
	for k, v := range fill {
		values.Set(k, v)
	}
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.base+page.action, strings.NewReader(values.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r)
}

// claimsOf reads a token without checking it.
func claimsOf(t *testing.T, raw string) map[string]any {
	t.Helper()
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		t.Fatalf("no token: %q", raw)
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(data, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}
