package cloud_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
)

// No form gets a token but one with a right secret, and none breaks the service.
func FuzzTokenForm(f *testing.F) {
	c := cloudtest.Start(f, nil)
	login := c.Login()
	for _, s := range []string{
		"grant_type=client_credentials&client_id=" + c.Owner.ClientID + "&client_secret=x&scope=https://management.azure.com/.default",
		"grant_type=password&client_id=" + azureCLI + "&username=ada&password=x&scope=openid+https://vault.azure.net//.default",
		"grant_type=refresh_token&client_id=" + azureCLI + "&refresh_token=1.x",
		"grant_type=authorization_code&client_id=" + azureCLI + "&code=x&redirect_uri=http://localhost&code_verifier=y",
		"grant_type=urn:ietf:params:oauth:grant-type:device_code&client_id=" + azureCLI + "&device_code=x",
		"grant_type=client_credentials&client_id=" + c.Owner.ClientID + "&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion=eyJhbGciOiJub25lIn0.e30.&scope=https://management.azure.com/.default",
		"%zz", "grant_type=%00&client_id=%ff", "a=" + strings.Repeat("b", 70<<10),
	} {
		f.Add("/"+cloudtest.Tenant+"/oauth2/v2.0/token", s)
		f.Add("/common/oauth2/token", s)
		f.Add("/common/oauth2/v2.0/devicecode", s)
		f.Add("/common/oauth2/signin", s)
		f.Add("/common/oauth2/deviceauth", s)
	}
	f.Fuzz(func(t *testing.T, path, body string) {
		if u, err := url.ParseRequestURI(path); err != nil || u.Host != "" || strings.Contains(body, c.Owner.ClientSecret) {
			return
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "https://login.microsoftonline.com", strings.NewReader(body))
		r.URL.Path = path
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		login.ServeHTTP(w, r)
		if w.Code >= 500 || strings.Contains(w.Body.String(), `"access_token"`) || strings.Contains(w.Header().Get("Location"), "code=") {
			t.Errorf("POST %s with %q: %d %s", path, body, w.Code, w.Body)
		}
	})
}
