package fabric

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/privatedns"
	"github.com/cloister-ml/cloister/service"
)

const (
	answerTTL  = 10 // seconds; records change while people look on
	dnsTimeout = 5 * time.Second
	// dnsQueries is how many of one connection are answered before it is closed.
	dnsQueries = 128
	udpSize    = 1232 // as DNS Flag Day 2020 recommends
)

// Names says what DNS answers: with Resolve a network, the address of who asks, and
// the name.
type Names struct {
	Resolve func(vnet arm.ID, client netip.Addr, name string) privatedns.Answer
	// Version is what all answers follow from: as long as it is equal, so are they.
	// With nil each query is resolved anew. Values must be comparable.
	Version func() any
}

// ServeDNS answers DNS queries until ctx ends: in every virtual network at
// 168.63.129.16, and for the outsider at 192.0.2.53 with "" as the network. It
// returns when it answers, also in networks that are
// applied later.
func (f *Fabric) ServeDNS(ctx context.Context, names Names) error {
	return f.attend(&daemon{
		name: "DNS", ctx: ctx, running: map[instance]func(){},
		wants: func(s Space) bool { return s.Role == RoleRouter || s.Role == RoleInternet },
		start: func(s Space, full string) (func(), error) {
			addr := service.WireServer
			if s.Role == RoleInternet {
				addr = internetResolver
			}
			return f.startDNS(ctx, full, netip.AddrPortFrom(addr, 53), &answers{version: names.Version},
				func(client netip.Addr, name string) privatedns.Answer { return names.Resolve(s.VNet, client, name) })
		},
	})
}

func (f *Fabric) startDNS(ctx context.Context, full string, addr netip.AddrPort, kept *answers, resolve func(netip.Addr, string) privatedns.Answer) (func(), error) {
	at := addr.String()
	packets, err := f.ListenPacket(ctx, full, "udp4", at)
	if err != nil {
		return nil, err
	}
	listener, err := f.Listen(ctx, full, "tcp4", at)
	if err != nil {
		packets.Close()
		return nil, err
	}
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, query *dns.Msg) {
		client := clientOf(w.RemoteAddr())
		reply := answer(query, func(name string) privatedns.Answer { return resolve(client, name) })
		reply.Truncate(dns.MaxMsgSize)
		_ = w.WriteMsg(reply) // the client has gone: nothing to be done
	})
	server := &dns.Server{
		Handler: handler, ReadTimeout: dnsTimeout, WriteTimeout: dnsTimeout, MaxTCPQueries: dnsQueries,
		IdleTimeout: func() time.Duration { return dnsTimeout }, Listener: limit(listener, 32, 1024),
	}
	go func() {
		if err := server.ActivateAndServe(); err != nil && ctx.Err() == nil {
			f.log.Debug("DNS stopped", "namespace", full, "error", err)
		}
	}()
	servePackets(packets.(*net.UDPConn), kept, resolve)
	return func() {
		packets.Close()
		listener.Close()
	}, nil
}

// clientOf is the address of who asks.
func clientOf(a net.Addr) netip.Addr {
	at, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}

// payloadSize is what fits in one UDP answer to the query.
func payloadSize(query *dns.Msg) int {
	if opt := query.IsEdns0(); opt != nil {
		return min(max(int(opt.UDPSize()), dns.MinMsgSize), udpSize)
	}
	return dns.MinMsgSize
}

// answer makes the reply to a query, and never fails: what is not understood is
// answered so.
func answer(query *dns.Msg, resolve func(string) privatedns.Answer) *dns.Msg {
	reply := new(dns.Msg)
	reply.SetReply(query)
	reply.RecursionAvailable = true
	if opt := query.IsEdns0(); opt != nil {
		reply.SetEdns0(udpSize, false)
		if opt.Version() != 0 {
			reply.IsEdns0().SetExtendedRcode(dns.RcodeBadVers)
			reply.Rcode = dns.RcodeBadVers
			return reply
		}
	}
	switch {
	case query.Opcode != dns.OpcodeQuery:
		reply.Rcode = dns.RcodeNotImplemented
		return reply
	case len(query.Question) != 1:
		reply.Rcode = dns.RcodeFormatError
		return reply
	case query.Question[0].Qclass != dns.ClassINET:
		reply.Rcode = dns.RcodeRefused
		return reply
	}
	fill(reply, query.Question[0], resolve)
	return reply
}

func fill(reply *dns.Msg, q dns.Question, resolve func(string) privatedns.Answer) {
	a := resolve(strings.ToLower(strings.TrimSuffix(q.Name, ".")))
	owner := q.Name
	header := func(typ uint16) dns.RR_Header {
		return dns.RR_Header{Name: owner, Rrtype: typ, Class: dns.ClassINET, Ttl: answerTTL}
	}
	for _, target := range a.CNAMEs {
		if strings.EqualFold(dns.Fqdn(target), owner) {
			continue
		}
		reply.Answer = append(reply.Answer, &dns.CNAME{Hdr: header(dns.TypeCNAME), Target: dns.Fqdn(target)})
		owner = dns.Fqdn(target)
	}
	switch a.Code {
	case "NOERROR":
	case "NXDOMAIN":
		reply.Rcode = dns.RcodeNameError
	default:
		reply.Answer, reply.Rcode = nil, dns.RcodeServerFailure
		return
	}
	found := false
	for _, addr := range a.Addrs {
		switch {
		case addr.Is4() && q.Qtype == dns.TypeA:
			reply.Answer = append(reply.Answer, &dns.A{Hdr: header(dns.TypeA), A: addr.AsSlice()})
			found = true
		case addr.Is6() && q.Qtype == dns.TypeAAAA:
			reply.Answer = append(reply.Answer, &dns.AAAA{Hdr: header(dns.TypeAAAA), AAAA: addr.AsSlice()})
			found = true
		}
	}
	for _, name := range a.Names {
		if q.Qtype == dns.TypePTR {
			reply.Answer = append(reply.Answer, &dns.PTR{Hdr: header(dns.TypePTR), Ptr: dns.Fqdn(name)})
			found = true
		}
	}
	if !found {
		reply.Ns = []dns.RR{authority(owner, a.Zone)}
	}
}

// authority is the start of authority that lets a resolver keep a negative
// answer: the private zone's, or that of the public name's parent.
func authority(owner string, zone arm.ID) *dns.SOA {
	name, host := zone.Name(), "azureprivatedns.net."
	if name == "" {
		labels := dns.SplitDomainName(owner)
		name, host = strings.Join(labels[max(0, len(labels)-2):], "."), "ns1.azure-dns.com."
	}
	return &dns.SOA{
		Hdr: dns.RR_Header{Name: dns.Fqdn(name), Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: answerTTL},
		Ns:  host, Mbox: "azureprivatedns-host.microsoft.com.", Serial: 1,
		Refresh: 3600, Retry: 300, Expire: 2419200, Minttl: answerTTL,
	}
}
