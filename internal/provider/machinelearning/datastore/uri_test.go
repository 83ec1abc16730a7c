package datastore_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/internal/provider/machinelearning/datastore"
)

func TestNamesOfData(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want datastore.URI
	}{
		{"azureml://datastores/d/paths/a/b.csv", datastore.URI{Store: "d", Path: "a/b.csv"}},
		{"azureml://datastores/d/paths/a/", datastore.URI{Store: "d", Path: "a/"}},
		{"azureml://datastores/d/paths/", datastore.URI{Store: "d"}},
		{"azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/d/paths/a", datastore.URI{Store: "d", Path: "a"}},
		{"azureml://jobs/j/outputs/o/paths/p/q", datastore.URI{Job: "j", Output: "o", Path: "p/q"}},
		{"azureml://jobs/j/outputs/o", datastore.URI{Job: "j", Output: "o"}},
		{"azureml:diabetes:3", datastore.URI{Asset: "diabetes", Version: "3"}},
		{"azureml:diabetes@latest", datastore.URI{Asset: "diabetes", Version: "@latest"}},
		{"azureml:/subscriptions/s/x", datastore.URI{ID: "/subscriptions/s/x"}},
		{"https://a.blob.core.windows.net/c/p", datastore.URI{URL: "https://a.blob.core.windows.net/c/p"}},
	} {
		if got, err := datastore.ParseURI(tt.in); err != nil || got != tt.want {
			t.Errorf("%s is %+v (%v), want %+v", tt.in, got, err, tt.want)
		}
	}
	for _, in := range []string{
		"", "data.csv", "azureml:", "azureml:x", "azureml:x:", "azureml:@latest", "azureml://datastores/d/a", "azureml://datastores//paths/a",
		"azureml://datastores/d/paths/../../x", "azureml://jobs/j", "azureml://registries/r/models/m", "file:///etc/passwd", "azureml://datastores/d/paths/a\nb", "https://",
	} {
		if got, err := datastore.ParseURI(in); !errors.Is(err, datastore.ErrURI) {
			t.Errorf("%q is %+v (%v)", in, got, err)
		}
	}
}

func TestBlobAddresses(t *testing.T) {
	b := datastore.Blob{Account: "st", Container: "c", Path: "a b/ü#?.csv"}
	if got, want := b.URL(), "https://st.blob.core.windows.net/c/a%20b/%C3%BC%23%3F.csv"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for _, in := range []string{"http://st.blob.core.windows.net/c/a", "https://st.evil.net/c/a", "https://blob.core.windows.net/c", "https://st.blob.core.windows.net/", "https://st.blob.core.windows.net.evil.net/c", "https://st.blob.core.windows.net/c/%2e%2e/x", "https://a.b.blob.core.windows.net/c/x"} {
		if got, err := datastore.ParseBlob(in); err == nil {
			t.Errorf("%s is %+v", in, got)
		}
	}
}

// FuzzBlob: an address that is written is read back, and nothing leads out of its
// container.
func FuzzBlob(f *testing.F) {
	f.Add("a/b.csv")
	f.Add("a b/ü#?%2e%2e/")
	f.Add("../x")
	f.Fuzz(func(t *testing.T, path string) {
		u, err := datastore.ParseURI("azureml://datastores/d/paths/" + path)
		if err != nil {
			return
		}
		if strings.HasPrefix(u.Path, "/") || strings.Contains("/"+u.Path+"/", "/../") {
			t.Fatalf("%q is the path %q", path, u.Path)
		}
		b := datastore.Blob{Account: "st", Container: "c", Path: u.Path}
		again, err := datastore.ParseBlob(b.URL())
		if err != nil || again != b {
			t.Fatalf("%+v is written %s and read %+v (%v)", b, b.URL(), again, err)
		}
	})
}
