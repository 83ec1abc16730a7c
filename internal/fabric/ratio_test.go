package fabric

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/network"
)

// TestRatios prints what the networks cost beside the same without them, in one
// run and in turns: make bench-fabric.
func TestRatios(t *testing.T) {
	if os.Getenv("CLOISTER_BENCH") == "" {
		t.Skip("it takes minutes: make bench-fabric")
	}
	t.Run("throughput", ratioThroughput)
	t.Run("private endpoint", ratioEndpoint)
	t.Run("DNS", ratioDNS)
	t.Run("rules", ratioRules)
	t.Run("a changed rule", timeOneRule)
	t.Run("200 machines", timeMany)
}

const (
	rounds   = 15
	measured = 500 * time.Millisecond
)

// side is one of the things that are compared.
type side struct {
	name    string
	measure func(t *testing.T) float64 // of one round
}

// compare measures in turns, so that what else the machine does meets all alike,
// each round beginning with another side. It prints the medians, and the median of
// what each side was in a round beside the first in the same round.
func compare(t *testing.T, unit string, sides ...side) {
	t.Helper()
	all, beside := make([][]float64, len(sides)), make([][]float64, len(sides))
	for round := range rounds {
		now := make([]float64, len(sides))
		for i := range sides {
			n := (round + i) % len(sides)
			now[n] = sides[n].measure(t)
		}
		for i, v := range now {
			all[i], beside[i] = append(all[i], v), append(beside[i], v/now[0])
		}
	}
	for i, s := range sides {
		fmt.Printf("%-56s %10.1f %s  %5.1f %%\n", s.name, median(all[i]), unit, 100*median(beside[i]))
	}
}

func median(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}

// bare are two machines behind two routers without any filter.
func bare() Plan {
	a, b := addr("10.1.0.4"), addr("10.2.0.4")
	everywhere := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	through := func(dev string, via netip.Addr) []Route {
		return []Route{{Table: mainTable, Dst: single(via), Type: Unicast, Dev: dev}, {Table: mainTable, Dst: everywhere, Type: Unicast, Dev: dev, Via: via}}
	}
	return Plan{
		Spaces: []Space{
			{Name: "ra", Forward: true, Loopback: []netip.Addr{addr("169.254.1.1")},
				Routes: append(through("eth1", addr("169.254.1.2")), Route{Table: mainTable, Dst: single(a), Type: Unicast, Dev: "eth0"})},
			{Name: "rb", Forward: true, Loopback: []netip.Addr{addr("169.254.1.2")},
				Routes: append(through("eth1", addr("169.254.1.1")), Route{Table: mainTable, Dst: single(b), Type: Unicast, Dev: "eth0"})},
			{Name: "a", Role: RoleMachine, Routes: through("eth0", addr("169.254.1.1"))},
			{Name: "b", Role: RoleMachine, Routes: through("eth0", addr("169.254.1.2"))},
		},
		Links: []Link{
			{A: End{Space: "ra", Name: "eth0"}, B: End{Space: "a", Name: "eth0", Addrs: []netip.Addr{a}}},
			{A: End{Space: "rb", Name: "eth0"}, B: End{Space: "b", Name: "eth0", Addrs: []netip.Addr{b}}},
			{A: End{Space: "ra", Name: "eth1"}, B: End{Space: "rb", Name: "eth1"}},
		},
	}
}

// narrow gives cables the largest segment that Linux gives them.
func narrow(t *testing.T, f *Fabric) {
	t.Helper()
	names, err := namespacesOf(f.prefix())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		s := &space{full: name, fd: -1}
		if err := errors.Join(s.open(), s.list()); err != nil {
			t.Fatal(err)
		}
		for _, link := range s.links {
			if link.Type() == "veth" {
				if err := s.nl.LinkSetGSOIPv4MaxSize(link, 1<<16); err != nil {
					t.Fatal(err)
				}
			}
		}
		s.close()
	}
}

// manyRules are two peered networks whose machines have groups of n rules.
func manyRules(n int) *handmade {
	h := twoNetworks()
	var rules []network.Match
	for i := range n - 1 {
		from := fmt.Sprintf("10.%d.%d.0/24", 100+i>>8, i&255)
		rules = append(rules, rule(fmt.Sprintf("rule-%d", i), i%2 == 0, "Tcp", from, anywhere, port(uint16(1000+i%3000))))
	}
	rules = append(rules, rule("rest", true, "*", anywhere, anywhere))
	h.filter(nicID("jump"), network.Outbound, "nsg-jump", rules...)
	h.filter(nicID("worker"), network.Inbound, "nsg-worker", rules...)
	return h
}

func ratioThroughput(t *testing.T) {
	plain, large := build(t, bare()), build(t, bare())
	narrow(t, plain)
	real := build(t, manyRules(250).plan())
	routers := func(f *Fabric) func(*testing.T) float64 {
		return func(t *testing.T) float64 { return stream(t, f, f.full("a"), f.full("b"), "10.2.0.4") }
	}
	ours := func(t *testing.T) float64 {
		return stream(t, real, namespaceOf(t, real, nicID("jump")), namespaceOf(t, real, nicID("worker")), "10.2.0.4")
	}
	compare(t, "Gb/s",
		side{"bare: two routers and veth pairs as Linux makes them", routers(plain)},
		side{"peering and two groups of 250 rules", ours})
	compare(t, "Gb/s",
		side{"bare: two routers and veth pairs with our segments", routers(large)},
		side{"peering and two groups of 250 rules", ours})
}

func ratioEndpoint(t *testing.T) {
	f := build(t, manyRules(250).plan())
	worker := namespaceOf(t, f, nicID("worker"))
	compare(t, "Gb/s",
		side{"over a peering to a machine", func(t *testing.T) float64 {
			return stream(t, f, worker, namespaceOf(t, f, nicID("agent")), "10.1.0.5")
		}},
		side{"over a peering to a private endpoint", func(t *testing.T) float64 {
			return stream(t, f, worker, namespaceOf(t, f, id("privateEndpoints", "pe-blob")), "10.1.0.10")
		}})
}

func ratioRules(t *testing.T) {
	var bytes, begun []side
	for _, n := range []int{10, 1000, 10000} {
		plan := manyRules(n).plan()
		f := build(t, plan)
		jump, worker := namespaceOf(t, f, nicID("jump")), namespaceOf(t, f, nicID("worker"))
		bytes = append(bytes, side{fmt.Sprintf("throughput through two groups of %d rules", n), func(t *testing.T) float64 { return stream(t, f, jump, worker, "10.2.0.4") }})
		begun = append(begun, side{fmt.Sprintf("new connections through two groups of %d rules", n), func(t *testing.T) float64 {
			fresh := build(t, plan) // what was there before tells on what begins
			k := begin(t, fresh, namespaceOf(t, fresh, nicID("jump")), namespaceOf(t, fresh, nicID("worker")))
			if err := fresh.Remove(t.Context()); err != nil {
				t.Fatal(err)
			}
			return k
		}})
	}
	compare(t, "Gb/s", bytes...)
	compare(t, "k/s ", begun...)
}

// stream sends as much as fits through one connection: gigabits a second.
func stream(t *testing.T, f *Fabric, from, to, at string) float64 {
	t.Helper()
	l, err := f.Listen(t.Context(), to, "tcp4", at+":5001")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan int64)
	go func() {
		c, err := l.Accept()
		if err != nil {
			got <- 0
			return
		}
		defer c.Close()
		b, n := make([]byte, 1<<18), int64(0)
		for {
			k, err := c.Read(b)
			n += int64(k)
			if err != nil {
				got <- n
				return
			}
		}
	}()
	c, err := f.Dial(t.Context(), from, "tcp4", at+":5001")
	if err != nil {
		t.Fatal(err)
	}
	b, start := make([]byte, 1<<18), time.Now()
	for time.Since(start) < measured {
		if _, err := c.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	c.Close()
	return float64(<-got) * 8 / time.Since(start).Seconds() / 1e9
}

// begin opens and closes connections one after the other: thousands a second.
func begin(t *testing.T, f *Fabric, from, to string) float64 {
	t.Helper()
	l, err := f.Listen(t.Context(), to, "tcp4", "10.2.0.4:5002")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(io.Discard, c)
				c.Close()
			}()
		}
	}()
	var n atomic.Int64
	start := time.Now()
	err = f.Within(from, func() error {
		d := net.Dialer{Timeout: time.Second}
		for time.Since(start) < measured {
			c, err := d.DialContext(context.Background(), "tcp4", "10.2.0.4:5002")
			if err != nil {
				return err
			}
			_ = c.(*net.TCPConn).SetLinger(0) // no TIME_WAIT
			c.Close()
			n.Add(1)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return float64(n.Load()) / time.Since(start).Seconds() / 1000
}

// timeOneRule lands changed rules while a connection that stays allowed is open.
func timeOneRule(t *testing.T) {
	for _, n := range []int{10, 1000, 10000} {
		h := manyRules(n)
		var m Memory
		f := build(t, h.planWith(&m))
		repeat(t, f, namespaceOf(t, f, nicID("worker")), ":443")
		c, err := f.Dial(t.Context(), namespaceOf(t, f, nicID("jump")), "tcp4", "10.2.0.4:443")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for _, opens := range []bool{true, false} {
			var took []time.Duration
			for range 11 {
				list := h.filters[nicID("worker")][network.Inbound][0].Matches
				list = slices.Clone(list)
				list[3].Rule.Allow = opens
				h.filters[nicID("worker")][network.Inbound][0].Matches = list
				list[3].Rule.DestinationPorts = []network.PortRange{port(uint16(10000 + len(took)))}
				start := time.Now()
				apply(t, f, h.planWith(&m))
				took = append(took, time.Since(start))
				if !exchange(c, []byte("still there"), time.Second) {
					t.Error("an allowed connection was touched")
				}
			}
			slices.Sort(took)
			what := map[bool]string{true: "allows", false: "denies"}[opens]
			fmt.Printf("one changed rule of %5d lands, which %s: %31.1f ms\n", n, what, float64(took[len(took)/2].Microseconds())/1000)
		}
	}
}

func timeMany(t *testing.T) {
	start := time.Now()
	f := build(t, manyNetworks().plan())
	up := time.Since(start)
	start = time.Now()
	if err := f.Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	fmt.Printf("200 machines in 50 peered networks: up in %.2f s, down in %.2f s\n", up.Seconds(), time.Since(start).Seconds())
}
