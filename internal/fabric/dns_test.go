package fabric

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/privatedns"
)

const blobHost = "st.blob.core.windows.net"

// resolve answers as a network with a linked zone does, and as the internet.
func resolve(vnet arm.ID, name string) privatedns.Answer {
	private := "st.privatelink.blob.core.windows.net"
	zone := id("privateDnsZones", "privatelink.blob.core.windows.net")
	switch {
	case name == blobHost && vnet.Name() == "hub":
		return privatedns.Answer{Name: name, CNAMEs: []string{private}, Addrs: []netip.Addr{addr("10.1.0.10")}, Code: "NOERROR", Zone: zone}
	case name == blobHost && vnet.Name() == "spoke": // linked, and the record is missing
		return privatedns.Answer{Name: name, CNAMEs: []string{private}, Code: "NXDOMAIN", Zone: zone}
	case name == blobHost:
		return privatedns.Answer{Name: name, CNAMEs: []string{private}, Addrs: []netip.Addr{addr("198.51.100.100")}, Code: "NOERROR"}
	case name == "broken.example":
		return privatedns.Answer{Name: name, Code: "SERVFAIL"}
	case name == "many.example":
		a := privatedns.Answer{Name: name, Code: "NOERROR"}
		for i := range 100 {
			a.Addrs = append(a.Addrs, netip.AddrFrom4([4]byte{10, 1, 1, byte(i)}))
		}
		return a
	}
	return privatedns.Answer{Name: name, Code: "NXDOMAIN"}
}

// ask sends a query from a namespace.
func ask(t *testing.T, f *Fabric, space, network, server, name string, typ uint16, change func(*dns.Msg)) *dns.Msg {
	t.Helper()
	c, err := f.Dial(t.Context(), space, network, server)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(2 * time.Second))
	q := new(dns.Msg)
	q.SetQuestion(name, typ)
	if change != nil {
		change(q)
	}
	conn := dns.Conn{Conn: c, UDPSize: dns.MaxMsgSize}
	if err := conn.WriteMsg(q); err != nil {
		t.Fatal(err)
	}
	r, err := conn.ReadMsg()
	if err != nil {
		t.Fatalf("%s from %s: %v", name, space, err)
	}
	r.Compress = true // as it came
	return r
}

// resolveFor is resolve, which is the same for every machine of a network.
func resolveFor(vnet arm.ID, _ netip.Addr, name string) privatedns.Answer { return resolve(vnet, name) }

func records(list []dns.RR) string {
	var out []string
	for _, rr := range list {
		out = append(out, strings.ReplaceAll(rr.String(), "\t", " "))
	}
	return strings.Join(out, "; ")
}

func TestDNS(t *testing.T) {
	t.Parallel()
	f := build(t, twoNetworks().plan())
	if err := f.ServeDNS(t.Context(), Names{Resolve: resolveFor}); err != nil {
		t.Fatal(err)
	}
	jump, worker, remote, outsider := namespaceOf(t, f, nicID("jump")), namespaceOf(t, f, nicID("worker")), namespaceOf(t, f, nicID("remote")), f.OutsiderNamespace()
	const inside, outside = "168.63.129.16:53", "192.0.2.53:53"
	const cname = "st.blob.core.windows.net. 10 IN CNAME st.privatelink.blob.core.windows.net."
	for _, c := range []struct {
		name, from, server, ask string
		typ                     uint16
		rcode                   int
		want                    string
	}{
		{"a linked zone", jump, inside, blobHost, dns.TypeA, dns.RcodeSuccess, cname + "; st.privatelink.blob.core.windows.net. 10 IN A 10.1.0.10"},
		{"a linked zone without the record", worker, inside, blobHost, dns.TypeA, dns.RcodeNameError, cname},
		{"no linked zone", remote, inside, blobHost, dns.TypeA, dns.RcodeSuccess, cname + "; st.privatelink.blob.core.windows.net. 10 IN A 198.51.100.100"},
		{"the internet", outsider, outside, blobHost, dns.TypeA, dns.RcodeSuccess, cname + "; st.privatelink.blob.core.windows.net. 10 IN A 198.51.100.100"},
		{"no IPv6 address", jump, inside, blobHost, dns.TypeAAAA, dns.RcodeSuccess, cname},
		{"case does not matter", jump, inside, "ST.Blob.core.windows.NET", dns.TypeA, dns.RcodeSuccess, "ST.Blob.core.windows.NET. 10 IN CNAME st.privatelink.blob.core.windows.net.; st.privatelink.blob.core.windows.net. 10 IN A 10.1.0.10"},
		{"no such name", jump, inside, "none.example", dns.TypeA, dns.RcodeNameError, ""},
		{"a failure", jump, inside, "broken.example", dns.TypeA, dns.RcodeServerFailure, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, network := range []string{"udp4", "tcp4"} {
				r := ask(t, f, c.from, network, c.server, dns.Fqdn(c.ask), c.typ, nil)
				if r.Rcode != c.rcode || records(r.Answer) != c.want {
					t.Errorf("%s: %s %s", network, dns.RcodeToString[r.Rcode], records(r.Answer))
				}
				negative := r.Rcode == dns.RcodeNameError || r.Rcode == dns.RcodeSuccess && c.typ == dns.TypeAAAA
				if _, isSOA := append(r.Ns, nil)[0].(*dns.SOA); isSOA != negative {
					t.Errorf("%s: authority %s", network, records(r.Ns))
				}
			}
		})
	}
	t.Run("size", func(t *testing.T) {
		small := ask(t, f, jump, "udp4", inside, "many.example.", dns.TypeA, nil)
		if !small.Truncated || small.Len() > 512 {
			t.Errorf("without EDNS: truncated %v, %d bytes", small.Truncated, small.Len())
		}
		big := ask(t, f, jump, "udp4", inside, "many.example.", dns.TypeA, func(m *dns.Msg) { m.SetEdns0(4096, false) })
		if opt := big.IsEdns0(); opt == nil || !big.Truncated || big.Len() > udpSize {
			t.Errorf("with EDNS: %v, %d bytes", big.Truncated, big.Len())
		}
		if all := ask(t, f, jump, "tcp4", inside, "many.example.", dns.TypeA, nil); all.Truncated || len(all.Answer) != 100 {
			t.Errorf("over TCP: truncated %v, %d answers", all.Truncated, len(all.Answer))
		}
	})
	t.Run("what is not understood", func(t *testing.T) {
		for rcode, change := range map[int]func(*dns.Msg){
			dns.RcodeNotImplemented: func(m *dns.Msg) { m.Opcode = dns.OpcodeUpdate },
			dns.RcodeRefused:        func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS },
			dns.RcodeFormatError:    func(m *dns.Msg) { m.Question = nil },
		} {
			if r := ask(t, f, jump, "udp4", inside, "x.example.", dns.TypeA, change); r.Rcode != rcode {
				t.Errorf("%s, want %s", dns.RcodeToString[r.Rcode], dns.RcodeToString[rcode])
			}
		}
	})
}

// A network that comes later is answered too; one that goes leaves no socket.
func TestDNSFollowsTheNetworks(t *testing.T) {
	t.Parallel()
	h := twoNetworks()
	all := h.plan()
	without := twoNetworks()
	without.vnets, without.subnets = without.vnets[:2], without.subnets[:2]
	f := build(t, without.plan())
	if err := f.ServeDNS(t.Context(), Names{Resolve: resolveFor}); err != nil {
		t.Fatal(err)
	}
	apply(t, f, all)
	r := ask(t, f, namespaceOf(t, f, nicID("remote")), "udp4", "168.63.129.16:53", blobHost+".", dns.TypeA, nil)
	if len(r.Answer) != 2 {
		t.Errorf("in the new network: %s", records(r.Answer))
	}
	apply(t, f, without.plan())
	apply(t, f, all)
	r = ask(t, f, namespaceOf(t, f, nicID("remote")), "udp4", "168.63.129.16:53", blobHost+".", dns.TypeA, nil)
	if len(r.Answer) != 2 {
		t.Errorf("when it is back: %s", records(r.Answer))
	}
}

// Whatever a client sends is answered or refused, and the answer can be sent.
func FuzzAnswer(f *testing.F) {
	for _, typ := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeTXT, dns.TypeANY} {
		m := new(dns.Msg)
		m.SetQuestion(blobHost+".", typ)
		m.SetEdns0(4096, true)
		b, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	hub := id("virtualNetworks", "hub")
	f.Fuzz(func(t *testing.T, b []byte) {
		query := new(dns.Msg)
		if query.Unpack(b) != nil {
			return
		}
		reply := answer(query, func(name string) privatedns.Answer { return resolve(hub, name) })
		reply.Truncate(payloadSize(query))
		out, err := reply.Pack()
		if err != nil {
			t.Fatalf("%v\n%v", err, reply)
		}
		if len(out) > udpSize && len(out) > len(b)+64 {
			t.Fatalf("%d bytes in answer to %d", len(out), len(b))
		}
		if !reply.Response || reply.Id != query.Id {
			t.Fatal("it is no reply")
		}
	})
}

func BenchmarkDNS(b *testing.B) {
	f := build(b, twoNetworks().plan())
	if err := f.ServeDNS(b.Context(), Names{Resolve: resolveFor}); err != nil {
		b.Fatal(err)
	}
	name, _ := f.Namespace(nicID("jump"))
	c, err := f.Dial(b.Context(), name, "udp4", "168.63.129.16:53")
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	q := new(dns.Msg)
	q.SetQuestion(blobHost+".", dns.TypeA)
	packed, _ := q.Pack()
	buffer := make([]byte, 512)
	for b.Loop() {
		if _, err := c.Write(packed); err != nil {
			b.Fatal(err)
		}
		if _, err := c.Read(buffer); err != nil {
			b.Fatal(err)
		}
	}
}

// An answer is kept for who asked, and as long as what it follows from stays.
func TestAnswersAreKept(t *testing.T) {
	t.Parallel()
	resolved, version := 0, 1
	a := &answers{version: func() any { return version }}
	resolve := func(client netip.Addr, name string) privatedns.Answer {
		resolved++
		return privatedns.Answer{Name: name, Code: "NOERROR", Addrs: []netip.Addr{client, addr("10.0.0.1").Next()}[:1+version%2]}
	}
	try := func(what string, client, name string, wantAddrs, wantResolved int) {
		t.Helper()
		q := new(dns.Msg)
		q.SetQuestion(name, dns.TypeA)
		b, err := q.Pack()
		if err != nil {
			t.Fatal(err)
		}
		r := new(dns.Msg)
		if err := r.Unpack(a.reply(nil, addr(client), b, resolve)); err != nil {
			t.Fatal(err)
		}
		if r.Id != q.Id || !r.Response || len(r.Answer) != wantAddrs || r.Answer[0].(*dns.A).A.String() != client || resolved != wantResolved {
			t.Errorf("%s: resolved %d times, answered\n%s", what, resolved, r)
		}
	}
	try("first", "10.0.0.4", "a.example.", 2, 1)
	try("again", "10.0.0.4", "a.example.", 2, 1)
	try("another name", "10.0.0.4", "b.example.", 2, 2)
	try("another client", "10.0.0.5", "a.example.", 2, 3)
	version = 2
	try("another version", "10.0.0.4", "a.example.", 1, 4)
	try("another client of another version", "10.0.0.5", "a.example.", 1, 5)
}

func TestWhatIsNoQuery(t *testing.T) {
	t.Parallel()
	a := &answers{}
	resolve := func(netip.Addr, string) privatedns.Answer { return privatedns.Answer{} }
	q := new(dns.Msg)
	q.SetQuestion("a.example.", dns.TypeA)
	b, err := q.Pack()
	if err != nil {
		t.Fatal(err)
	}
	if r := a.reply(nil, addr("10.0.0.4"), b[:11], resolve); r != nil {
		t.Errorf("to less than a header: %x", r)
	}
	reply := slices.Clone(b)
	reply[2] |= 0x80
	if r := a.reply(nil, addr("10.0.0.4"), reply, resolve); r != nil {
		t.Errorf("to a reply: %x", r)
	}
	r := new(dns.Msg)
	if err := r.Unpack(a.reply(nil, addr("10.0.0.4"), b[:len(b)-3], resolve)); err != nil || r.Rcode != dns.RcodeFormatError || r.Id != q.Id {
		t.Errorf("to half a query: %v %v", r, err)
	}
}
