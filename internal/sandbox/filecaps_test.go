package sandbox_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// fileCapability is the extended attribute of a program that gets CAP_NET_RAW when it
// starts, as distributions give ping (capabilities(7), linux/capability.h: version 2).
func fileCapability() []byte {
	b := binary.LittleEndian.AppendUint32(nil, 0x02000000|1) // and effective
	b = binary.LittleEndian.AppendUint32(b, 1<<unix.CAP_NET_RAW)
	return append(b, make([]byte, 12)...)
}

// A program that would gain a capability when started runs and gains none.
func TestFileCapabilitiesGiveNothing(t *testing.T) {
	r := open(t)
	data, err := os.ReadFile("/usr/bin/grep")
	if err != nil {
		t.Skip(err)
	}
	for _, machine := range []bool{true, false} {
		kind := map[bool]string{true: "machine", false: "job"}[machine]
		t.Run(kind, func(t *testing.T) {
			disk := t.TempDir()
			if err := os.Chmod(disk, 0o755); err != nil {
				t.Fatal(err)
			}
			program := filepath.Join(disk, "capable-grep")
			if err := os.WriteFile(program, data, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(program, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := unix.Setxattr(program, "security.capability", fileCapability(), 0); err != nil {
				t.Skipf("this file system keeps no capabilities: %v", err)
			}
			var out bytes.Buffer
			s := spec("capable-"+kind, "/capable-grep", "CapEff", "/proc/self/status")
			s.Machine, s.Upper, s.UID, s.GID, s.Stdout, s.Stderr = machine, disk, 1000, 1000, &out, &out
			code, err := r.Run(t.Context(), s)
			if err != nil || code != 0 || strings.TrimSpace(out.String()) != "CapEff:\t0000000000000000" {
				t.Errorf("status %d, error %v: %s", code, err, out.String())
			}
		})
	}
}
