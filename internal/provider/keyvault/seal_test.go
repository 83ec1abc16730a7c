package keyvault

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

// What is sealed opens at its place with its key, and not at another, with another
// key, or changed.
func TestSeal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, err := newSealer(newKey())
		if err != nil {
			t.Fatal(err)
		}
		plain, place := rapid.SliceOf(rapid.Byte()).Draw(t, "plain"), rapid.String().Draw(t, "place")
		sealed := s.seal(plain, place)
		if got, err := s.open(sealed, place); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("got %x, %v", got, err)
		}
		if _, err := s.open(sealed, place+"x"); err == nil {
			t.Fatal("opened at another place")
		}
		other, err := newSealer(newKey())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := other.open(sealed, place); err == nil {
			t.Fatal("opened with another key")
		}
		sealed[rapid.IntRange(0, len(sealed)-1).Draw(t, "at")] ^= 1
		if _, err := s.open(sealed, place); err == nil {
			t.Fatal("opened after a change")
		}
		if _, err := s.open(sealed[:rapid.IntRange(0, len(sealed)-1).Draw(t, "cut")], place); err == nil {
			t.Fatal("opened though cut")
		}
	})
}
