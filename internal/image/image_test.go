package image

import (
	"archive/tar"
	"bytes"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func TestPushAndPull(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	ref := strings.TrimPrefix(server.URL, "http://") + "/environment:1"

	lower, upper := t.TempDir(), t.TempDir()
	write(t, filepath.Join(lower, "etc/name"), "lower")
	write(t, filepath.Join(upper, "opt/tool"), "upper")
	if err := os.Symlink("tool", filepath.Join(upper, "opt/link")); err != nil {
		t.Fatal(err)
	}
	img, err := Cache{Dir: t.TempDir()}.Image(t.Context(), []string{lower, upper}, []string{"A=b"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(r, img); err != nil {
		t.Fatal(err)
	}

	store := Store{Dir: t.TempDir()}
	for _, fetched := range []int{2, 0} { // the second time everything is here
		got, err := store.Pull(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		if got.Fetched != fetched || len(got.Layers) != 2 || len(got.Env) != 1 {
			t.Fatalf("got %+v, want two layers, %d fetched, one variable", got, fetched)
		}
		if data, err := os.ReadFile(filepath.Join(got.Layers[1], "opt/link")); err != nil || string(data) != "upper" {
			t.Errorf("the upper layer's link leads to %q, error %v", data, err)
		}
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// hostile are archives that must not reach outside the folder they are unpacked in.
func hostile() map[string][]tar.Header {
	return map[string][]tar.Header{
		"dots":                {{Name: "../../escape", Typeflag: tar.TypeReg, Mode: 0o644}},
		"absolute":            {{Name: "/../escape", Typeflag: tar.TypeReg, Mode: 0o644}},
		"through a link":      {{Name: "out", Typeflag: tar.TypeSymlink, Linkname: ".."}, {Name: "out/escape", Typeflag: tar.TypeReg, Mode: 0o644}},
		"through a deep link": {{Name: "a/out", Typeflag: tar.TypeSymlink, Linkname: "../.."}, {Name: "a/out/escape", Typeflag: tar.TypeDir, Mode: 0o755}},
		"hard link outside":   {{Name: "etc", Typeflag: tar.TypeLink, Linkname: "../../secret"}},
		"whiteout of dots":    {{Name: "a/.wh...", Typeflag: tar.TypeReg, Mode: 0o644}},
	}
}

func archive(t testing.TB, headers []tar.Header) []byte {
	t.Helper()
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	for _, h := range headers {
		if err := tw.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestUntarStaysInside(t *testing.T) {
	for name, headers := range hostile() {
		t.Run(name, func(t *testing.T) {
			outer := t.TempDir()
			write(t, filepath.Join(outer, "secret"), "s")
			inner := filepath.Join(outer, "inner")
			if err := os.Mkdir(inner, 0o755); err != nil {
				t.Fatal(err)
			}
			err := untar(bytes.NewReader(archive(t, headers)), inner, 1<<20)
			entries, _ := os.ReadDir(outer)
			if len(entries) != 2 {
				t.Fatalf("something was written outside: %v (error %v)", entries, err)
			}
		})
	}
}

func TestUntarIsBounded(t *testing.T) {
	data := archive(t, []tar.Header{{Name: "a", Typeflag: tar.TypeDir}, {Name: "b", Typeflag: tar.TypeDir}})
	if err := untar(bytes.NewReader(data), t.TempDir(), 600); err == nil {
		t.Error("two entries fitted into room for one")
	}
}

func TestRequirementsAreNames(t *testing.T) {
	base := t.TempDir()
	if err := os.MkdirAll(filepath.Join(base, "usr/bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("python3.11", filepath.Join(base, "usr/bin/python3")); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"--index-url=http://x", "-e .", "pkg @ file:///etc/passwd", "a\nb", "../x"} {
		if _, err := (Cache{Dir: t.TempDir()}).Python(t.Context(), base, []string{bad}); err == nil {
			t.Errorf("%q was taken for a requirement", bad)
		}
	}
}

func FuzzUntar(f *testing.F) {
	for _, headers := range hostile() {
		f.Add(archive(f, headers))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		outer := t.TempDir()
		inner := filepath.Join(outer, "inner")
		if err := os.Mkdir(inner, 0o755); err != nil {
			t.Fatal(err)
		}
		_ = untar(bytes.NewReader(data), inner, 1<<20)
		if entries, _ := os.ReadDir(outer); len(entries) != 1 {
			t.Fatalf("something was written outside: %v", entries)
		}
	})
}
