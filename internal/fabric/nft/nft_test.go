package nft

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func addr(s string) Value { return Address(netip.MustParseAddr(s)) }

// sample has every kind of thing that a table can.
func sample() Table {
	return Table{
		Name: "sample",
		Sets: []Set{
			{Name: "guests", Key: []Type{IfName, Addr}, Elems: []Elem{{Key: []Value{Name("n-1"), addr("10.0.0.4")}}}},
			{Name: "ranges", Key: []Type{Addr}, Interval: true, Elems: []Elem{
				{Key: []Value{addr("10.0.0.0")}, To: []Value{addr("10.0.0.255")}}, {Key: []Value{addr("240.0.0.0")}, To: []Value{addr("255.255.255.255")}},
			}},
			{Name: "ports", Key: []Type{Port}, Interval: true, Elems: []Elem{{Key: []Value{Num(22)}, To: []Value{Num(22)}}, {Key: []Value{Num(8000)}, To: []Value{Num(65535)}}}},
			{Name: "protocols", Key: []Type{Proto}, Elems: []Elem{{Key: []Value{Num(6)}}}},
			{Name: "marks", Key: []Type{IfName}, Data: Mark, Elems: []Elem{{Key: []Value{Name("n-1")}, Value: Num(0x1234)}}},
			{Name: "public", Key: []Type{Addr}, Data: Addr, Elems: []Elem{{Key: []Value{addr("10.0.0.4")}, Value: addr("203.0.113.4")}}},
			{Name: "from", Key: []Type{Addr}, Data: Mark, Interval: true, Elems: []Elem{
				{Key: []Value{addr("10.0.0.0")}, To: []Value{addr("10.0.0.9")}, Value: Num(7)}, {Key: []Value{addr("10.0.0.10")}, To: []Value{addr("10.0.0.255")}, Value: Num(8)},
			}},
			{Name: "what", Key: []Type{Mark, Proto, Port}, Data: Mark, Interval: true, Elems: []Elem{
				{Key: []Value{Num(7), Num(6), Num(22)}, To: []Value{Num(7), Num(6), Num(80)}, Value: Num(9)},
				{Key: []Value{Num(7), Num(7), Num(0)}, To: []Value{Num(7), Num(255), Num(65535)}, Value: Num(9)},
			}},
			{Name: "rules", Key: []Type{Mark}, Data: VerdictType, Count: true, Elems: []Elem{
				{Key: []Value{Num(9)}, Verdict: Action{Verb: Return}, Comment: "allow-ssh"}, {Key: []Value{Num(10)}, Verdict: Action{Verb: Drop}, Comment: "deny"},
				{Key: []Value{Num(11)}, Verdict: Action{Verb: Goto, Chain: "end"}},
			}},
			{Name: "ways", Key: []Type{IfName}, Data: VerdictType, Elems: []Elem{
				{Key: []Value{Name("n-1")}, Verdict: Action{Verb: Jump, Chain: "group"}}, {Key: []Value{Name("n-2")}, Verdict: Action{Verb: Drop}},
			}},
		},
		Chains: []Chain{
			{Name: "end", Rules: []Rule{{Do: Action{Verb: Drop}}}},
			{Name: "group", Rules: []Rule{
				{Match: []Match{In("protocols", Protocol), In("ports", DestinationPort), In("ranges", Source)}, Count: true, Do: Action{Verb: Return}, Comment: "allow"},
				{Match: []Match{Equals(Protocol, Num(17)), Between(DestinationPort, Num(1), Num(9)), NotIn("ranges", Destination)}, Count: true, Do: Action{Verb: Drop}, Comment: "deny"},
			}},
			{Name: "classes", Rules: []Rule{{Match: []Match{Equals(Protocol, Num(6))}, Do: Action{Verb: Goto, Chain: "end"}}, {
				Steps: []Action{
					{Verb: SetMark, Fields: []Field{Source}, Map: "from"},
					{Verb: SetMark, Fields: []Field{PacketMark, Protocol, DestinationPort}, Map: "what"},
					{Verb: Log, Group: 5, Prefix: "in"},
				},
				Do: Action{Verb: Dispatch, Fields: []Field{PacketMark}, Map: "rules"},
			}}},
			{Name: "sources", Hook: Prerouting, Priority: -300, Rules: []Rule{
				{Do: Action{Verb: SetMark, Fields: []Field{InIf}, Map: "marks"}},
				{Match: []Match{In("guests", InIf, Source)}, Do: Action{Verb: Accept}},
				{Match: []Match{Begins(InIf, "n-")}, Do: Action{Verb: Drop}},
			}},
			{Name: "forward", Hook: Forward, Drop: true, Rules: []Rule{
				{Match: []Match{State(Established | Related)}, Do: Action{Verb: Accept}},
				{Do: Action{Verb: Dispatch, Fields: []Field{OutIf}, Map: "ways"}},
				{Match: []Match{Equals(Protocol, Num(1)), Equals(ICMPType, Num(8))}, Do: Action{Verb: Reject}},
			}},
			{Name: "arriving", Hook: Prerouting, NAT: true, Priority: -100, Rules: []Rule{{Do: Action{Verb: TranslateDestination, Fields: []Field{Destination}, Map: "public"}}}},
			{Name: "leaving", Hook: Postrouting, NAT: true, Priority: 100, Rules: []Rule{{Match: []Match{Equals(OutIf, Name("inet"))}, Do: Action{Verb: TranslateSource, Fields: []Field{Source}, Map: "public"}}}},
		},
	}
}

// inNamespace runs the test in a network namespace of its own, which ends with
// the test's thread.
func inNamespace(t *testing.T) *Conn {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("loading a packet filter needs root")
	}
	runtime.LockOSThread() // and never unlocked: the thread is not used again
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skip("network namespaces cannot be made: ", err)
	}
	fd, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Open(fd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		unix.Close(fd)
	})
	return c
}

// The text is what nft itself accepts, and what is loaded is what nft lists.
func TestTextAndKernelAgree(t *testing.T) {
	c := inNamespace(t)
	if _, err := exec.LookPath("nft"); err != nil {
		t.Skip("nft is not installed")
	}
	nft := func(stdin string, args ...string) string {
		t.Helper()
		cmd := exec.Command("nft", args...) // a child of this thread, and so in its namespace
		cmd.Stdin = strings.NewReader(stdin)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("nft %v: %v\n%s\n%s", args, err, out, stdin)
		}
		return string(out)
	}
	chainsOf := func(list string) string { // sets are printed with less or more about them
		_, chains, _ := strings.Cut(list, "\tchain group")
		chains, _, _ = strings.Cut(chains, "\tchain fingerprint")
		return strings.TrimRight(chains, "}\n \t")
	}
	for version, table := range map[string]Table{"ip": sample(), "ip6": inSix(sample())} {
		nft(table.String(), "-f", "-")
		byText := chainsOf(nft("", "list", "table", version, "sample"))
		if err := c.Load(table); err != nil {
			t.Fatal(err)
		}
		byUs := chainsOf(nft("", "list", "table", version, "sample"))
		if byText != byUs {
			t.Errorf("nft made of the text:\n%s\nwe loaded:\n%s", byText, byUs)
		}
		if got, err := c.Fingerprint(table.ID()); err != nil || got != table.Fingerprint() {
			t.Errorf("%s: the fingerprint is %q, %v", version, got, err)
		}
		after := table
		after.Sets = slices.Clone(table.Sets)
		after.Sets[1].Elems = after.Sets[1].Elems[1:]
		if err := c.Change(table, after); err != nil {
			t.Fatal(err)
		}
		if err := c.Load(table); err != nil {
			t.Fatal(err)
		}
	}
}

// inSix is a table with the addresses of IPv4 as some of IPv6.
func inSix(t Table) Table {
	turn := func(list []Value) {
		for i, v := range list {
			if b := v.Addr.As16(); v.Addr.Is4() {
				list[i] = Address(netip.AddrFrom16([16]byte{0: 0xfd, 7: b[12], 13: b[13], 14: b[14], 15: b[15]}))
			}
		}
	}
	for _, s := range t.Sets {
		for i := range s.Elems {
			turn(s.Elems[i].Key)
			turn(s.Elems[i].To)
			value := []Value{s.Elems[i].Value}
			turn(value)
			s.Elems[i].Value = value[0]
		}
	}
	for _, c := range t.Chains {
		for i, r := range c.Rules {
			for j, m := range r.Match {
				if m.Field[0] == Protocol && m.From == Num(1) { // ICMP has another number
					c.Rules[i].Match[j].From, c.Rules[i].Match[j].To = Num(58), Num(58)
				}
			}
		}
	}
	t.Six = true
	return t
}

func TestFingerprint(t *testing.T) {
	c := inNamespace(t)
	table := sample()
	if err := c.Load(table); err != nil {
		t.Fatal(err)
	}
	got, err := c.Fingerprint(TableID{Name: "sample"})
	if err != nil || got != table.Fingerprint() {
		t.Errorf("%q %v, want %q", got, err, table.Fingerprint())
	}
	table.Sets[0].Elems[0].Key[1] = addr("10.0.0.5")
	if table.Fingerprint() == got {
		t.Error("another table has the same fingerprint")
	}
	if err := c.Remove(TableID{Name: "sample"}); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Fingerprint(TableID{Name: "sample"}); err != nil || got != "" {
		t.Errorf("after removal: %q %v", got, err)
	}
	if err := c.Remove(TableID{Name: "sample"}); err != nil {
		t.Errorf("removing what is not there: %v", err)
	}
}

// Sets of any size arrive whole.
func TestManyElements(t *testing.T) {
	c := inNamespace(t)
	single := Set{Name: "single", Key: []Type{Addr}}
	ranges := Set{Name: "ranges", Key: []Type{Addr}, Interval: true}
	pairs := Set{Name: "pairs", Key: []Type{IfName, Addr}}
	for i := range 10_000 {
		a := netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0})
		single.Elems = append(single.Elems, Elem{Key: []Value{Address(a)}})
		ranges.Elems = append(ranges.Elems, Elem{Key: []Value{Address(a)}, To: []Value{Address(a.Next())}})
		pairs.Elems = append(pairs.Elems, Elem{Key: []Value{Name(fmt.Sprintf("n-%d", i)), Address(a)}})
	}
	if err := c.Load(Table{Name: "big", Sets: []Set{single, ranges, pairs}}); err != nil {
		t.Fatal(err)
	}
}

// What the kernel does not hold is found out, and then nothing passes.
func TestMissingElementsCloseTheTable(t *testing.T) {
	c := inNamespace(t)
	twice := Elem{Key: []Value{addr("10.0.0.4")}}
	err := c.Load(Table{Name: "holes", Sets: []Set{{Name: "s", Key: []Type{Addr}, Elems: []Elem{twice, twice}}}})
	if err == nil || !strings.Contains(err.Error(), "of the 2 elements of the set s the kernel lacks 1") {
		t.Fatalf("got %v", err)
	}
	out, err := exec.Command("nft", "list", "table", "ip", "holes").Output()
	if err != nil || strings.Count(string(out), "policy drop") != 3 {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestCountsGoOn(t *testing.T) {
	c := inNamespace(t)
	table := Table{Name: "counts", Chains: []Chain{{Name: "group", Rules: []Rule{
		{Count: true, Do: Action{Verb: Return}, Comment: "a"}, {Count: true, Do: Action{Verb: Drop}, Comment: "a"}, {Count: true, Do: Action{Verb: Drop}, Comment: "b"},
	}}}}
	if _, err := c.queue(table, counts{{"group", "a"}: {{1, 10}, {2, 20}}}); err != nil {
		t.Fatal(err)
	}
	if err := c.nl.Flush(); err != nil {
		t.Fatal(err)
	}
	table.Chains[0].Rules = append(table.Chains[0].Rules, Rule{Count: true, Do: Action{Verb: Drop}, Comment: "c"})
	if err := c.Load(table); err != nil {
		t.Fatal(err)
	}
	got, err := c.Counts(TableID{Name: "counts"})
	want := "[{group a {1 10}} {group a {2 20}} {group b {0 0}} {group c {0 0}}]"
	if err != nil || fmt.Sprint(got) != want {
		t.Errorf("%v %v, want %s", got, err, want)
	}
}

func TestUnknownSetIsAnError(t *testing.T) {
	c := inNamespace(t)
	err := c.Load(Table{Name: "x", Chains: []Chain{{Name: "c", Rules: []Rule{{Match: []Match{In("none", Source)}}}}}})
	if err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("got %v", err)
	}
}
