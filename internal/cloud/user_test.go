package cloud_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
)

const (
	password = "correct horse battery"
	azureCLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
)

var managementScope = policy.TokenRequestOptions{Scopes: []string{"https://management.azure.com/.default"}}

func newUser(t *testing.T, c *cloudtest.Cloud, name string) cloud.User {
	t.Helper()
	u, err := c.NewUser(t.Context(), name, password)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// form sends a form to the token service.
func form(t *testing.T, c *cloudtest.Cloud, path string, values url.Values) answer {
	t.Helper()
	return ask(t, c, "POST", "/"+cloudtest.Tenant+"/oauth2/v2.0/"+path, values.Encode(), "Content-Type", "application/x-www-form-urlencoded")
}

func (r answer) aadsts() float64 {
	n, _ := arm.Lookup(r.body, "error_codes.0")
	f, _ := n.(float64)
	return f
}

// The Azure SDK's credentials of users, unchanged.
func TestAzureSDKUserCredentials(t *testing.T) {
	c := cloudtest.Start(t, nil)
	ada := newUser(t, c, "ada")
	_, options := c.SDK(c.Owner)
	check := func(name string, token string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := ask(t, c, "GET", "/v1.0/me", "", "Authorization", "Bearer "+token); arm.String(got.body, "id") != ada.ObjectID {
			t.Errorf("%s: /me is %d %v", name, got.status, got.body)
		}
	}
	//nolint:staticcheck // deprecated for users' sake, and what az login -u -p does
	byPassword, err := azidentity.NewUsernamePasswordCredential(cloudtest.Tenant, azureCLI, ada.Name, password,
		&azidentity.UsernamePasswordCredentialOptions{ClientOptions: options.ClientOptions, DisableInstanceDiscovery: true})
	if err != nil {
		t.Fatal(err)
	}
	token, err := byPassword.GetToken(t.Context(), managementScope)
	check("password", token.Token, err)
	// The second resource is asked for with the refresh token from the SDK's cache.
	graph, err := byPassword.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://graph.microsoft.com/.default"}})
	check("refresh token", graph.Token, err)

	byDevice, err := azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
		ClientOptions: options.ClientOptions, DisableInstanceDiscovery: true, TenantID: cloudtest.Tenant, ClientID: azureCLI,
		UserPrompt: func(_ context.Context, m azidentity.DeviceCodeMessage) error {
			client, err := c.ApproveDevice(strings.ToLower(m.UserCode), "ada")
			if client != "Microsoft Azure CLI" {
				t.Errorf("the code is of %q", client)
			}
			return err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	token, err = byDevice.GetToken(t.Context(), managementScope)
	check("device code", token.Token, err)

	//nolint:staticcheck // as above
	wrong, err := azidentity.NewUsernamePasswordCredential(cloudtest.Tenant, azureCLI, ada.Name, "wrong",
		&azidentity.UsernamePasswordCredentialOptions{ClientOptions: options.ClientOptions, DisableInstanceDiscovery: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wrong.GetToken(t.Context(), managementScope); err == nil || !strings.Contains(err.Error(), "AADSTS50126") {
		t.Errorf("a wrong password: %v", err)
	}
}

// A sign-in in a browser, as az login makes it, by the page's own form.
func TestAuthorizationCode(t *testing.T) {
	c := cloudtest.Start(t, nil)
	ada := newUser(t, c, "ada")
	// RFC 7636, appendix B
	const verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	query := url.Values{
		"client_id": {azureCLI}, "response_type": {"code"}, "redirect_uri": {"http://localhost:8400"}, "state": {"s&1"}, "nonce": {"n"},
		"scope": {"https://management.azure.com/.default openid profile offline_access"}, "code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	client := c.HTTP()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	b := &browser{t: t, client: client, base: c.URL}
	redeem := func(code, verifier string) answer {
		return form(t, c, "token", url.Values{"grant_type": {"authorization_code"}, "client_id": {azureCLI}, "code": {code}, "redirect_uri": {"http://localhost:8400"}, "code_verifier": {verifier}})
	}
	signIn := func() string {
		page := b.get("/organizations/oauth2/v2.0/authorize?" + query.Encode())
		sent := b.submit(page, map[string]string{"username": "ada", "password": password})
		if sent.status != http.StatusSeeOther || sent.location.Query().Get("state") != "s&1" || sent.location.Host != "localhost:8400" {
			t.Fatalf("%d to %v: %s", sent.status, sent.location, sent.text)
		}
		return sent.location.Query().Get("code")
	}
	code := signIn()
	got := redeem(code, verifier)
	if got.status != 200 || arm.String(got.body, "refresh_token") == "" {
		t.Fatalf("redeeming: %d %v", got.status, got.body)
	}
	claims := claimsOf(t, arm.String(got.body, "id_token"))
	for name, want := range map[string]any{
		"aud": azureCLI, "oid": ada.ObjectID, "tid": cloudtest.Tenant, "preferred_username": "ada@cloister.onmicrosoft.com", "nonce": "n", "ver": "2.0",
		"iss": "https://login.microsoftonline.com/" + cloudtest.Tenant + "/v2.0",
	} {
		if claims[name] != want {
			t.Errorf("id token: %s is %v, want %v", name, claims[name], want)
		}
	}
	if refused := ask(t, c, "GET", sub+"?api-version=2024-01-01", "", "Authorization", "Bearer "+arm.String(got.body, "id_token")); refused.status != 401 {
		t.Errorf("an id token is taken as an access token: %d", refused.status)
	}
	if again := redeem(code, verifier); again.aadsts() != 54005 {
		t.Errorf("the code a second time: %v", again.body)
	}
	ended := form(t, c, "token", url.Values{"grant_type": {"refresh_token"}, "client_id": {azureCLI}, "refresh_token": {arm.String(got.body, "refresh_token")}})
	if ended.aadsts() != 70008 {
		t.Errorf("the refresh token of a code that was used twice: %v", ended.body)
	}
	code = signIn()
	if got := redeem(code, strings.Repeat("x", 43)); got.aadsts() != 501481 {
		t.Errorf("a wrong verifier: %v", got.body)
	}
	if got := redeem(code, verifier); got.aadsts() != 54005 {
		t.Errorf("the right verifier after a wrong one: %v", got.body)
	}

	page := b.get("/organizations/oauth2/v2.0/authorize?" + query.Encode())
	if got := b.submit(page, map[string]string{"username": "ada", "password": "wrong"}); got.status != 401 || !strings.Contains(got.text, "Error validating credentials") || got.location != nil {
		t.Errorf("a wrong password: %d %s", got.status, got.text)
	}
	if got := b.submit(page, map[string]string{"cancel": "1"}); got.location == nil || got.location.Query().Get("error") != "access_denied" {
		t.Errorf("cancelled: %d %v", got.status, got.location)
	}
	if got := b.submit(page, map[string]string{"username": "ada", "password": password, "form": "forged"}); got.status != 400 || got.location != nil {
		t.Errorf("a form of another site: %d", got.status)
	}
	if got := b.submit(page, map[string]string{"username": "ada", "password": password, "redirect_uri": "https://evil.example"}); got.status != 400 || got.location != nil {
		t.Errorf("a redirect that was changed in the form: %d", got.status)
	}
	for name, change := range map[string]url.Values{
		"an unknown client":       {"client_id": {cloudtest.Tenant}},
		"another site":            {"redirect_uri": {"https://evil.example"}},
		"a host that looks local": {"redirect_uri": {"http://localhost.evil.example"}},
		"user info":               {"redirect_uri": {"http://localhost@evil.example"}},
	} {
		if got := b.get("/common/oauth2/v2.0/authorize?" + with(query, change)); got.status != 400 || got.location != nil {
			t.Errorf("%s: %d %v", name, got.status, got.location)
		}
	}
	for want, change := range map[string]url.Values{
		"invalid_request":           {"code_challenge": {""}},
		"unsupported_response_type": {"response_type": {"token"}},
		"login_required":            {"prompt": {"none"}},
	} {
		if got := b.get("/common/oauth2/v2.0/authorize?" + with(query, change)); got.location == nil || got.location.Query().Get("error") != want {
			t.Errorf("want %s, got %d %v", want, got.status, got.location)
		}
	}
}

func with(v, change url.Values) string {
	out := url.Values{}
	for _, list := range []url.Values{v, change} {
		for k := range list {
			out.Set(k, list.Get(k))
		}
	}
	return out.Encode()
}

// The device page: a code, then a sign-in that names the program.
func TestDevicePage(t *testing.T) {
	c := cloudtest.Start(t, nil)
	newUser(t, c, "ada")
	client := c.HTTP()
	b := &browser{t: t, client: client, base: c.URL}
	begin := func() (device, user string) {
		got := form(t, c, "devicecode", url.Values{"client_id": {azureCLI}, "scope": {"https://management.azure.com/.default openid"}})
		if got.status != 200 || arm.String(got.body, "verification_uri") != c.URL+"/common/oauth2/deviceauth" {
			t.Fatalf("%d %v", got.status, got.body)
		}
		return arm.String(got.body, "device_code"), arm.String(got.body, "user_code")
	}
	poll := func(device string) answer {
		return form(t, c, "token", url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "client_id": {azureCLI}, "device_code": {device}})
	}
	device, user := begin()
	if got := poll(device); arm.String(got.body, "error") != "authorization_pending" {
		t.Errorf("before the sign-in: %v", got.body)
	}
	if got := poll(device); arm.String(got.body, "error") != "slow_down" {
		t.Errorf("at once again: %v", got.body)
	}
	if got := b.get("/common/oauth2/deviceauth"); got.status != 200 || !strings.Contains(got.text, "user_code") {
		t.Errorf("the page: %d %s", got.status, got.text)
	}
	page := b.get("/common/oauth2/deviceauth?user_code=" + user)
	if !strings.Contains(page.text, "Microsoft Azure CLI") {
		t.Errorf("the page does not say for whom: %s", page.text)
	}
	if got := b.submit(page, map[string]string{"username": "ada", "password": "wrong"}); got.status != 401 {
		t.Errorf("a wrong password: %d", got.status)
	}
	if got := b.submit(page, map[string]string{"username": "ada", "password": password, "form": ""}); got.status != 400 {
		t.Errorf("a form of another site: %d", got.status)
	}
	page = b.get("/common/oauth2/deviceauth?user_code=" + user)
	if got := b.submit(page, map[string]string{"username": "ada", "password": password}); got.status != 200 || !strings.Contains(got.text, "You have signed in") {
		t.Errorf("the sign-in: %d %s", got.status, got.text)
	}
	if got := poll(device); got.status != 200 || arm.String(got.body, "access_token") == "" || arm.String(got.body, "refresh_token") != "" {
		t.Errorf("after it: %d %v", got.status, got.body)
	}
	if got := poll(device); arm.String(got.body, "error") != "bad_verification_code" {
		t.Errorf("once more: %v", got.body)
	}
	device, user = begin()
	page = b.get("/common/oauth2/deviceauth?user_code=" + user)
	if got := b.submit(page, map[string]string{"cancel": "1"}); got.status != 200 {
		t.Errorf("declining: %d", got.status)
	}
	if got := poll(device); arm.String(got.body, "error") != "authorization_declined" {
		t.Errorf("after declining: %v", got.body)
	}
	for range 12 {
		page = b.get("/common/oauth2/deviceauth?user_code=GUESS")
	}
	if page.status != http.StatusTooManyRequests {
		t.Errorf("guessing codes: %d", page.status)
	}
}
