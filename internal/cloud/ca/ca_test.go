package ca

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAuthority(t *testing.T) {
	dir := t.TempDir()
	a, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, "ca.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's mode: %v, %v", info.Mode(), err)
	}
	again, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for host, good := range map[string]bool{
		"stmlops.blob.core.windows.net":              true,
		"STMLOPS.blob.core.windows.net":              true,
		strings.Repeat("a", 63) + ".vault.azure.net": true,
		"127.0.0.1": true,
		"::1":       true,
		"":          false,
		"two words": false,
		"a/b":       false,
		strings.Repeat("a.", 200) + "vault.azure.net": false,
	} {
		c, err := again.Certificate(host)
		if (err == nil) != good {
			t.Errorf("%q: %v", host, err)
		}
		if err != nil {
			continue
		}
		if _, err := c.Leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: a.Pool()}); err != nil {
			t.Errorf("%q is not trusted by who trusts the authority as first opened: %v", host, err)
		}
	}
	one, _ := a.Certificate("a.azurecr.io")
	two, _ := a.Certificate("A.azurecr.io.")
	if one != two {
		t.Error("a certificate is made twice")
	}
	a.now = func() time.Time { return time.Now().Add(leafLifetime - leafRenewal/2) }
	if three, err := a.Certificate("a.azurecr.io"); err != nil || three == one || !three.Leaf.NotAfter.After(one.Leaf.NotAfter) {
		t.Errorf("a certificate near its end is not renewed: %v", err)
	}
}

func TestOpenRefusesAKeyOfAnother(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	for _, d := range []string{dir, other} {
		if _, err := Open(d); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(filepath.Join(other, "ca.key"), filepath.Join(dir, "ca.key")); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil {
		t.Error("a key that does not belong to the certificate is taken")
	}
}

func TestBundle(t *testing.T) {
	a, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "bundle.crt")
	if err := a.WriteBundle(file); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil || !strings.HasSuffix(string(data), string(a.PEM())) {
		t.Errorf("the authority is not the bundle's last certificate: %v", err)
	}
}
