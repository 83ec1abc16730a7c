package network_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
)

func estate(t testing.TB, parts ...any) *arm.Estate {
	t.Helper()
	e, err := nt.Estate(parts...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func topology(t testing.TB, parts ...any) *network.Topology {
	t.Helper()
	return network.FromEstate(estate(t, parts...))
}

// flow reads "10.1.0.4 -> 10.2.0.4 tcp 443".
func flow(t testing.TB, s string) network.Flow {
	t.Helper()
	var from, to, protocol string
	f := network.Flow{}
	if n, _ := fmt.Sscanf(s, "%s -> %s %s %d", &from, &to, &protocol, &f.Port); n < 3 {
		t.Fatalf("flow %q", s)
	}
	f.Source, f.Destination = netip.MustParseAddr(from), netip.MustParseAddr(to)
	f.Protocol = map[string]network.Protocol{"tcp": network.TCP, "udp": network.UDP, "icmp": network.ICMP}[protocol]
	return f
}

// question is a flow with the answer that is expected, and a part of the reason
// that decides.
type question struct {
	flow, want, because string
}

func ask(t *testing.T, top *network.Topology, questions ...question) {
	t.Helper()
	for _, q := range questions {
		got := top.Reach(flow(t, q.flow))
		reason := got.Decisive().At + ": " + got.Decisive().Reason
		if got.Value.String() != q.want || !strings.Contains(reason, q.because) {
			t.Errorf("%s\n got %v because %s\nwant %v because %s\n%s", q.flow, got.Value, reason, q.want, q.because, story(got))
		}
	}
}

func noProblems(t *testing.T, top *network.Topology) {
	t.Helper()
	for _, p := range top.Problems {
		t.Errorf("problem at %s: %s", p.Resource, p.Message)
	}
}
