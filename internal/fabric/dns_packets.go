package fabric

import (
	"net"
	"net/netip"
	"runtime"
	"sync"

	"github.com/miekg/dns"
	"golang.org/x/net/ipv4"

	"github.com/cloister-ml/cloister/privatedns"
)

const (
	// dnsBatch is how many queries are taken from the kernel at once.
	dnsBatch = 32
	// keptAnswers bounds those of one network.
	keptAnswers = 8192
	// keptQuery is the longest query whose answer is kept.
	keptQuery = 128
	headerLen = 12 // of a DNS message (RFC 1035, 4.1.1)
)

// answers are packed replies of one network by who asked what. All of them are
// forgotten when what they follow from changes.
type answers struct {
	version func() any // nil: nothing is kept

	mu   sync.RWMutex
	of   any
	kept map[asked][]byte
}

// asked is a query without its number, and who sent it.
type asked struct {
	client netip.Addr
	query  string
}

// get is the kept reply. Its first two bytes are another query's number.
func (a *answers) get(version any, client netip.Addr, query []byte) ([]byte, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if a.of != version {
		return nil, false
	}
	reply, ok := a.kept[asked{client, string(query[2:])}]
	return reply, ok
}

func (a *answers) put(version any, client netip.Addr, query, reply []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.of != version || a.kept == nil || len(a.kept) >= keptAnswers {
		a.of, a.kept = version, map[asked][]byte{}
	}
	a.kept[asked{client, string(query[2:])}] = reply
}

// servePackets answers queries from a UDP socket until it is closed.
func servePackets(c *net.UDPConn, a *answers, resolve func(netip.Addr, string) privatedns.Answer) {
	for range max(2, runtime.GOMAXPROCS(0)) {
		go serveBatches(ipv4.NewPacketConn(c), a, resolve)
	}
}

func serveBatches(c *ipv4.PacketConn, a *answers, resolve func(netip.Addr, string) privatedns.Answer) {
	in, out := make([]ipv4.Message, dnsBatch), make([]ipv4.Message, dnsBatch)
	sent := make([][]byte, dnsBatch)
	for i := range in {
		in[i].Buffers = [][]byte{make([]byte, udpSize)}
		sent[i] = make([]byte, 0, udpSize)
		out[i].Buffers = [][]byte{nil}
	}
	for {
		n, err := c.ReadBatch(in, 0)
		if err != nil {
			return
		}
		k := 0
		for _, m := range in[:n] {
			from, ok := m.Addr.(*net.UDPAddr)
			if !ok {
				continue
			}
			b := m.Buffers[0][:m.N]
			reply := a.reply(sent[k][:0], from.AddrPort().Addr().Unmap(), b, resolve)
			if len(reply) == 0 {
				continue
			}
			sent[k] = reply
			out[k].Buffers[0], out[k].Addr = reply, m.Addr
			k++
		}
		for done := 0; done < k; {
			n, err := c.WriteBatch(out[done:k], 0)
			if err != nil {
				n = 1 // whoever asked has gone: on to the next
			}
			done += n
		}
	}
}

// reply appends the answer to a query, nothing to what is none.
func (a *answers) reply(b []byte, client netip.Addr, query []byte, resolve func(netip.Addr, string) privatedns.Answer) []byte {
	if len(query) < headerLen || query[2]&0x80 != 0 {
		return nil // too short, or a reply
	}
	var version any
	keep := a.version != nil && len(query) <= keptQuery
	if keep {
		version = a.version()
		if kept, ok := a.get(version, client, query); ok {
			return append(append(b, query[:2]...), kept[2:]...)
		}
	}
	packed := pack(client, query, resolve)
	if keep && packed != nil {
		a.put(version, client, query, packed)
	}
	return append(b, packed...)
}

func pack(client netip.Addr, query []byte, resolve func(netip.Addr, string) privatedns.Answer) []byte {
	q := new(dns.Msg)
	if err := q.Unpack(query); err != nil {
		reply := new(dns.Msg)
		reply.Id, reply.Response, reply.Rcode = uint16(query[0])<<8|uint16(query[1]), true, dns.RcodeFormatError
		packed, _ := reply.Pack()
		return packed
	}
	reply := answer(q, func(name string) privatedns.Answer { return resolve(client, name) })
	reply.Truncate(payloadSize(q))
	packed, err := reply.Pack()
	if err != nil {
		return nil
	}
	return packed
}
