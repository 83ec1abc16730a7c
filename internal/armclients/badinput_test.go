package armclients

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
)

// send makes a request with nothing between it and the control plane, so that the
// path comes as it is written.
func send(h http.Handler, method, target, token, contentType string, body []byte) *httptest.ResponseRecorder {
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return nil // no HTTP server hands that on
	}
	r := &http.Request{
		Method: method, URL: u, RequestURI: target, Host: "management.azure.com", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {contentType}},
		Body:   http.NoBody, ContentLength: int64(len(body)),
	}
	if len(body) > 0 {
		r.Body = nopCloser{bytes.NewReader(body)}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

type nopCloser struct{ *bytes.Reader }

func (nopCloser) Close() error { return nil }

// errorOf is the error of an answer, which must be one as Azure has them.
func errorOf(t testing.TB, w *httptest.ResponseRecorder) string {
	t.Helper()
	var body struct {
		Error struct{ Code, Message string }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || body.Error.Code == "" || body.Error.Message == "" {
		t.Fatalf("%d is answered with no error of Azure's: %.200q", w.Code, w.Body)
	}
	if ct := w.Header().Get("Content-Type"); !strings.HasPrefix(ct, "application/json") {
		t.Fatalf("an error comes as %q", ct)
	}
	return body.Error.Code
}

func ownerToken(t testing.TB, c *cloudtest.Cloud) string {
	t.Helper()
	token, err := c.Client().Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestBadInput(t *testing.T) {
	w := start(t)
	h, token := w.ARM(), ownerToken(t, w.Cloud)
	at := string(arm.GroupID(sub, group))
	const v = "?api-version=2024-01-01"
	widget := at + "/providers/Contoso.Widgets/widgets/"
	deep := strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 200)
	huge := `{"properties": {"a": "` + strings.Repeat("x", 5<<20) + `"}}`
	for _, tt := range []struct {
		name, method, target, body string
		status                     int
		code                       string
	}{
		{"traversal", "GET", at + "/../rg-other" + v, "", 400, "InvalidRequestUri"},
		{"traversal that is escaped", "GET", at + "/%2e%2e/rg-other" + v, "", 400, "InvalidRequestUri"},
		{"a slash that is escaped", "GET", widget + "a%2Fb" + v, "", 400, "InvalidRequestUri"},
		{"a slash that is escaped twice", "GET", widget + "a%252Fb" + v, "", 400, "InvalidRequestUri"},
		{"two slashes, which are one", "GET", at + "//providers/Contoso.Widgets/widgets/a" + v, "", 404, "ResourceNotFound"},
		{"a zero byte", "GET", widget + "a%00" + v, "", 400, "InvalidRequestUri"},
		{"a backslash", "GET", widget + `a%5Cb` + v, "", 400, "InvalidRequestUri"},
		{"bytes that are no text", "GET", widget + "%ff%fe" + v, "", 400, "InvalidRequestUri"},
		{"no version", "GET", at, "", 400, "MissingApiVersionParameter"},
		{"another subscription", "GET", "/subscriptions/00000000-0000-0000-0000-000000000000" + v, "", 404, "SubscriptionNotFound"},
		{"a method that is none", "BREW", widget + "a" + v, "", 405, "MethodNotAllowed"},
		{"a huge body", "PUT", widget + "a" + v, huge, 413, "RequestContentTooLarge"},
		{"a huge deployment", "PUT", at + "/providers/Microsoft.Resources/deployments/d" + v, huge, 413, "RequestContentTooLarge"},
		{"a huge action", "POST", at + "/providers/Microsoft.Storage/storageAccounts/a/listKeys" + v, huge, 404, "ResourceNotFound"},
		{"deep JSON", "PUT", widget + "a" + v, deep, 400, "InvalidRequestContent"},
		{"a list", "PUT", widget + "a" + v, `[]`, 400, "InvalidRequestContent"},
		{"null", "PUT", widget + "a" + v, `null`, 400, "InvalidRequestContent"},
		{"two documents", "PUT", widget + "a" + v, `{} {}`, 400, "InvalidRequestContent"},
		{"XML", "PUT", widget + "a" + v, `<a/>`, 400, "InvalidRequestContent"},
		{"one field in two cases", "PUT", widget + "a" + v, `{"properties": {"a": 1}, "Properties": {"b": 2}}`, 400, "InvalidRequestContent"},
		{"a location that is a number", "PUT", widget + "a" + v, `{"location": 5}`, 400, "InvalidRequestContent"},
		{"tags that are a list", "PUT", widget + "a" + v, `{"tags": ["a"]}`, 400, "InvalidRequestContent"},
	} {
		got := send(h, tt.method, tt.target, token, "application/json", []byte(tt.body))
		if code := errorOf(t, got); got.Code != tt.status || code != tt.code {
			t.Errorf("%s: %d %s, want %d %s", tt.name, got.Code, code, tt.status, tt.code)
		}
	}
	// Of two fields with one name the last counts, as with Azure's parser.
	twice := send(h, "PUT", widget+"twice"+v, token, "application/json", []byte(`{"properties": {"a": 1, "a": 2}}`))
	if stored, _ := w.Get(arm.ID(widget + "twice")); twice.Code != 201 || stored.Properties["a"] != 2.0 {
		t.Errorf("a field twice: %d %v", twice.Code, stored.Properties)
	}
	// Names are the same in every case that Unicode has for them; an İ is no i.
	for _, other := range []string{"TWICE", "tWiCe"} {
		if got := send(h, "GET", widget+other+v, token, "", nil); got.Code != 200 {
			t.Errorf("%s is not twice: %d", other, got.Code)
		}
	}
	if got := send(h, "GET", widget+"tw%C4%B0ce"+v, token, "", nil); got.Code != 404 {
		t.Errorf("twİce is twice: %d", got.Code)
	}
}

func TestBadTokens(t *testing.T) {
	w := start(t)
	good := ownerToken(t, w.Cloud)
	parts := strings.Split(good, ".")
	var claims map[string]any
	if err := json.Unmarshal(must[[]byte](t)(base64.RawURLEncoding.DecodeString(parts[1])), &claims); err != nil {
		t.Fatal(err)
	}
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + parts[1] + "."
	key := must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 2048))
	foreign := must[jose.Signer](t)(jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, (&jose.SignerOptions{}).WithType("JWT")))
	w.somebody()
	vault := must[string](t)(w.Token(t.Context(), id("Microsoft.ManagedIdentity/userAssignedIdentities", "somebody"), "https://vault.azure.net"))
	changed := base64.RawURLEncoding.EncodeToString(bytes.Replace(must[[]byte](t)(base64.RawURLEncoding.DecodeString(parts[1])), []byte(`"tid"`), []byte(`"tld"`), 1))
	for name, tt := range map[string]struct{ token, code string }{
		"no token":              {"", "AuthenticationFailed"},
		"no JWT":                {"abc", "InvalidAuthenticationToken"},
		"alg none":              {none, "InvalidAuthenticationToken"},
		"a foreign key":         {must[string](t)(jwt.Signed(foreign).Claims(claims).Serialize()), "InvalidAuthenticationToken"},
		"another audience":      {vault, "InvalidAuthenticationTokenAudience"},
		"claims that changed":   {parts[0] + "." + changed + "." + parts[2], "InvalidAuthenticationToken"},
		"a signature cut short": {good[:len(good)-4], "InvalidAuthenticationToken"},
	} {
		got := send(w.ARM(), "GET", string(arm.GroupID(sub, group))+"?api-version=2024-01-01", tt.token, "", nil)
		if code := errorOf(t, got); got.Code != http.StatusUnauthorized || code != tt.code || got.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %s, want 401 %s", name, got.Code, code, tt.code)
		}
	}
}

// FuzzRequest holds that no request makes the control plane fail, and that what is
// refused is refused in Azure's words.
func FuzzRequest(f *testing.F) {
	w := start(f)
	h, token := w.ARM(), ownerToken(f, w.Cloud)
	at := string(arm.GroupID(sub, group))
	for _, path := range []string{
		"", "/", "/subscriptions", "/providers", at, at + "/resources", at + "/providers/Microsoft.Storage/storageAccounts/stfuzz",
		at + "/providers/Microsoft.Network/virtualNetworks/v/subnets/s", at + "/providers/Microsoft.Network/networkSecurityGroups/n/securityRules/r",
		at + "/providers/Microsoft.Resources/deployments/d", at + "/providers/Microsoft.Resources/deployments/d/whatIf",
		at + "/providers/Microsoft.Authorization/roleAssignments/" + one, at + "/providers/Microsoft.Authorization/locks/l",
		at + "/providers/Microsoft.KeyVault/vaults/kv-fuzz/accessPolicies/add", at + "/providers/Microsoft.MachineLearningServices/workspaces/w/jobs/j",
		at + "/providers/Microsoft.Storage/storageAccounts/stfuzz/privateEndpointConnections/x", at + "/providers/Microsoft.Resources/tags/default",
		"/providers/Microsoft.Management/managementGroups/m/subscriptions/" + sub, "/subscriptions/" + sub + "/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/v/purge",
		"/subscriptions/" + sub + "/providers/Microsoft.Network/locations/global/operationStatuses/eyJpIjoiLyJ9",
	} {
		for m := range fuzzMethods {
			f.Add(uint8(m), path, "api-version=2024-01-01", "application/json", []byte(`{"location": "westeurope", "properties": {}}`))
		}
	}
	f.Fuzz(func(t *testing.T, method uint8, path, query, header string, body []byte) {
		target := path
		if query != "" {
			target += "?" + query
		}
		got := send(h, fuzzMethods[int(method)%len(fuzzMethods)], target, token, header, body)
		if got == nil {
			return
		}
		if got.Code >= 500 {
			t.Fatalf("%s %s is answered with %d: %s", fuzzMethods[int(method)%len(fuzzMethods)], target, got.Code, got.Body)
		}
		if got.Code >= 400 {
			errorOf(t, got)
		}
	})
}

var fuzzMethods = []string{"GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS"}
