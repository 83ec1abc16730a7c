package network_test

import (
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// soak holds a property for the usual number of estates, or as long as
// CLOISTER_SOAK says: CLOISTER_SOAK=10m go test ./network/.
func soak(t *testing.T, property func(*rapid.T)) {
	t.Helper()
	rapid.Check(t, property)
	s := os.Getenv("CLOISTER_SOAK")
	if s == "" {
		return
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatalf("CLOISTER_SOAK: %v", err)
	}
	for deadline := time.Now().Add(d); time.Now().Before(deadline) && !t.Failed(); {
		rapid.Check(t, property)
	}
}
