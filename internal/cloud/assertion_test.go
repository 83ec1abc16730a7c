package cloud_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
)

// certified is a key with its certificate.
func certified(t *testing.T, notAfter time.Time) (*rsa.PrivateKey, *x509.Certificate) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "app"}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: notAfter}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return key, cert
}

func signed(t *testing.T, alg jose.SignatureAlgorithm, key any, claims any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Who an application is, shown by a certificate or by another issuer's token.
func TestClientAssertions(t *testing.T) {
	c := cloudtest.Start(t, nil)
	who, err := c.NewServicePrincipal(t.Context(), "app")
	if err != nil {
		t.Fatal(err)
	}
	key, cert := certified(t, time.Now().Add(time.Hour))
	stale, staleCert := certified(t, time.Now().Add(-time.Hour))
	foreign, _ := certified(t, time.Now().Add(time.Hour))
	issuerKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: issuerKey.Public(), KeyID: "k", Algorithm: "ES256"}}})
	if err != nil {
		t.Fatal(err)
	}
	const issuer, subject = "https://vstoken.dev.azure.com/org", "sc://org/project/connection"
	for _, err := range []error{
		c.AddCertificate(t.Context(), who.ClientID, cert), c.AddCertificate(t.Context(), who.ClientID, staleCert),
		c.AddFederation(t.Context(), who.ClientID, cloud.Federation{Issuer: issuer, Subject: subject, Keys: keys}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	endpoint := "https://login.microsoftonline.com/" + cloudtest.Tenant + "/oauth2/v2.0/token"
	claims := func(issuer, subject, audience string, expires time.Duration) jwt.Claims {
		return jwt.Claims{Issuer: issuer, Subject: subject, Audience: jwt.Audience{audience}, Expiry: jwt.NewNumericDate(time.Now().Add(expires)), ID: uuid.NewString()}
	}
	own := claims(who.ClientID, who.ClientID, endpoint, 5*time.Minute)
	federated := claims(issuer, subject, "api://AzureADTokenExchange", 5*time.Minute)
	withoutID := own
	withoutID.ID = ""
	withKID := jose.JSONWebKey{Key: issuerKey, KeyID: "k"}
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"`+who.ClientID+`","sub":"`+who.ClientID+`"}`)) + "."
	for _, tt := range []struct {
		name, assertion string
		ok              bool
	}{
		{"its certificate's", signed(t, jose.RS256, key, own), true},
		{"the same claims again, signed anew", signed(t, jose.PS256, key, own), false},
		{"its certificate's, PS256", signed(t, jose.PS256, key, claims(who.ClientID, who.ClientID, endpoint, time.Minute)), true},
		{"without a jti", signed(t, jose.RS256, key, withoutID), false},
		{"that holds for days", signed(t, jose.RS256, key, claims(who.ClientID, who.ClientID, endpoint, 48*time.Hour)), false},
		{"for the address that is called", signed(t, jose.RS256, key, claims(who.ClientID, who.ClientID, c.URL+"/"+cloudtest.Tenant+"/oauth2/v2.0/token", time.Minute)), true},
		{"a certificate that has run out", signed(t, jose.RS256, stale, own), false},
		{"a key that is not registered", signed(t, jose.RS256, foreign, own), false},
		{"for another audience", signed(t, jose.RS256, key, claims(who.ClientID, who.ClientID, "https://example.com/"+cloudtest.Tenant, time.Minute)), false},
		{"for another tenant", signed(t, jose.RS256, key, claims(who.ClientID, who.ClientID, "https://login.microsoftonline.com/other/oauth2/v2.0/token", time.Minute)), false},
		{"expired", signed(t, jose.RS256, key, claims(who.ClientID, who.ClientID, endpoint, -time.Hour)), false},
		{"of another application", signed(t, jose.RS256, key, claims(c.Owner.ClientID, c.Owner.ClientID, endpoint, time.Minute)), false},
		{"the public key as a secret", signed(t, jose.HS256, key.N.Bytes(), own), false},
		{"unsigned", unsigned, false},
		{"no token", "x", false},
		{"too long", strings.Repeat("x", 1<<15), false},
		{"a trusted issuer's", signed(t, jose.ES256, withKID, federated), true},
		{"a trusted issuer's, of another subject", signed(t, jose.ES256, withKID, claims(issuer, "sc://org/project/other", "api://AzureADTokenExchange", time.Minute)), false},
		{"a trusted issuer's, for another audience", signed(t, jose.ES256, withKID, claims(issuer, subject, "https://storage.azure.com", time.Minute)), false},
		{"another issuer's", signed(t, jose.ES256, withKID, claims("https://example.com", subject, "api://AzureADTokenExchange", time.Minute)), false},
		{"a trusted issuer's, forged", signed(t, jose.RS256, foreign, federated), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			form := url.Values{
				"grant_type": {"client_credentials"}, "client_id": {who.ClientID}, "scope": {"https://management.azure.com/.default"},
				"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {tt.assertion},
			}
			got := ask(t, c, "POST", "/"+cloudtest.Tenant+"/oauth2/v2.0/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
			if (got.status == 200) != tt.ok || got.status != 200 && got.status != 401 {
				t.Errorf("%d %v", got.status, got.body)
			}
		})
	}
}

// The SDK's own certificate credential, unchanged.
func TestAzureSDKCertificate(t *testing.T) {
	c := cloudtest.Start(t, nil)
	key, cert := certified(t, time.Now().Add(time.Hour))
	if err := c.AddCertificate(t.Context(), c.Owner.ClientID, cert); err != nil {
		t.Fatal(err)
	}
	_, options := c.SDK(c.Owner)
	cred, err := azidentity.NewClientCertificateCredential(cloudtest.Tenant, c.Owner.ClientID, []*x509.Certificate{cert}, key,
		&azidentity.ClientCertificateCredentialOptions{ClientOptions: options.ClientOptions, DisableInstanceDiscovery: true})
	if err != nil {
		t.Fatal(err)
	}
	token, err := cred.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://management.azure.com/.default"}})
	if err != nil || token.Token == "" {
		t.Errorf("%v", err)
	}
}

// A managed identity of this cloud stands for an application without a secret.
func TestManagedIdentityAsFederatedCredential(t *testing.T) {
	c := cloudtest.Start(t, nil)
	identity := arm.ID(sub + "/resourceGroups/rg/providers/A.B/c/one")
	ask(t, c, "PUT", sub+"/resourceGroups/rg"+v, `{"location":"westeurope"}`)
	ask(t, c, "PUT", string(identity)+v, `{"location":"westeurope","identity":{"type":"SystemAssigned"}}`)
	who, err := c.NewServicePrincipal(t.Context(), "app")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.AddFederation(t.Context(), who.ClientID, cloud.Federation{
		Issuer: "https://login.microsoftonline.com/" + cloudtest.Tenant + "/v2.0", Subject: arm.PrincipalID(identity),
	}); err != nil {
		t.Fatal(err)
	}
	for audience, want := range map[string]int{"api://AzureADTokenExchange": 200, "https://storage.azure.com": 401} {
		token, err := c.Token(t.Context(), identity, audience)
		if err != nil {
			t.Fatal(err)
		}
		form := url.Values{
			"grant_type": {"client_credentials"}, "client_id": {who.ClientID}, "scope": {"https://management.azure.com/.default"},
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {token},
		}
		if got := ask(t, c, "POST", "/"+cloudtest.Tenant+"/oauth2/v2.0/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded"); got.status != want {
			t.Errorf("with a token for %s: %d %v", audience, got.status, got.body)
		}
	}
}

// A deleted application gets no token, and what it has is refused; tokens outlive a
// rotation of the keys.
func TestDeletedApplication(t *testing.T) {
	c := cloudtest.Start(t, nil)
	who, err := c.NewServicePrincipal(t.Context(), "app")
	if err != nil {
		t.Fatal(err)
	}
	token, err := c.ClientAs(who).Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.RotateKeys(); err != nil {
		t.Fatal(err)
	}
	status := func() int { return ask(t, c, "GET", "/subscriptions"+v, "", "Authorization", "Bearer "+token).status }
	if got := status(); got != 200 {
		t.Errorf("after the keys were rotated: %d", got)
	}
	if err := c.DeleteServicePrincipal(t.Context(), who.ClientID); err != nil {
		t.Fatal(err)
	}
	if got := status(); got != 401 {
		t.Errorf("after its deletion: %d", got)
	}
	if _, err := c.ClientAs(who).Token(t.Context()); err == nil {
		t.Error("it gets another token")
	}
	if err := c.DeleteServicePrincipal(t.Context(), c.Owner.ClientID); err == nil {
		t.Error("the owner can be deleted")
	}
}
