package check

import (
	"testing"

	"github.com/cloister-ml/cloister/network"
)

// Traffic in words tells apart what is not the same: all of TCP alone is not all of
// TCP and UDP. (Found by TestExfilAgreesWithPackets.)
func TestTrafficInWords(t *testing.T) {
	all, https := []network.PortRange{{First: 0, Last: 65535}}, []network.PortRange{{First: 443, Last: 443}}
	for _, c := range []struct {
		traffic Traffic
		want    string
	}{
		{Traffic{TCP: all}, "TCP any port"},
		{Traffic{UDP: all}, "UDP any port"},
		{Traffic{TCP: all, UDP: all}, "TCP and UDP any port"},
		{Traffic{TCP: all, ICMP: true, Other: true}, "TCP any port; ICMP; other protocols"},
		{Traffic{TCP: all, UDP: all, ICMP: true, Other: true}, "everything"},
		{Traffic{TCP: https, UDP: https, ICMP: true, Other: true}, "TCP and UDP 443, other protocols"},
		{Traffic{TCP: https, UDP: all}, "TCP 443; UDP any port"},
	} {
		if got := c.traffic.String(); got != c.want {
			t.Errorf("%+v is %q, not %q", c.traffic, got, c.want)
		}
	}
}
