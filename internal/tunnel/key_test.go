package tunnel

import (
	"fmt"
	"strings"
	"testing"
)

func TestKeys(t *testing.T) {
	a, b := Derive([]byte("secret"), "a"), Derive([]byte("secret"), "b")
	if a == b || a != Derive([]byte("secret"), "a") || a == Derive([]byte("other"), "a") {
		t.Error("a key must follow from its secret and its purpose, and from nothing else")
	}
	if a.Public() == b.Public() || a.Public() == (Key{}) || a.Public() == a {
		t.Error("a public key must follow from its private one")
	}
	for _, format := range []string{"%v", "%s", "%+v", "%x", "%q"} {
		if text := fmt.Sprintf(format, a); strings.Contains(text, a.hex()[:8]) || strings.Contains(text, a.Base64()) {
			t.Errorf("%s shows the key", format)
		}
	}
}
