package main

import (
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/internal/daemon"
)

func TestWriteGroups(t *testing.T) {
	counts := []daemon.GroupCount{
		{Group: "nsg-a", Network: "hub", Direction: "Inbound", Rule: "ssh", Access: "Allow", Packets: 3, Bytes: 180},
		{Group: "nsg-a", Network: "hub", Direction: "Inbound", Rule: "rest", Access: "Deny"},
	}
	const head = "NSG    NETWORK  DIRECTION  RULE  ACCESS  PACKETS  BYTES\nnsg-a  hub      Inbound    ssh   Allow   3        180\n"
	for all, want := range map[bool]string{
		false: head + "1 rules have met nothing yet: --all shows them\n",
		true:  head + "nsg-a  hub      Inbound    rest  Deny    0        0\n",
	} {
		var b strings.Builder
		if err := writeGroups(&b, counts, all); err != nil || b.String() != want {
			t.Errorf("all %v: %v\n%s\nwant\n%s", all, err, b.String(), want)
		}
	}
}
