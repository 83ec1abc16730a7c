package storage_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
)

func TestRefusals(t *testing.T) {
	w := newWorld(t, nil)
	_, err := w.container().UploadBuffer(ctx, "data", "x", []byte("x"), nil)
	w.must(err)
	bearer := func(audience string) map[string]string {
		return map[string]string{"Authorization": "Bearer " + w.host.Issue(alice, audience)}
	}
	w.host.Grant(bob.ObjectID, roles+"containers/blobs/read", w.account.ID.Child("blobServices", "default").Child("containers", "other"))
	for _, test := range []struct {
		name    string
		refuse  string
		headers map[string]string
		status  int
		code    string
		says    string
	}{
		{name: "no token", status: 401, code: "NoAuthenticationInformation"},
		{name: "wrong audience", headers: bearer("https://vault.azure.net"), status: 401, code: "InvalidAuthenticationInfo", says: "vault.azure.net"},
		{name: "forged token", headers: map[string]string{"Authorization": "Bearer x"}, status: 401, code: "InvalidAuthenticationInfo"},
		{name: "unknown scheme", headers: map[string]string{"Authorization": "Negotiate x"}, status: 400, code: "InvalidAuthenticationInfo"},
		{name: "role on another container", headers: map[string]string{"Authorization": "Bearer " + w.host.Issue(bob, "https://storage.azure.com")}, status: 403, code: "AuthorizationPermissionMismatch", says: "bob has no role"},
		{name: "not admitted", refuse: "public network access is disabled", headers: bearer("https://storage.azure.com"), status: 403, code: "AuthorizationFailure", says: "public network access is disabled"},
		{name: "not admitted comes before authentication", refuse: "not from here", status: 403, code: "AuthorizationFailure", says: "not from here"},
		{name: "forged key", headers: map[string]string{"Authorization": "SharedKey stmlops:AAAA", "x-ms-date": time.Now().UTC().Format(http.TimeFormat)}, status: 403, code: "AuthenticationFailed"},
		{name: "old request", headers: map[string]string{"Authorization": "SharedKey stmlops:AAAA", "x-ms-date": "Mon, 01 Jan 2024 00:00:00 GMT"}, status: 403, code: "AuthenticationFailed", says: "too old"},
		{name: "account's own audience", headers: bearer("https://stmlops.blob.core.windows.net"), status: 200},
		{name: "right audience", headers: bearer("https://storage.azure.com/"), status: 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			w.front.Refuse(test.refuse)
			got := w.do("GET", accountURL+"data/x", test.headers)
			if got.code != test.status || got.header.Get("x-ms-error-code") != test.code || !strings.Contains(got.text, test.says) {
				t.Errorf("got %d, %s: %s", got.code, got.header.Get("x-ms-error-code"), got.text)
			}
			if challenge := got.header.Get("WWW-Authenticate"); (got.code == 401) != strings.Contains(challenge, w.host.Tenant()+"/oauth2/authorize resource_id=https://storage.azure.com") {
				t.Errorf("challenge %q", challenge)
			}
			if got.header.Get("x-ms-request-id") == "" || got.header.Get("x-ms-version") == "" {
				t.Errorf("headers %v", got.header)
			}
		})
	}
}

func TestRoles(t *testing.T) {
	w := newWorld(t, nil)
	_, err := w.container().UploadBuffer(ctx, "data", "x", []byte("x"), nil)
	w.must(err)
	c := w.client(bob)
	upload := func(name string) error { _, err := c.UploadBuffer(ctx, "data", name, []byte("y"), nil); return err }
	read := func() error { _, err := c.DownloadStream(ctx, "data", "x", nil); return err }
	w.wantCode(read(), bloberror.AuthorizationPermissionMismatch)

	scope := w.account.ID.Child("blobServices", "default").Child("containers", "data")
	w.host.Grant(bob.ObjectID, roles+"containers/blobs/read", scope)
	w.must(read())
	w.wantCode(upload("y"), bloberror.AuthorizationPermissionMismatch)

	w.host.Grant(bob.ObjectID, roles+"containers/blobs/add/action", scope)
	w.must(upload("y"))
	w.wantCode(upload("x"), bloberror.AuthorizationPermissionMismatch) // it is there already
	_, err = c.DeleteBlob(ctx, "data", "y", nil)
	w.wantCode(err, bloberror.AuthorizationPermissionMismatch)
	_, err = c.CreateContainer(ctx, "mine", nil)
	w.wantCode(err, bloberror.AuthorizationPermissionMismatch)

	w.host.Revoke(bob.ObjectID)
	w.wantCode(read(), bloberror.AuthorizationPermissionMismatch)
}

func TestSharedKey(t *testing.T) {
	w := newWorld(t, nil)
	c, _ := w.keyClient()
	_, err := c.CreateContainer(ctx, "data", nil)
	w.must(err)
	_, err = c.UploadBuffer(ctx, "data", "dir/ä b", []byte("hello"), &azblob.UploadBufferOptions{
		Metadata: map[string]*string{"a": to.Ptr("1"), "a_b": to.Ptr("2"), "ab": to.Ptr("3")}, HTTPHeaders: &blob.HTTPHeaders{BlobContentType: to.Ptr("text/plain")},
	})
	w.must(err)
	got := make([]byte, 5)
	_, err = c.DownloadBuffer(ctx, "data", "dir/ä b", got, nil)
	if err != nil || string(got) != "hello" {
		t.Errorf("%q, %v", got, err)
	}
	_, err = c.NewListBlobsFlatPager("data", &azblob.ListBlobsFlatOptions{Prefix: to.Ptr("dir/")}).NextPage(ctx)
	w.must(err)

	old := w.key("key1")
	var out any
	w.action("regeneratekey", map[string]string{"keyName": "key1"}, &out)
	if w.key("key1") == old {
		t.Error("the key is the old one")
	}
	_, err = c.DeleteBlob(ctx, "data", "dir/ä b", nil)
	w.wantCode(err, bloberror.AuthenticationFailed)

	w.account.Properties = arm.Clone(w.account.Properties)
	w.account.Properties["allowSharedKeyAccess"] = false
	w.host.Put(w.account)
	fresh, _ := w.keyClient()
	_, err = fresh.DeleteContainer(ctx, "data", nil)
	w.wantCode(err, "KeyBasedAuthenticationNotPermitted")
}

// A user delegation key is a person's: an account's key gets none.
func TestUserDelegationKeyNeedsAToken(t *testing.T) {
	w := newWorld(t, nil)
	c, _ := w.keyClient()
	now := time.Now().UTC()
	_, err := c.ServiceClient().GetUserDelegationCredential(ctx, service.KeyInfo{
		Start: to.Ptr(now.Format(sas.TimeFormat)), Expiry: to.Ptr(now.Add(time.Hour).Format(sas.TimeFormat)),
	}, nil)
	w.wantCode(err, bloberror.AuthenticationFailed)
}

// open reads a blob by a URL that has its own signature.
func (w *world) open(url string) error {
	w.Helper()
	c, err := blob.NewClientWithNoCredential(url, &blob.ClientOptions{ClientOptions: w.options()})
	w.must(err)
	_, err = c.DownloadStream(ctx, nil)
	return err
}

func TestServiceSAS(t *testing.T) {
	w := newWorld(t, nil)
	c, _ := w.keyClient()
	_, err := c.CreateContainer(ctx, "data", nil)
	w.must(err)
	_, err = c.UploadBuffer(ctx, "data", "a/b c", []byte("hello"), nil)
	w.must(err)
	box := c.ServiceClient().NewContainerClient("data")
	soon := time.Now().Add(time.Hour)
	read, err := box.NewBlobClient("a/b c").GetSASURL(sas.BlobPermissions{Read: true}, soon, nil)
	w.must(err)
	w.must(w.open(read))
	w.wantCode(w.open(strings.Replace(read, "b%20c", "other", 1)), bloberror.AuthenticationFailed)
	w.wantCode(w.open(strings.Replace(read, "sp=r", "sp=rw", 1)), bloberror.AuthenticationFailed)
	if twice := w.do("GET", read+"&sp=r", nil); twice.code != 403 {
		t.Errorf("a parameter given twice: %d", twice.code)
	}

	late, err := box.NewBlobClient("a/b c").GetSASURL(sas.BlobPermissions{Read: true}, time.Now().Add(-time.Minute), nil)
	w.must(err)
	w.wantCode(w.open(late), bloberror.AuthenticationFailed)
	write, err := box.NewBlobClient("a/b c").GetSASURL(sas.BlobPermissions{Write: true}, soon, nil)
	w.must(err)
	w.wantCode(w.open(write), bloberror.AuthorizationPermissionMismatch)

	list, err := box.GetSASURL(sas.ContainerPermissions{List: true, Create: true}, soon, nil)
	w.must(err)
	viaSAS, err := container.NewClientWithNoCredential(list, &container.ClientOptions{ClientOptions: w.options()})
	w.must(err)
	page, err := viaSAS.NewListBlobsFlatPager(nil).NextPage(ctx)
	if err != nil || len(page.Segment.BlobItems) != 1 {
		t.Errorf("listing by SAS: %v", err)
	}
	_, err = viaSAS.NewBlockBlobClient("new").Upload(ctx, body("x"), nil)
	w.must(err)
	_, err = viaSAS.NewBlockBlobClient("new").Upload(ctx, body("x"), nil)
	w.wantCode(err, bloberror.AuthorizationPermissionMismatch)
	_, err = viaSAS.GetProperties(ctx, nil)
	w.wantCode(err, bloberror.AuthorizationResourceTypeMismatch)
	_, err = viaSAS.Delete(ctx, nil)
	w.wantCode(err, bloberror.AuthorizationResourceTypeMismatch)
}

func TestAccountSAS(t *testing.T) {
	w := newWorld(t, nil)
	c, _ := w.keyClient()
	_, err := c.CreateContainer(ctx, "data", nil)
	w.must(err)
	url, err := c.ServiceClient().GetSASURL(sas.AccountResourceTypes{Service: true, Object: true}, sas.AccountPermissions{List: true, Create: true, Write: true}, time.Now().Add(time.Hour), nil)
	w.must(err)
	viaSAS, err := azblob.NewClientWithNoCredential(url, &azblob.ClientOptions{ClientOptions: w.options()})
	w.must(err)
	_, err = viaSAS.NewListContainersPager(nil).NextPage(ctx)
	w.must(err)
	_, err = viaSAS.UploadBuffer(ctx, "data", "x", []byte("x"), nil)
	w.must(err)
	_, err = viaSAS.DownloadStream(ctx, "data", "x", nil)
	w.wantCode(err, bloberror.AuthorizationPermissionMismatch)
	_, err = viaSAS.DeleteContainer(ctx, "data", nil)
	w.wantCode(err, bloberror.AuthorizationResourceTypeMismatch)
}

func TestUserDelegationSAS(t *testing.T) {
	w := newWorld(t, arm.Object{"allowSharedKeyAccess": false})
	c := w.container()
	_, err := c.UploadBuffer(ctx, "data", "x", []byte("hello"), nil)
	w.must(err)
	now := time.Now().UTC()
	stamp := func(at time.Time) *string { return to.Ptr(at.Format(sas.TimeFormat)) }
	delegation, err := c.ServiceClient().GetUserDelegationCredential(ctx, service.KeyInfo{Start: stamp(now.Add(-time.Minute)), Expiry: stamp(now.Add(time.Hour))}, nil)
	w.must(err)
	sign := func(v sas.BlobSignatureValues) string {
		v.ContainerName, v.ExpiryTime = "data", now.Add(30*time.Minute)
		q, err := v.SignWithUserDelegation(delegation)
		w.must(err)
		return accountURL + "data/x?" + q.Encode()
	}
	w.must(w.open(sign(sas.BlobSignatureValues{BlobName: "x", Permissions: "r"})))
	w.must(w.open(sign(sas.BlobSignatureValues{Permissions: "rl", Protocol: sas.ProtocolHTTPS})))
	// The client signs the newest version's text whatever version it names.
	w.wantCode(w.open(sign(sas.BlobSignatureValues{BlobName: "x", Permissions: "r", Version: "2022-11-02"})), bloberror.AuthenticationFailed)
	w.front.From(network.Source{Addr: netip.MustParseAddr("10.1.2.3")})
	fromHere := sign(sas.BlobSignatureValues{BlobName: "x", Permissions: "r", IPRange: sas.IPRange{Start: netip.MustParseAddr("10.1.2.0").AsSlice(), End: netip.MustParseAddr("10.1.2.9").AsSlice()}})
	w.must(w.open(fromHere))
	w.front.From(network.Source{Addr: netip.MustParseAddr("10.1.2.10")})
	w.wantCode(w.open(fromHere), "AuthorizationSourceIPMismatch")

	url := sign(sas.BlobSignatureValues{BlobName: "x", Permissions: "r"})
	w.wantCode(w.open(strings.Replace(url, "skoid=alice", "skoid=bob", 1)), bloberror.AuthenticationFailed)
	w.host.Revoke(alice.ObjectID) // a signature is worth what its signer may do
	w.wantCode(w.open(url), bloberror.AuthorizationPermissionMismatch)
}

func TestPublicContainers(t *testing.T) {
	w := newWorld(t, arm.Object{"allowBlobPublicAccess": true})
	c := w.client(alice)
	for name, access := range map[string]*azblob.PublicAccessType{"all": to.Ptr(azblob.PublicAccessTypeContainer), "one": to.Ptr(azblob.PublicAccessTypeBlob), "none": nil} {
		_, err := c.CreateContainer(ctx, name, &azblob.CreateContainerOptions{Access: access})
		w.must(err)
		_, err = c.UploadBuffer(ctx, name, "x", []byte("x"), nil)
		w.must(err)
	}
	for url, want := range map[string]int{
		"all/x": 200, "all?restype=container&comp=list": 200,
		"one/x": 200, "one?restype=container&comp=list": 401,
		"none/x": 401, "none?restype=container&comp=list": 401, "missing/x": 401, "?comp=list": 401,
	} {
		if got := w.do("GET", accountURL+url, nil); got.code != want {
			t.Errorf("%s: %d, want %d", url, got.code, want)
		}
	}
	if got := w.do("DELETE", accountURL+"all/x", nil); got.code != 401 {
		t.Errorf("anonymous deletion: %d", got.code)
	}
}
