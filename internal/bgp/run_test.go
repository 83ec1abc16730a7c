package bgp

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

const testPort = 1790

func addr(s string) netip.Addr     { return netip.MustParseAddr(s) }
func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

// patience is far more than two speakers need to meet.
const patience = 30 * time.Second

// conversation is a speaker that a test talks to as a daemon does.
type conversation struct {
	in     *io.PipeWriter
	states chan State
}

func converse(t *testing.T) conversation {
	t.Helper()
	inRead, in := io.Pipe()
	outRead, out := io.Pipe()
	c := conversation{in, make(chan State, 100)}
	ended := make(chan error, 1)
	go func() {
		ended <- run(context.Background(), inRead, out, testPort)
		out.Close()
	}()
	go func() {
		scan := bufio.NewScanner(outRead)
		for scan.Scan() {
			var s State
			if json.Unmarshal(scan.Bytes(), &s) == nil {
				c.states <- s
			}
		}
	}()
	t.Cleanup(func() {
		in.Close()
		if err := <-ended; err != nil {
			t.Errorf("a speaker ended with %v", err)
		}
	})
	return c
}

func (c conversation) be(t *testing.T, s Speaker) {
	t.Helper()
	if err := json.NewEncoder(c.in).Encode(s); err != nil {
		t.Fatal(err)
	}
}

// until waits for a state.
func (c conversation) until(t *testing.T, what string, ok func(State) bool) State {
	t.Helper()
	limit := time.After(patience)
	for {
		select {
		case s := <-c.states:
			if ok(s) {
				return s
			}
		case <-limit:
			t.Fatalf("not in time: %s", what)
		}
	}
}

func heard(s State) []string {
	var out []string
	for _, r := range s.Hears() {
		out = append(out, r.Prefix.String())
	}
	return out
}

// A gateway, Microsoft's edge and the customer's edge: what one end advertises, the
// other learns, and loses when the middle goes.
func TestRoutesTravelAcrossTheEdge(t *testing.T) {
	gateway, edge, customer := addr("127.0.9.1"), addr("127.0.9.2"), addr("127.0.9.3")
	edgeOut := addr("127.0.9.4")
	gw := Speaker{ASN: 65515, ID: gateway, Peers: []Peer{{Address: edge, Local: gateway, ASN: 12076}}, Prefixes: []netip.Prefix{prefix("10.1.0.0/16")}}
	ms := Speaker{ASN: 12076, ID: edge, Peers: []Peer{
		{Address: gateway, Local: edge, ASN: 65515}, {Address: customer, Local: edgeOut, ASN: 65020, StripPrivate: true},
	}}
	ce := Speaker{ASN: 65020, ID: customer, Peers: []Peer{{Address: edgeOut, Local: customer, ASN: 12076}}, Prefixes: []netip.Prefix{prefix("192.168.0.0/16")}}
	a, b, c := converse(t), converse(t), converse(t)
	a.be(t, gw)
	b.be(t, ms)
	c.be(t, ce)

	at := a.until(t, "the gateway learns of the premises", func(s State) bool { return slices.Equal(heard(s), []string{"192.168.0.0/16"}) })
	if r := at.Hears()[0]; r.NextHop != edge || r.Peer != edge || !slices.Equal(r.Path, []uint32{12076, 65020}) {
		t.Errorf("the gateway learned %+v", r)
	}
	if !at.Up() || at.Peers[0].Local != gateway || at.Peers[0].Routes != 1 {
		t.Errorf("its session is %+v", at.Peers)
	}
	at = c.until(t, "the premises learn of the network", func(s State) bool { return slices.Equal(heard(s), []string{"10.1.0.0/16"}) })
	if r := at.Hears()[0]; !slices.Equal(r.Path, []uint32{12076}) {
		t.Errorf("the premises see the private AS number of the gateway: %v", r.Path)
	}

	gw.Prefixes = []netip.Prefix{prefix("10.1.0.0/16"), prefix("10.2.0.0/16")}
	a.be(t, gw)
	c.until(t, "a network that came later", func(s State) bool { return slices.Equal(heard(s), []string{"10.1.0.0/16", "10.2.0.0/16"}) })
	a.until(t, "what the gateway advertises", func(s State) bool { return len(s.Advertised) == 2 })
	gw.Prefixes = []netip.Prefix{prefix("10.2.0.0/16")}
	a.be(t, gw)
	c.until(t, "a network that went", func(s State) bool { return slices.Equal(heard(s), []string{"10.2.0.0/16"}) })

	ms.Peers = ms.Peers[:1]
	b.be(t, ms)
	a.until(t, "the session to the premises falls, and so their routes", func(s State) bool { return len(s.Hears()) == 0 })
	c.until(t, "the premises lose the network", func(s State) bool { return len(s.Hears()) == 0 })
}

func TestRunRefusesWhatCannotBeSpokenAs(t *testing.T) {
	for name, line := range map[string]string{
		"no JSON":            "{",
		"no AS number":       `{"id":"10.0.0.1","peers":[{"address":"10.0.0.2","local":"10.0.0.1","asn":1}]}`,
		"no router id":       `{"asn":1,"peers":[{"address":"10.0.0.2","local":"10.0.0.1","asn":1}]}`,
		"no peer":            `{"asn":1,"id":"10.0.0.1"}`,
		"a peer without AS":  `{"asn":1,"id":"10.0.0.1","peers":[{"address":"10.0.0.2","local":"10.0.0.1"}]}`,
		"an IPv6 peer":       `{"asn":1,"id":"10.0.0.1","peers":[{"address":"::1","local":"10.0.0.1","asn":1}]}`,
		"an IPv6 prefix":     `{"asn":1,"id":"10.0.0.1","peers":[{"address":"10.0.0.2","local":"10.0.0.1","asn":1}],"prefixes":["fd00::/8"]}`,
		"an address as text": `{"asn":1,"id":"here"}`,
	} {
		t.Run(name, func(t *testing.T) {
			if err := run(t.Context(), strings.NewReader(line+"\n"), io.Discard, testPort); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"asn":1,"id":"10.0.0.1","peers":[{"address":"10.0.0.2","local":"10.0.0.1","asn":1}],"prefixes":["10.0.0.0/8"]}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		s, err := decode(line)
		if err == nil && (s.ASN == 0 || len(s.Peers) == 0) {
			t.Errorf("accepted %s", line)
		}
	})
}
