package token

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	tenant   = "0f1c1c0a-6c6e-4a53-9d0a-1d2f7c9f5a11"
	storage  = "https://storage.azure.com"
	objectID = "9e0f9a0c-0f3b-4a8e-8a5c-6c1f0e1d2c3b"
)

func open(t *testing.T) *Signer {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "token.pem"), tenant)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestVerify(t *testing.T) {
	s, other := open(t), open(t)
	good := Claims{Audience: storage, ObjectID: objectID}
	sign := func(by *Signer, c Claims, lifetime time.Duration) string {
		raw, _, err := by.Sign(c, lifetime)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	raw := func(alg jose.SignatureAlgorithm, key any) string {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, nil)
		if err != nil {
			t.Fatal(err)
		}
		out, err := jwt.Signed(signer).Claims(Claims{Audience: storage, ObjectID: objectID, Issuer: Issuer(tenant), Tenant: tenant, Expires: time.Now().Add(time.Hour).Unix()}).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	valid := sign(s, good, time.Hour)
	parts := strings.Split(valid, ".")
	foreign := &Signer{tenant: "another", now: time.Now, keys: s.keys}
	for _, tt := range []struct {
		name, token string
		want        error
	}{
		{"its own", valid, nil},
		{"with a trailing slash in the audience", sign(s, Claims{Audience: storage + "/", ObjectID: objectID}, time.Hour), nil},
		{"for another audience", sign(s, Claims{Audience: "https://vault.azure.net", ObjectID: objectID}, time.Hour), ErrAudience},
		{"expired", sign(s, good, -2*time.Minute), ErrExpired},
		{"expired within the leeway", sign(s, good, -30*time.Second), nil},
		{"signed by another key", sign(other, good, time.Hour), ErrInvalid},
		{"of another tenant", sign(foreign, good, time.Hour), ErrInvalid},
		{"without an object id", sign(s, Claims{Audience: storage}, time.Hour), ErrInvalid},
		{"unsigned (alg none)", "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + parts[1] + ".", ErrInvalid},
		{"signed with the public key as a secret (HS256)", raw(jose.HS256, s.current().private.N.Bytes()), ErrInvalid},
		{"signed RS512 with the right key", raw(jose.RS512, s.current().private), ErrInvalid},
		{"with a changed body", parts[0] + "." + parts[1][:len(parts[1])-4] + "AAAA." + parts[2], ErrInvalid},
		{"empty", "", ErrInvalid},
		{"not a token", "a.b.c", ErrInvalid},
		{"too long", strings.Repeat("a", maxToken+1), ErrInvalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := s.Verify(tt.token, "https://management.azure.com", storage)
			if !errors.Is(err, tt.want) || tt.want == nil && c.ObjectID != objectID {
				t.Errorf("got %+v, %v; want %v", c, err, tt.want)
			}
		})
	}
}

func TestKeyIsKeptAndSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token.pem")
	first, err := Open(file, tenant)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	raw, claims, err := first.Sign(Claims{Audience: storage, ObjectID: objectID}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Open(file, tenant)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Verify(raw, storage); err != nil {
		t.Errorf("after opening again: %v", err)
	}
	if claims.Issuer != "https://sts.windows.net/"+tenant+"/" || claims.Subject != objectID || claims.UTI == "" || claims.IDType != "app" {
		t.Errorf("claims %+v", claims)
	}
	parsed, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil || parsed.Headers[0].KeyID != first.KeySet().Keys[0].KeyID || !first.KeySet().Keys[0].IsPublic() {
		t.Errorf("key id %v, %v", parsed.Headers, err)
	}
}

func FuzzVerify(f *testing.F) {
	s, err := Open(filepath.Join(f.TempDir(), "token.pem"), tenant)
	if err != nil {
		f.Fatal(err)
	}
	valid, want, err := s.Sign(Claims{Audience: storage, ObjectID: objectID}, 1000*time.Hour)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(valid)
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, raw string) {
		if c, err := s.Verify(raw, storage); err == nil && c != want {
			t.Errorf("%q is taken, and says %+v", raw, c)
		}
	})
}

// Tokens outlive the key that has signed them, until it is one of the oldest.
func TestRotation(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token.pem")
	s, err := Open(file, tenant)
	if err != nil {
		t.Fatal(err)
	}
	old, _, err := s.Sign(Claims{Audience: storage, ObjectID: objectID}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	first := s.current().public.KeyID
	for n := 1; n <= maxKeys; n++ {
		if err := s.Rotate(); err != nil {
			t.Fatal(err)
		}
		again, err := Open(file, tenant)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []*Signer{s, again} {
			if got := len(at.KeySet().Keys); got != min(n+1, maxKeys) {
				t.Errorf("after %d rotations %d keys are listed", n, got)
			}
			if at.current().public.KeyID == first || at.current().public.KeyID != s.current().public.KeyID {
				t.Errorf("after %d rotations the key is not the new one", n)
			}
			if _, err := at.Verify(old, storage); (err == nil) != (n < maxKeys) {
				t.Errorf("after %d rotations, the token of the first key: %v", n, err)
			}
		}
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the keys' file: %v, %v", info.Mode(), err)
	}
	s.keys[0].made = time.Now().Add(-maxAge - time.Hour)
	data, err := encodeKey(s.keys[0].private, s.keys[0].made)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if aged, err := Open(file, tenant); err != nil || aged.current().public.KeyID == s.keys[0].public.KeyID || len(aged.KeySet().Keys) != 2 {
		t.Errorf("a key that is too old still signs: %v", err)
	}
}
