//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const dualEstate = "testdata/dual"

// knock tries a TCP connection.
const knock = `
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)
    print("open")
except OSError as e:
    print("timed out" if isinstance(e, TimeoutError) else e.strerror)
`

// Networks of IPv4 become dual stack by a second up, which writes what differs and
// restarts nothing, and of IPv4 alone by a third; between the two names, packets, groups and routes of IPv6 are as declared.
func TestDualStack(t *testing.T) {
	c := newCloud(t, "six")
	python := func(machine string, args ...string) string {
		out, _ := c.in(t, machine, nil, append([]string{"python3", "-c"}, args...)...)
		return strings.TrimSpace(out)
	}
	ping := func(machine, to string) string { // as anybody in the machine, and not root alone
		out, status := c.in(t, machine, nil, "ping", "-n", "-c", "1", "-W", "2", to)
		return fmt.Sprintf("%d of 1, status %d", strings.Count(out, "bytes from "+to), status)
	}
	born := func() string {
		out, _ := c.in(t, "vm-one", nil, "cut", "-d ", "-f22", "/proc/1/stat")
		return out
	}
	c.must(t, "up", dualEstate, "--var", "dual=false")
	before := born()
	if got := ping("vm-one", "fd00:2::20"); got != "0 of 1, status 2" {
		t.Errorf("without IPv6: %s", got)
	}
	out := c.must(t, "up", dualEstate)
	if !strings.Contains(out, "9 as they were") {
		t.Errorf("the second up wrote more than what differs:\n%s", out)
	}
	if after := born(); after != before {
		t.Errorf("the machine was started again: %s, before %s", after, before)
	}

	for _, tt := range []struct{ name, got, want string }{
		{"a ping over the peering", ping("vm-one", "fd00:2::20"), "1 of 1, status 0"},
		{"a ping back", ping("vm-two", "fd00:1::4"), "1 of 1, status 0"},
		{"a ping by IPv4", ping("vm-one", "10.2.0.4"), "1 of 1, status 0"},
		{"a ping that the group denies", ping("vm-two", "10.1.0.4"), "0 of 1, status 1"},
		{"a ping to nobody", ping("vm-one", "10.2.0.99"), "0 of 1, status 1"},
		{"a port that the group allows", python("vm-one", knock, "fd00:2::20", "22"), "open"},
		{"a port that the group denies by IPv6", python("vm-one", knock, "fd00:2::20", "8080"), "timed out"},
		{"the same port by IPv4", python("vm-one", knock, "10.2.0.4", "8080"), "Connection refused"},
		{"the internet, with a public address", python("vm-one", knock, "2001:db8::10", "8080"), "Connection refused"},
		{"the internet, without one", python("vm-two", knock, "2001:db8::10", "8080"), "Permission denied"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, tt.got, tt.want)
		}
	}
	if out, status := c.in(t, "vm-one", nil, "getent", "ahostsv6", "two.corp.example"); status != 0 || !strings.Contains(out, "fd00:2::20") {
		t.Errorf("getent ahostsv6: %d, %s", status, out)
	}
	if out, _ := c.in(t, "vm-one", nil, "cat", "/etc/resolv.conf"); !strings.Contains(out, "nameserver 168.63.129.16") {
		t.Errorf("the resolver is %s", out)
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"status"}, "10.1.0.4, fd00:1::4"},
		{[]string{"route", "effective", "vm-one"}, "::/0 Internet"},
		{[]string{"route", "effective", "vm-one"}, "fd00:2::/48 VNetPeering vnet-spoke"},
		{[]string{"nsg", "stats", "nsg-spoke"}, "no-8080-by-ipv6 Deny"},
		{[]string{"probe"}, "cells agree with the proof."},
	} {
		if out := strings.Join(strings.Fields(c.must(t, tt.args...)), " "); !strings.Contains(out, tt.want) {
			t.Errorf("cloister %s does not say %q: %s", strings.Join(tt.args, " "), tt.want, out)
		}
	}

	out = c.must(t, "up", dualEstate, "--var", "dual=false")
	if !strings.Contains(out, "6 documents written, 2 deleted") {
		t.Errorf("IPv6 does not go as it came:\n%s", out)
	}
	if after := born(); after != before {
		t.Errorf("the machine was started again when IPv6 went: %s, before %s", after, before)
	}
	for _, tt := range []struct{ name, got, want string }{
		{"IPv6 that is gone", ping("vm-one", "fd00:2::20"), "0 of 1, status 2"},
		{"IPv4 that stays", ping("vm-one", "10.2.0.4"), "1 of 1, status 0"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, tt.got, tt.want)
		}
	}
	if out, _ := c.in(t, "vm-one", nil, "ip", "-6", "addr", "show", "scope", "global"); strings.TrimSpace(out) != "" {
		t.Errorf("an address of IPv6 is left: %s", out)
	}
	if out, status := c.cloister(t, "probe"); status != 0 {
		t.Errorf("without IPv6 the packets are not as the proof says:\n%s", out)
	}

	c.must(t, "down")
	left, err := os.ReadDir("/run/netns")
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, e := range left {
		if strings.HasPrefix(e.Name(), fmt.Sprintf("cl-%s-", c.name)) {
			t.Errorf("%s is left", e.Name())
		}
	}
	if out, err := exec.Command("ip", "-6", "addr").CombinedOutput(); err == nil && strings.Contains(string(out), "fd00:1:") {
		t.Errorf("addresses are left on this host:\n%s", out)
	}
}
