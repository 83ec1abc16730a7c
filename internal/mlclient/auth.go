package mlclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Resources that tokens are for.
const (
	resourceARM     = "https://management.azure.com"
	resourceML      = "https://ml.azure.com"
	resourceStorage = "https://storage.azure.com"
)

// Credential gets access tokens and keeps them while they last.
type Credential struct {
	fetch func(ctx context.Context, resource string) (string, time.Time, error)
	name  string
	// place is the subscription and group of the machine whose identity it is; nil
	// for other credentials.
	place func(ctx context.Context) (subscription, group string, err error)

	mu   sync.Mutex
	kept map[string]keptToken
}

type keptToken struct {
	text    string
	expires time.Time
}

func (c *Credential) String() string { return c.name }

// Token is an access token for a resource.
func (c *Credential) Token(ctx context.Context, resource string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t, ok := c.kept[resource]; ok && time.Until(t.expires) > 2*time.Minute {
		return t.text, nil
	}
	text, expires, err := c.fetch(ctx, resource)
	if err != nil {
		return "", fmt.Errorf("getting a token for %s as %s: %w", resource, c.name, err)
	}
	if c.kept == nil {
		c.kept = map[string]keptToken{}
	}
	c.kept[resource] = keptToken{text, expires}
	return text, nil
}

// FindCredential takes a service principal from the environment where there is
// one, and otherwise the machine's managed identity.
func FindCredential(getenv func(string) string, client *http.Client) (*Credential, error) {
	for _, prefix := range []string{"AZURE_", "CLOISTER_"} {
		id, secret, tenant := getenv(prefix+"CLIENT_ID"), getenv(prefix+"CLIENT_SECRET"), getenv(prefix+"TENANT_ID")
		if secret == "" {
			continue
		}
		if id == "" || tenant == "" {
			return nil, fmt.Errorf("%sCLIENT_SECRET is set; %sCLIENT_ID and %sTENANT_ID are needed too", prefix, prefix, prefix)
		}
		return principal(client, id, secret, tenant), nil
	}
	return managedIdentity("http://169.254.169.254", getenv("AZURE_CLIENT_ID")), nil
}

// principal is a service principal with a secret.
func principal(client *http.Client, id, secret, tenant string) *Credential {
	return &Credential{name: "the service principal " + id, fetch: func(ctx context.Context, resource string) (string, time.Time, error) {
		form := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}, "scope": {resource + "/.default"}}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://login.microsoftonline.com/"+url.PathEscape(tenant)+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
		if err != nil {
			return "", time.Time{}, err
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return readToken(client, req)
	}}
}

// managedIdentity is the identity of the machine that the program runs on.
func managedIdentity(imds, clientID string) *Credential {
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		Proxy: nil, DialContext: (&net.Dialer{Timeout: 2 * time.Second}).DialContext,
	}}
	return &Credential{name: "this machine's managed identity", place: machinePlace(imds, client), fetch: func(ctx context.Context, resource string) (string, time.Time, error) {
		q := url.Values{"api-version": {"2018-02-01"}, "resource": {resource}}
		if clientID != "" {
			q.Set("client_id", clientID)
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, imds+"/metadata/identity/oauth2/token?"+q.Encode(), nil)
		if err != nil {
			return "", time.Time{}, err
		}
		req.Header.Set("Metadata", "true")
		text, expires, err := readToken(client, req)
		var netErr net.Error
		if errors.As(err, &netErr) {
			return "", expires, errors.New("there is no metadata service here: run this in a machine of the cloud (cloister exec), or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET")
		}
		return text, expires, err
	}}
}

// machinePlace asks the metadata service where the machine is.
func machinePlace(imds string, client *http.Client) func(context.Context) (string, string, error) {
	return func(ctx context.Context) (string, string, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, imds+"/metadata/instance?api-version=2021-02-01", nil)
		if err != nil {
			return "", "", err
		}
		req.Header.Set("Metadata", "true")
		resp, err := client.Do(req)
		if err != nil {
			return "", "", err
		}
		defer resp.Body.Close()
		var instance struct {
			Compute struct {
				SubscriptionID    string `json:"subscriptionId"`
				ResourceGroupName string `json:"resourceGroupName"`
			} `json:"compute"`
		}
		err = json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(&instance)
		return instance.Compute.SubscriptionID, instance.Compute.ResourceGroupName, err
	}
}

func readToken(client *http.Client, req *http.Request) (string, time.Time, error) {
	resp, err := client.Do(req)
	if err != nil {
		return "", time.Time{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return "", time.Time{}, err
	}
	var a struct {
		AccessToken string          `json:"access_token"`
		ExpiresIn   json.RawMessage `json:"expires_in"`
		Error       string          `json:"error"`
		Description string          `json:"error_description"`
	}
	if err := json.Unmarshal(body, &a); err != nil || resp.StatusCode != http.StatusOK || a.AccessToken == "" {
		line, _, _ := strings.Cut(a.Description, "\n")
		return "", time.Time{}, fmt.Errorf("%s: %s %s", resp.Status, a.Error, strings.TrimSpace(line))
	}
	seconds, err := strconv.ParseInt(strings.Trim(string(a.ExpiresIn), `"`), 10, 64)
	if err != nil {
		seconds = 300
	}
	return a.AccessToken, time.Now().Add(time.Duration(seconds) * time.Second), nil
}
