package fabric

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"pgregory.net/rapid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/fabric/sieve"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/network/networktest"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// experiment is a random estate with flows to try in it.
type experiment struct {
	estate *arm.Estate
	top    *network.Topology
	flows  []network.Flow
}

func experiments(flows int) *rapid.Generator[experiment] {
	return rapid.Custom(func(t *rapid.T) experiment {
		e := experiment{estate: networktest.Random(t, networktest.Everything)}
		e.top = network.FromEstate(e.estate)
		for range flows {
			e.flows = append(e.flows, networktest.Flow(t, e.top))
		}
		return e
	})
}

// adminExperiments are estates with security admin rules.
func adminExperiments(flows int) *rapid.Generator[experiment] {
	return rapid.Custom(func(t *rapid.T) experiment {
		shape := networktest.Everything
		shape.Admin = true
		e := experiment{estate: networktest.Random(t, shape)}
		e.top = network.FromEstate(e.estate)
		for range flows {
			e.flows = append(e.flows, networktest.Flow(t, e.top))
		}
		return e
	})
}

// dualExperiments are estates of both versions of IP.
func dualExperiments(flows int) *rapid.Generator[experiment] {
	return rapid.Custom(func(t *rapid.T) experiment {
		shape := networktest.Everything
		shape.Dual, shape.Fronted6 = true, true
		e := experiment{estate: networktest.Random(t, shape)}
		e.top = network.FromEstate(e.estate)
		for range flows {
			f := networktest.Flow(t, e.top)
			if f.Source.Is6() && rapid.IntRange(0, 4).Draw(t, "to the frontend") == 0 {
				f.Destination = addr(rapid.SampledFrom([]string{networktest.BalancerAddr6, networktest.BalancerPublic6}).Draw(t, "frontend"))
			}
			e.flows = append(e.flows, f)
		}
		return e
	})
}

// cabled is what is certain of what no document says: what the fabric builds.
var cabled = network.Settings{AppliancesForward: network.IsSo, DroppedIfNotForwarded: network.IsSo}

// middleExperiments are estates with firewalls, load balancers and appliances
// between networks.
func middleExperiments(flows int) *rapid.Generator[experiment] {
	return rapid.Custom(func(t *rapid.T) experiment {
		shape := networktest.Everything
		shape.Forwarded, shape.Firewall, shape.Balancers, shape.Pooled, shape.Overlap = true, true, true, true, false
		e := experiment{estate: networktest.Random(t, shape)}
		e.top = cabled.FromEstate(e.estate)
		for range flows {
			e.flows = append(e.flows, named(networktest.CompleteFlow(t, e.top)))
		}
		return e
	})
}

// namedAddrs are the addresses of st.example in tests; all others are other.test's.
var namedAddrs = []netip.Addr{addr("198.51.100.100"), addr("198.18.25.70"), addr("10.1.0.4"), addr("10.2.0.5"), addr("192.0.2.10")}

// named gives a flow the name that belongs to its destination, and a source port
// that its client chooses.
func named(f network.Flow) network.Flow {
	f.SourcePort, f.Host = 0, "other.test"
	if slices.Contains(namedAddrs, f.Destination) {
		f.Host = "st.example"
	}
	return f
}

// platformExperiments are estates whose security rules are about the platform.
func platformExperiments() *rapid.Generator[experiment] {
	return rapid.Custom(func(t *rapid.T) experiment {
		shape := networktest.Everything
		shape.Platform = true
		e := experiment{estate: networktest.Random(t, shape)}
		e.top = network.FromEstate(e.estate)
		e.flows = networktest.PlatformFlows(e.top)
		return e
	})
}

// TestPacketsAgreeWithProof builds random estates and tries random flows with
// real packets: what network says of a flow is what happens to it. A few seconds
// by default, CLOISTER_SOAK=10m for longer.
func TestPacketsAgreeWithProof(t *testing.T) {
	if lacks := Check(); len(lacks) > 0 {
		t.Skip("this host cannot build networks: ", lacks)
	}
	deadline, seed, flows := time.Now().Add(4*time.Second), 1, 200
	if s := os.Getenv("CLOISTER_SOAK"); s != "" {
		d, err := time.ParseDuration(s)
		if err != nil {
			t.Fatalf("CLOISTER_SOAK: %v", err)
		}
		deadline, seed, flows = time.Now().Add(d), int(time.Now().UnixNano()%1_000_000_000), 1000
	}
	var tried, reached, sixth int
	first := seed
	for ; time.Now().Before(deadline) && !t.Failed(); seed++ {
		e := experiments(flows).Example(seed)
		switch {
		case seed%4 == 0 || os.Getenv("CLOISTER_DUAL") != "":
			e = dualExperiments(flows).Example(seed)
		case seed%3 == 0 || os.Getenv("CLOISTER_MIDDLE") != "":
			e = middleExperiments(200).Example(seed)
		case seed%5 == 0:
			e = platformExperiments().Example(seed)
		case seed%2 == 0:
			e = adminExperiments(flows).Example(seed)
		}
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			n, yes, six := e.run(t)
			tried, reached, sixth = tried+n, reached+yes, sixth+six
		})
	}
	t.Logf("%d estates, %d flows, of which %d arrived, %d by IPv6", seed-first, tried, reached, sixth)
	if tried == 0 || reached == 0 {
		t.Error("nothing was tried")
	}
}

// run builds the estate and tries every flow of which network is certain.
func (e experiment) run(t *testing.T) (tried, reached, sixth int) {
	f := build(t, CompileWith(e.top, Choices{Resolve: func(_ *network.Firewall, _ arm.ID, name string) []netip.Addr {
		if name == "st.example" {
			return namedAddrs
		}
		return nil
	}}))
	e.serve(t, f)
	e.sieves(t, f)
	var mu sync.Mutex
	var wait sync.WaitGroup
	room := make(chan struct{}, 64)
	for _, flow := range e.flows {
		want := e.top.Reach(flow)
		if want.Value == verdict.Unknown || !e.fair(flow) {
			continue
		}
		for _, from := range e.sources(f, flow) {
			wait.Go(func() {
				room <- struct{}{}
				defer func() { <-room }()
				got := e.attempt(f, from, flow, patience)
				if want.Value == verdict.Yes && !got {
					got = e.attempt(f, from, flow, 5*patience) // the machine may be busy
				}
				mu.Lock()
				defer mu.Unlock()
				tried++
				if got {
					reached++
				}
				if got && flow.Source.Is6() {
					sixth++
				}
				if got != (want.Value == verdict.Yes) {
					t.Errorf("%s from %s (%s) to %s:%d arrived: %v; network says %s", flow.Protocol, flow.Source, from, flow.Destination, flow.Port, got, story(want))
				}
			})
		}
	}
	wait.Wait()
	if dir := os.Getenv("CLOISTER_KEEP"); t.Failed() {
		b, _ := json.Marshal(e.estate)
		if dir != "" {
			_ = os.WriteFile(filepath.Join(dir, strings.ReplaceAll(t.Name(), "/", "-")+".json"), b, 0o600)
		} else {
			t.Logf("the estate: %s", b)
		}
	}
	return tried, reached, sixth
}

func story(v network.Answer) string {
	b, _ := json.MarshalIndent(v, "", "  ")
	return string(b)
}

// fair leaves out what the fabric answers otherwise by design.
func (e experiment) fair(flow network.Flow) bool {
	if flow.Destination == flow.Source {
		return false // a machine's own address never leaves it
	}
	if flow.Destination.Is4() != flow.Source.Is4() {
		return false // there is no such packet
	}
	// Azure does not let networks share a NAT gateway, which random estates do.
	users := map[netip.Addr]string{}
	for _, n := range e.top.NICs {
		a, _ := e.top.EgressAddr(n.ID)
		v, _ := e.top.VNetOf(n.Subnet)
		if other, ok := users[a]; ok && a.IsValid() && other != v.ID.Key() && slices.Contains(n.Addrs, flow.Source) {
			return false
		}
		if _, ok := users[a]; !ok {
			users[a] = v.ID.Key()
		}
	}
	return true
}

// sources are the namespaces that have the flow's source address.
func (e experiment) sources(f *Fabric, flow network.Flow) []string {
	if flow.Source == service.Outsider || flow.Source == service.Outsider6 {
		return []string{f.OutsiderNamespace()}
	}
	var out []string
	for _, n := range e.top.NICs {
		if slices.Contains(n.Addrs, flow.Source) {
			if name, ok := f.Namespace(n.ID); ok {
				out = append(out, name)
			}
		}
	}
	return out
}

// serve answers UDP where it is asked; TCP and ICMP the kernels answer.
func (e experiment) serve(t *testing.T, f *Fabric) {
	spaces := []string{f.InternetNamespace(), f.OutsiderNamespace()}
	for _, n := range e.top.NICs {
		if name, ok := f.Namespace(n.ID); ok {
			spaces = append(spaces, name)
		}
	}
	for _, fw := range e.top.Firewalls {
		if name, ok := f.Namespace(fw.ID); ok { // its DNS proxy: the filter says whether it is one
			serveAt(t, f, name, fw.Private.String()+":53")
			echo(t, f, name, fw.Private.String()+":53")
		}
	}
	for _, port := range []string{":22", ":53", ":80", ":443", ":8080"} {
		for _, space := range spaces {
			serveAt(t, f, space, port)
			echo(t, f, space, port)
		}
		for _, v := range e.top.VNets {
			name, _ := f.RouterNamespace(v.ID)
			for _, a := range platform() { // on every port: it is the filter that answers few
				serveAt(t, f, name, a.String()+port)
			}
		}
	}
}

// sieves runs the proxies of firewalls here; each name has the addresses that
// flows ask for by it.
func (e experiment) sieves(t *testing.T, f *Fabric) {
	named := map[string][]netip.Addr{}
	for _, flow := range e.flows {
		named[flow.Host] = append(named[flow.Host], flow.Destination)
	}
	err := f.ServeGuards(t.Context(), func(g Guard, space string, l net.Listener) (func(), error) {
		p := sieve.Proxy{
			Rules: g.Proxied, Log: func(sieve.Decision) {},
			Resolve: func(_ context.Context, host string) ([]netip.Addr, error) { return named[host], nil },
			Dial: func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
				return f.Dial(ctx, space, "tcp4", to.String())
			},
		}
		go func() { _ = p.Serve(t.Context(), l) }()
		return func() { l.Close() }, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func serveAt(t *testing.T, f *Fabric, space, at string) {
	t.Helper()
	c, err := f.ListenPacket(t.Context(), space, "udp4", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go answerPackets(c.(*net.UDPConn))
	if !strings.HasPrefix(at, ":") {
		return
	}
	c6, err := f.ListenPacket(t.Context(), space, "udp6", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c6.Close() })
	go answerPackets6(c6.(*net.UDPConn))
}

// answerPackets answers from the address that was asked, also where that is one
// of many.
func answerPackets(c *net.UDPConn) {
	p := ipv4.NewPacketConn(c)
	_ = p.SetControlMessage(ipv4.FlagDst, true)
	b := make([]byte, 64)
	for {
		n, cm, from, err := p.ReadFrom(b)
		if err != nil {
			return
		}
		_, _ = p.WriteTo(b[:n], &ipv4.ControlMessage{Src: cm.Dst}, from)
	}
}

func answerPackets6(c *net.UDPConn) {
	p := ipv6.NewPacketConn(c)
	_ = p.SetControlMessage(ipv6.FlagDst, true)
	b := make([]byte, 64)
	for {
		n, cm, from, err := p.ReadFrom(b)
		if err != nil {
			return
		}
		_, _ = p.WriteTo(b[:n], &ipv6.ControlMessage{Src: cm.Dst}, from)
	}
}

// attempt tries a flow once, and reports whether its packets arrived and were
// answered.
func (e experiment) attempt(f *Fabric, from string, flow network.Flow, wait time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	source, to := net.IP(flow.Source.AsSlice()), netip.AddrPortFrom(flow.Destination, flow.Port).String()
	switch flow.Protocol {
	case network.TCP:
		c, err := dialAs(ctx, f, from, &net.TCPAddr{IP: source}, to)
		if err != nil {
			return errors.Is(err, syscall.ECONNREFUSED)
		}
		defer c.Close()
		return exchange(c, hello(flow), wait) // a proxy answers before it knows
	case network.UDP:
		c, err := dialAs(ctx, f, from, &net.UDPAddr{IP: source}, to)
		if err != nil {
			return false
		}
		defer c.Close()
		return exchange(c, []byte("ping"), wait)
	}
	c, err := dialAs(ctx, f, from, &net.IPAddr{IP: source}, flow.Destination.String())
	if err != nil {
		return false
	}
	defer c.Close()
	return ping(c.(*net.IPConn), wait)
}

// dialAs connects from one of a machine's addresses.
func dialAs(ctx context.Context, f *Fabric, from string, as net.Addr, to string) (c net.Conn, err error) {
	version := "4"
	if strings.Count(to, ":") > 1 {
		version = "6"
	}
	d, protocol := net.Dialer{LocalAddr: as}, as.Network()+version
	switch protocol {
	case "ip4":
		protocol += ":icmp"
	case "ip6":
		protocol += ":ipv6-icmp"
	}
	err = f.Within(from, func() (err error) {
		c, err = d.DialContext(ctx, protocol, to)
		return err
	})
	return c, err
}

// hello is what a client says first, with the name of the host.
func hello(flow network.Flow) []byte {
	if flow.Port != 443 {
		return fmt.Appendf(nil, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", flow.Host)
	}
	near, far := net.Pipe()
	defer far.Close()
	go func() { _ = tls.Client(near, &tls.Config{ServerName: flow.Host, InsecureSkipVerify: true}).Handshake() }()
	b := make([]byte, 4096)
	n, _ := far.Read(b)
	return b[:n]
}

func exchange(c net.Conn, message []byte, wait time.Duration) bool {
	_ = c.SetDeadline(time.Now().Add(wait))
	if _, err := c.Write(message); err != nil {
		return false
	}
	b := make([]byte, 64)
	_, err := c.Read(b)
	return err == nil
}

var pings struct {
	sync.Mutex
	n int
}

func ping(c *net.IPConn, wait time.Duration) bool {
	pings.Lock()
	pings.n++
	id := pings.n & 0xffff
	pings.Unlock()
	number, request, answer := 1, icmp.Type(ipv4.ICMPTypeEcho), icmp.Type(ipv4.ICMPTypeEchoReply)
	if to, ok := netip.AddrFromSlice(c.RemoteAddr().(*net.IPAddr).IP); ok && to.Unmap().Is6() {
		number, request, answer = protoICMP6, ipv6.ICMPTypeEchoRequest, ipv6.ICMPTypeEchoReply // whose checksum the kernel makes
	}
	m := icmp.Message{Type: request, Body: &icmp.Echo{ID: id, Seq: 1, Data: []byte("ping")}}
	b, err := m.Marshal(nil)
	if err != nil {
		return false
	}
	_ = c.SetDeadline(time.Now().Add(wait))
	if _, err := c.Write(b); err != nil {
		return false
	}
	buffer := make([]byte, 256)
	for {
		n, _, err := c.ReadFrom(buffer) // without the IP header, unlike Read
		if err != nil {
			return false
		}
		reply, err := icmp.ParseMessage(number, buffer[:n])
		if err != nil {
			continue
		}
		if echo, ok := reply.Body.(*icmp.Echo); ok && reply.Type == answer && echo.ID == id {
			return true
		}
	}
}
