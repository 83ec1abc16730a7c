package fabric

import (
	"errors"
	"fmt"
	"os"
	"strings"

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
	Packets   uint64
	Bytes     uint64
}

// Counters are the counts of a security group's rules, for each network that
// uses it and in the rules' order.
func (f *Fabric) Counters(nsg arm.ID) ([]RuleCount, error) {
	var out []RuleCount
	for _, s := range f.Plan().Spaces {
		if s.Role != RoleRouter {
			continue
		}
		counts, err := f.counts(f.full(s.Name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading the counters of %s: %w", s.VNet, err)
		}
		for _, d := range []network.Direction{network.Inbound, network.Outbound} {
			out = append(out, sum(s.VNet, d, groupChain(nsg, d), counts)...)
		}
	}
	return out, nil
}

func (f *Fabric) counts(full string) ([]nft.RuleCount, error) {
	fd, err := openNamespace(full)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	conn, err := nft.Open(fd)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.Counts(tableName)
}

// sum adds up the variants of one group's chain.
func sum(vnet arm.ID, d network.Direction, chain string, counts []nft.RuleCount) []RuleCount {
	var out []RuleCount
	at := map[string]int{}
	for _, c := range counts {
		if c.Chain != chain && !strings.HasPrefix(c.Chain, chain+"-") {
			continue
		}
		i, ok := at[c.Comment]
		if !ok {
			i = len(out)
			at[c.Comment] = i
			out = append(out, RuleCount{VNet: vnet, Direction: d, Rule: c.Comment})
		}
		out[i].Packets += c.Packets
		out[i].Bytes += c.Bytes
	}
	return out
}
