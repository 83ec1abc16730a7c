package network_test

import (
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
)

// checkMatrix holds some flows between network interfaces against the oracle.
func checkMatrix(t *rapid.T, m *network.Matrix, o oracle) {
	var all []network.Member
	for _, c := range m.Classes {
		all = append(all, c.Members...)
	}
	for range 20 {
		from, to := rapid.SampledFrom(all).Draw(t, "from member"), rapid.SampledFrom(all).Draw(t, "to member")
		if from == to {
			continue
		}
		f := nt.CompleteFlow(t, o.top)
		f.Source, f.Destination, f.Host = from.Addr, to.Addr, ""
		if f.SourcePort == 0 {
			f.SourcePort = 50000
		}
		i, ok := m.Class(from.NIC, from.Addr)
		j, ok2 := m.Class(to.NIC, to.Addr)
		if !ok || !ok2 {
			t.Fatalf("%v or %v is in no class", from, to)
		}
		got, err := in(m.At(i, j), packet(f))
		if err != nil {
			t.Fatal(err)
		}
		if want := o.reach(f); got != want {
			t.Fatalf("%+v: class %d to %d says %v, the oracle %v; %v\n%s\n%s", f, i, j, got, want, m.Classes, story(o.top.Reach(f)), dump(o.e))
		}
	}
}

func TestMatrixAgreesWithOracle(t *testing.T) {
	soak(t, func(t *rapid.T) {
		e := nt.Random(t, nt.Complete)
		top := network.FromEstate(e)
		checkMatrix(t, top.Matrix(""), oracle{e: e, top: top})
	})
}

// A matrix that takes changed groups is the one that would be made of them.
func TestMatrixTakesChangedGroups(t *testing.T) {
	soak(t, func(t *rapid.T) {
		e := nt.Random(t, nt.Complete)
		if len(e.OfType("Microsoft.Network/networkSecurityGroups")) == 0 {
			return
		}
		m := network.FromEstate(e).Matrix("")
		for range rapid.IntRange(1, 3).Draw(t, "changes") {
			docs := slices.Clone(e.All())
			i := rapid.SampledFrom(e.OfType("Microsoft.Network/networkSecurityGroups")).Draw(t, "group")
			to := rapid.SampledFrom([]string{"10.1.0.5", "10.2.0.4/31", "VirtualNetwork", "*", "10.1.0.0/24"}).Draw(t, "changed prefix")
			rule := nt.Rule("changed", "100 Inbound Deny * "+to+":* -> *:443")
			if rapid.Bool().Draw(t, "outbound") {
				rule = nt.Rule("changed", "100 Outbound Allow Tcp *:* -> "+to+":*")
			}
			changed := nt.With(i, nt.Set{Path: "securityRules", Value: []arm.Object{rule}})
			for k := range docs {
				if docs[k].ID.Equal(i.ID) {
					docs[k] = changed
				}
			}
			var err error
			if e, err = arm.NewEstate(docs...); err != nil {
				t.Fatal(err)
			}
			g, _ := network.ReadNSG(changed)
			if len(m.Classes) > 0 && rapid.Bool().Draw(t, "spaces of the same are asked") {
				m.Spaces().From(m.Classes[0].Members[0].Addr)
			}
			before := map[[2]int]network.Verdicts{}
			for i := range m.Classes {
				for j := range m.Classes {
					before[[2]int{i, j}] = m.At(i, j)
				}
			}
			for _, c := range m.Update(g) {
				after := m.At(c.From, c.To)
				if was, ok := before[[2]int{c.From, c.To}]; ok && !c.Opened.Equal(after.Passes.Minus(was.Passes)) {
					t.Fatalf("%d to %d opened %v", c.From, c.To, c.Opened)
				}
			}
		}
		checkMatrix(t, m, oracle{e: e, top: network.FromEstate(e)})
	})
}

// What an interface sends to another address of its own never leaves it, whatever
// the groups say of what leaves for it. (Found by TestMatrixAgreesWithOracle.)
func TestMatrixOfSecondAddresses(t *testing.T) {
	two := nt.VM("two", "a", "s", "", nt.UseNSG("closed"))
	two[0] = nt.With(two[0], nt.Set{Path: "ipConfigurations", Value: []arm.Object{nt.Config("a", "s", "10.1.0.5"), nt.Config("a", "s", "10.1.0.6")}})
	top := topology(t, nt.VNet("a", "10.1.0.0/16"), nt.Subnet("a", "s", "10.1.0.0/24"), two,
		nt.VM("one", "a", "s", "10.1.0.4", nt.UseNSG("closed")), nt.VM("three", "a", "s", "10.1.0.7", nt.UseNSG("closed")),
		nt.NSG("closed", nt.Rule("no", "100 Outbound Deny * *:* -> *:*"), nt.Rule("never", "100 Inbound Deny * 10.1.0.6:* -> *:*")))
	m := top.Matrix("")
	for _, c := range []struct{ from, to, want string }{
		{"10.1.0.5", "10.1.0.6", "yes"}, {"10.1.0.6", "10.1.0.5", "yes"},
		{"10.1.0.4", "10.1.0.5", "no"}, {"10.1.0.6", "10.1.0.7", "no"}, {"10.1.0.4", "10.1.0.7", "no"},
	} {
		f := flow(t, c.from+" -> "+c.to+" tcp 22")
		f.SourcePort = 50000
		class := func(a netip.Addr) int {
			n, _ := top.NICByAddr(a)
			i, _ := m.Class(n.ID, a)
			return i
		}
		if got, err := in(m.At(class(f.Source), class(f.Destination)), packet(f)); err != nil || got.String() != c.want {
			t.Errorf("%s to %s: %v (%v), want %s", c.from, c.to, got, err, c.want)
		}
	}
}
