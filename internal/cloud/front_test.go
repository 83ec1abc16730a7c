package cloud_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
	"github.com/cloister-ml/cloister/service"
)

// echo answers with how the call came.
func echo(w http.ResponseWriter, r *http.Request) {
	call := cloud.CallFrom(r.Context())
	body, _ := io.ReadAll(r.Body)
	cloud.WriteJSON(w, 200, map[string]any{
		"host": call.Endpoint.Host, "resource": string(call.Resource.ID), "address": call.Source.Addr.IsValid(), "endpoint": string(call.Source.Endpoint),
		"trusted": string(call.Source.Trusted), "admission": call.Admission.Value.String(), "body": string(body), "proto": r.Proto,
	})
}

func storageProvider(cloud.Host) []cloud.Provider {
	return []cloud.Provider{{Namespace: "Microsoft.Storage", Services: map[string]http.Handler{"blob": http.HandlerFunc(echo)}}}
}

// estate is a storage account without public access, another that is open, and a
// private endpoint of the first.
func estate(t *testing.T, c *cloudtest.Cloud) (closed, endpoint arm.ID) {
	t.Helper()
	group := arm.GroupID(cloudtest.Subscription, "rg")
	res := func(typ, name string) arm.ID { return arm.ResourceID(cloudtest.Subscription, "rg", typ, name) }
	closed, endpoint = res(service.TypeStorageAccount, "stclosed"), res(service.TypePrivateEndpoint, "pe")
	vnet := res(service.TypeVirtualNetwork, "v")
	for _, r := range []arm.Resource{
		{ID: group, Location: "westeurope"},
		{ID: closed, Location: "westeurope", Properties: arm.Object{"publicNetworkAccess": "Disabled"}},
		{ID: res(service.TypeStorageAccount, "stopen"), Location: "westeurope"},
		{ID: vnet, Location: "westeurope", Properties: arm.Object{"addressSpace": arm.Object{"addressPrefixes": []any{"10.0.0.0/16"}}}},
		{ID: vnet.Child("subnets", "s"), Properties: arm.Object{"addressPrefix": "10.0.0.0/24"}},
		{ID: endpoint, Location: "westeurope", Properties: arm.Object{
			"subnet": arm.Object{"id": string(vnet.Child("subnets", "s"))},
			"privateLinkServiceConnections": []any{arm.Object{"name": "c", "properties": arm.Object{
				"privateLinkServiceId": string(closed), "groupIds": []any{"blob"},
			}}},
		}},
	} {
		if _, err := c.Client().Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	return closed, endpoint
}

// open serves a door, and gives a client that calls every host there.
func open(t *testing.T, c *cloudtest.Cloud, endpoint arm.ID) *http.Client {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- c.Serve(l, endpoint) }()
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: c.CA().Pool(), MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", l.Addr().String())
		},
	}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		l.Close()
		if err := <-served; err != nil && !errors.Is(err, net.ErrClosed) {
			t.Errorf("serving: %v", err)
		}
	})
	return &http.Client{Transport: transport}
}

func call(t *testing.T, client *http.Client, url, host string) (int, arm.Object, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "PUT", url, strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if host != "" {
		req.Host = host
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	var body arm.Object
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, body, nil
}

func TestFront(t *testing.T) {
	c := cloudtest.Start(t, storageProvider)
	closed, endpoint := estate(t, c)
	public, private := open(t, c, ""), open(t, c, endpoint)
	for _, tt := range []struct {
		name      string
		client    *http.Client
		url, host string
		status    int
		admission string
	}{
		{"in public, an open account", public, "https://stopen.blob.core.windows.net/x", "", 200, "yes"},
		{"in public, an account without public access", public, "https://stclosed.blob.core.windows.net/x", "", 200, "no"},
		{"through its private endpoint", private, "https://stclosed.blob.core.windows.net/x", "", 200, "yes"},
		{"through its private endpoint, in capitals", private, "https://STCLOSED.blob.core.windows.net/x", "", 200, "yes"},
		{"through another's private endpoint", private, "https://stopen.blob.core.windows.net/x", "", 421, ""},
		{"through the endpoint of another sub-resource", private, "https://stclosed.queue.core.windows.net/x", "", 421, ""},
		{"a host that the connection was not made for", public, "https://stopen.blob.core.windows.net/x", "stclosed.blob.core.windows.net", 421, ""},
		{"a service that nobody runs", public, "https://stopen.table.core.windows.net/x", "", 404, ""},
		{"a host that is not served", public, "https://other.blob.core.windows.net/x", "", 0, ""},
		{"a private name", private, "https://stclosed.privatelink.blob.core.windows.net/x", "", 0, ""},
		{"ARM", public, "https://management.azure.com/subscriptions?api-version=2024-01-01", "", 401, ""},
		{"the token service", public, "https://login.microsoftonline.com/x", "", 404, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, body, err := call(t, tt.client, tt.url, tt.host)
			if status != tt.status || (err != nil) != (tt.status == 0) {
				t.Fatalf("got %d %v, %v; want %d", status, body, err, tt.status)
			}
			if status != 200 {
				return
			}
			if body["admission"] != tt.admission || body["body"] != "hello" || body["address"] != true || body["proto"] != "HTTP/2.0" {
				t.Errorf("got %v", body)
			}
			if tt.client == private && body["endpoint"] != string(endpoint) {
				t.Errorf("the service does not know by which endpoint it was called: %v", body)
			}
		})
	}
	t.Run("a call from within the process", func(t *testing.T) {
		status, body, err := call(t, c.Cloud.Client(closed), "https://stclosed.blob.core.windows.net/x", "")
		if err != nil || status != 200 || body["trusted"] != string(closed) || body["resource"] != string(closed) || body["body"] != "hello" {
			t.Errorf("got %d %v, %v", status, body, err)
		}
	})
	t.Run("through a private endpoint that has gone", func(t *testing.T) {
		if err := c.ClientAs(c.Owner).Delete(t.Context(), endpoint); err != nil {
			t.Fatal(err)
		}
		if status, _, err := call(t, private, "https://stclosed.blob.core.windows.net/x", ""); status != 421 {
			t.Errorf("got %d, %v", status, err)
		}
	})
}

func TestMetadata(t *testing.T) {
	c := cloudtest.Start(t, nil)
	group := arm.GroupID(cloudtest.Subscription, "rg")
	user := arm.ResourceID(cloudtest.Subscription, "rg", "Microsoft.ManagedIdentity/userAssignedIdentities", "id-one")
	vm := arm.ResourceID(cloudtest.Subscription, "rg", "Microsoft.Compute/virtualMachines", "vm")
	bare := arm.ResourceID(cloudtest.Subscription, "rg", "Microsoft.Compute/virtualMachines", "bare")
	for _, r := range []arm.Resource{
		{ID: group, Location: "westeurope"}, {ID: user, Location: "westeurope"}, {ID: bare, Location: "westeurope"},
		{ID: vm, Location: "westeurope", Identity: &arm.Identity{Type: "SystemAssigned, UserAssigned", User: map[string]arm.Object{string(user): {}}}},
	} {
		if _, err := c.Client().Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	server := func(id arm.ID) func(path string, header ...string) (int, arm.Object) {
		h := c.Metadata(id)
		return func(path string, header ...string) (int, arm.Object) {
			req, err := http.NewRequest("GET", "http://169.254.169.254"+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i := 0; i < len(header); i += 2 {
				req.Header.Set(header[i], header[i+1])
			}
			w := newRecorder()
			h.ServeHTTP(w, req)
			return w.result(t)
		}
	}
	const path = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fstorage.azure.com%2F"
	ask := server(vm)
	for name, tt := range map[string]struct {
		ask    func(string, ...string) (int, arm.Object)
		path   string
		header []string
		status int
		oid    string
	}{
		"its own identity":              {ask, path, []string{"Metadata", "true"}, 200, arm.PrincipalID(vm)},
		"one that it was given":         {ask, path + "&mi_res_id=" + string(user), []string{"Metadata", "true"}, 200, arm.PrincipalID(user)},
		"by client id":                  {ask, path + "&client_id=" + arm.StableGUID(user, "clientId"), []string{"Metadata", "true"}, 200, arm.PrincipalID(user)},
		"by object id":                  {ask, path + "&object_id=" + arm.PrincipalID(user), []string{"Metadata", "true"}, 200, arm.PrincipalID(user)},
		"one that it was not given":     {ask, path + "&client_id=" + cloudtest.Tenant, []string{"Metadata", "true"}, 400, ""},
		"without the header":            {ask, path, nil, 400, ""},
		"forwarded":                     {ask, path, []string{"Metadata", "true", "X-Forwarded-For", "10.0.0.1"}, 400, ""},
		"without api-version":           {ask, "/metadata/identity/oauth2/token?resource=x", []string{"Metadata", "true"}, 400, ""},
		"without resource":              {ask, "/metadata/identity/oauth2/token?api-version=2018-02-01", []string{"Metadata", "true"}, 400, ""},
		"for an unknown resource":       {ask, "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://example.com", []string{"Metadata", "true"}, 400, ""},
		"a machine without an identity": {server(bare), path, []string{"Metadata", "true"}, 400, ""},
		"a machine that is not there":   {server(vm + "x"), path, []string{"Metadata", "true"}, 404, ""},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := tt.ask(tt.path, tt.header...)
			if status != tt.status {
				t.Fatalf("got %d %v", status, body)
			}
			if status != 200 {
				return
			}
			req, _ := http.NewRequest("GET", "https://x", nil)
			req.Header.Set("Authorization", "Bearer "+arm.String(body, "access_token"))
			who, err := c.Authenticate(req, "https://storage.azure.com")
			if err != nil || who.ObjectID != tt.oid || who.Resource == "" {
				t.Errorf("the token is of %+v, %v", who, err)
			}
		})
	}
	status, body := ask("/metadata/instance?api-version=2021-02-01", "Metadata", "true")
	if status != 200 || arm.String(body, "compute.name") != "vm" || !strings.EqualFold(arm.String(body, "compute.resourceId"), string(vm)) {
		t.Errorf("instance: %d %v", status, body)
	}
	for path, want := range map[string]int{
		"/metadata/instance/compute?api-version=2021-02-01":      200,
		"/metadata/instance/compute/name?api-version=2021-02-01": 400, // a single value is text only
		"/metadata/instance/compute?api-version=2016-01-01":      400,
		"/metadata/instance/other?api-version=2021-02-01":        404,
		"/metadata/attested/document?api-version=2021-02-01":     404,
	} {
		if status, body := ask(path, "Metadata", "true"); status != want {
			t.Errorf("%s: %d %v, want %d", path, status, body, want)
		}
	}
}
