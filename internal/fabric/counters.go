package fabric

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/fabric/nft"
	"github.com/cloister-ml/cloister/network"
)

// RuleCount is how often a rule decided about a new connection in one virtual
// network.
type RuleCount struct {
	VNet      arm.ID
	Direction network.Direction
	Rule      string
	Allow     bool
	Packets   uint64
	Bytes     uint64
}

// Counters are the counts of a security group's rules, for each network that
// uses it and in the rules' order.
func (f *Fabric) Counters(nsg arm.ID) ([]RuleCount, error) {
	var out []RuleCount
	for _, s := range f.Plan().Spaces {
		counts, err := f.counts(s, nsg)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading the counters of %s: %w", s.VNet, err)
		}
		out = append(out, counts...)
	}
	return out, nil
}

// groups are the groups of a router's guests, each once.
func (s Space) groups() []*group {
	var out []*group
	for _, g := range slices.Concat(s.gates, s.gates6) {
		for _, one := range g.groups {
			if !slices.Contains(out, one) {
				out = append(out, one)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b *group) int { return cmp.Compare(a.Direction, b.Direction) })
	return out
}

// counts reads those of one group in a router's network. Subnets from which its
// tags look different have chains of their own, of which it is the sum.
func (f *Fabric) counts(s Space, nsg arm.ID) ([]RuleCount, error) {
	groups := slices.DeleteFunc(s.groups(), func(g *group) bool { return !g.NSG.Equal(nsg) })
	if len(groups) == 0 {
		return nil, nil
	}
	fd, err := openNamespace(f.full(s.Name))
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	conn, err := nft.Open(fd)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	var out []RuleCount
	for _, g := range groups {
		counts, err := conn.MarkCounts(nft.TableID{Name: tableName, Six: g.six}, g.Chain+rulesSuffix)
		if err != nil {
			return nil, err
		}
		out = sum(out, s.VNet, g, counts)
	}
	return out, nil
}

func sum(out []RuleCount, vnet arm.ID, g *group, counts map[uint32]nft.Count) []RuleCount {
	for _, n := range g.order {
		i := slices.IndexFunc(out, func(c RuleCount) bool { return c.Direction == g.Direction && c.Rule == g.rules[n].name })
		if i < 0 {
			i = len(out)
			out = append(out, RuleCount{VNet: vnet, Direction: g.Direction, Rule: g.rules[n].name, Allow: g.rules[n].allow})
		}
		out[i].Packets += counts[n].Packets
		out[i].Bytes += counts[n].Bytes
	}
	return out
}
