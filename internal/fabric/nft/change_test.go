package nft

import (
	"net/netip"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var handles = regexp.MustCompile(`(?s)chain fingerprint-[0-9a-f]+ \{\s*\}`)

// normal is what nft lists, in an order that does not depend on what came first.
func normal(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("nft", "list", "table", "ip", "sample").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	blocks := strings.Split(handles.ReplaceAllString(string(out), ""), "\n\t}\n")
	for i, b := range blocks {
		if head, elems, ok := strings.Cut(b, "elements = {"); ok {
			words := strings.Split(strings.Trim(strings.Join(strings.Fields(elems), " "), "} "), ", ")
			slices.Sort(words)
			blocks[i] = head + strings.Join(words, ", ")
		}
		blocks[i] = strings.TrimSpace(blocks[i])
	}
	slices.Sort(blocks)
	return strings.Join(blocks, "\n")
}

// variants of the sample that each differ from it in one way.
var variants = map[string]func(*Table){
	"a rule more": func(t *Table) {
		t.Chains[0].Rules = append(slices.Clone(t.Chains[0].Rules), Rule{Do: Action{Verb: Drop}})
	},
	"another range": func(t *Table) { set(t, "ranges", func(s *Set) { s.Elems[0].To = []Value{addr("10.0.0.99")} }) },
	"a range moves": func(t *Table) {
		set(t, "from", func(s *Set) { s.Elems[0].To, s.Elems[1].Key = []Value{addr("10.0.0.4")}, []Value{addr("10.0.0.5")} })
	},
	"another class":   func(t *Table) { set(t, "what", func(s *Set) { s.Elems[0].Value = Num(10) }) },
	"another verdict": func(t *Table) { set(t, "rules", func(s *Set) { s.Elems[0].Verdict = Action{Verb: Drop} }) },
	"an element goes": func(t *Table) { set(t, "ways", func(s *Set) { s.Elems = s.Elems[1:] }) },
	"all elements go": func(t *Table) { set(t, "what", func(s *Set) { s.Elems = nil }) },
	"a set and a rule": func(t *Table) {
		t.Sets = append(t.Sets, Set{Name: "more", Key: []Type{Port}, Elems: []Elem{{Key: []Value{Num(1)}}}})
		t.Chains[2].Rules = []Rule{{Match: []Match{Equals(Protocol, Num(6)), In("more", DestinationPort)}, Do: Action{Verb: Drop}}}
	},
	"a chain and a way": func(t *Table) {
		t.Chains = append(t.Chains, Chain{Name: "other", Rules: []Rule{{Do: Action{Verb: Drop}}}})
		set(t, "ways", func(s *Set) { s.Elems[0].Verdict.Chain = "other" })
		t.Chains = slices.DeleteFunc(t.Chains, func(c Chain) bool { return c.Name == "group" })
	},
}

func set(t *Table, name string, change func(*Set)) {
	for i := range t.Sets {
		if t.Sets[i].Name == name {
			t.Sets[i].Elems = slices.Clone(t.Sets[i].Elems)
			change(&t.Sets[i])
		}
	}
}

// A table that was changed is the table that would have been loaded, there and back.
func TestChangeIsLoad(t *testing.T) {
	if _, err := exec.LookPath("nft"); err != nil {
		t.Skip("nft is not installed")
	}
	c := inNamespace(t)
	for name, change := range variants {
		to := sample()
		change(&to)
		load := func(x Table) string {
			t.Helper()
			if err := c.Load(x); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			return normal(t)
		}
		after, before := load(to), load(sample())
		if before == after {
			t.Errorf("%s: changes nothing", name)
		}
		for _, step := range []struct {
			from, to Table
			want     string
		}{{sample(), to, after}, {to, sample(), before}} {
			if err := c.Change(step.from, step.to); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got := normal(t); got != step.want {
				t.Errorf("%s: changed:\n%s\nloaded:\n%s", name, got, step.want)
			}
			if got, err := c.Fingerprint(TableID{Name: "sample"}); err != nil || got != step.to.Fingerprint() {
				t.Errorf("%s: the fingerprint is %q, %v", name, got, err)
			}
		}
	}
}

func TestChangeRefusesAnotherShape(t *testing.T) {
	c := inNamespace(t)
	if err := c.Load(sample()); err != nil {
		t.Fatal(err)
	}
	to := sample()
	to.Sets[0].Key = []Type{Addr}
	if Fits(sample(), to) {
		t.Error("a set of another type fits")
	}
	if err := c.Change(sample(), to); err == nil {
		t.Error("a set became another in place")
	}
}

// Elements beyond one message arrive, also in sets of ranges of several fields.
func TestChangeOfManyElements(t *testing.T) {
	c := inNamespace(t)
	big := func(n int) Table {
		s := Set{Name: "big", Key: []Type{Mark, Addr}, Data: Mark, Interval: true}
		for i := range n {
			a := addr("10.0.0.0").Addr.As4()
			a[1], a[2] = byte(i>>8), byte(i)
			first := Value{Addr: address4(a)}
			a[3] = 200
			s.Elems = append(s.Elems, Elem{Key: []Value{Num(1), first}, To: []Value{Num(1), {Addr: address4(a)}}, Value: Num(uint32(i + 1))})
		}
		return Table{Name: "sample", Sets: []Set{s}}
	}
	if err := c.Load(big(3000)); err != nil {
		t.Fatal(err)
	}
	if err := c.Change(big(3000), big(5000)); err != nil {
		t.Fatal(err)
	}
	if err := c.Change(big(5000), big(10)); err != nil {
		t.Fatal(err)
	}
}

func address4(b [4]byte) netip.Addr { return netip.AddrFrom4(b) }
