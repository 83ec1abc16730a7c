package cloudtest

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	azcloud "github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/cloud/client"
)

// Fixed ids, so that what follows from them is the same in every run.
const (
	Tenant       = "0f1c1c0a-6c6e-4a53-9d0a-1d2f7c9f5a11"
	Subscription = "7d9a1c5e-2f63-4a8b-9e1d-3c4b5a697887"
)

// Cloud is a cloud under test, with its loopback address.
type Cloud struct {
	*cloud.Cloud
	URL   string
	Owner cloud.Credentials
	t     testing.TB
}

// Start opens a cloud in a folder of the test, starts it and serves it on
// loopback until the test ends.
func Start(t testing.TB, providers func(cloud.Host) []cloud.Provider) *Cloud {
	t.Helper()
	return Open(t, cloud.Options{Dir: t.TempDir(), Providers: providers})
}

// Open is Start with options; tenant, subscription and log are filled in.
func Open(t testing.TB, o cloud.Options) *Cloud {
	t.Helper()
	o.Tenant, o.Subscription = Tenant, Subscription
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	c, err := cloud.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("closing the cloud: %v", err)
		}
	})
	c.Start()
	out := &Cloud{Cloud: c, t: t}
	var first bool
	if out.Owner, first = c.FirstStart(); !first {
		if out.Owner, err = c.RenewOwner(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	out.URL = out.listen()
	return out
}

func (c *Cloud) listen() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- c.ServeLoopback(l) }()
	c.t.Cleanup(func() {
		l.Close()
		if err := <-served; err != nil && !errors.Is(err, net.ErrClosed) {
			c.t.Errorf("serving on loopback: %v", err)
		}
	})
	return "https://" + l.Addr().String()
}

// HTTP is a client that trusts the cloud.
func (c *Cloud) HTTP() *http.Client {
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: c.CA().Pool(), MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}
	c.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// Client is the cloud's own client, as the owner.
func (c *Cloud) Client() *client.Client { return c.ClientAs(c.Owner) }

// ClientAs is the cloud's own client, as another principal.
func (c *Cloud) ClientAs(who cloud.Credentials) *client.Client {
	return client.New(client.Config{
		Endpoint: c.URL, Tenant: Tenant, ClientID: who.ClientID, ClientSecret: who.ClientSecret, HTTP: c.HTTP(),
	})
}

// SDK is what a client of the Azure SDK for Go is made with.
func (c *Cloud) SDK(who cloud.Credentials) (azcore.TokenCredential, *arm.ClientOptions) {
	c.t.Helper()
	core := azcore.ClientOptions{
		Cloud: azcloud.Configuration{
			ActiveDirectoryAuthorityHost: c.URL,
			Services:                     map[azcloud.ServiceName]azcloud.ServiceConfiguration{azcloud.ResourceManager: {Endpoint: c.URL, Audience: "https://management.azure.com"}},
		},
		Transport: c.HTTP(),
		Retry:     policy.RetryOptions{MaxRetries: -1},
	}
	cred, err := azidentity.NewClientSecretCredential(Tenant, who.ClientID, who.ClientSecret,
		&azidentity.ClientSecretCredentialOptions{ClientOptions: core, DisableInstanceDiscovery: true})
	if err != nil {
		c.t.Fatal(err)
	}
	return cred, &arm.ClientOptions{ClientOptions: core, DisableRPRegistration: true}
}
