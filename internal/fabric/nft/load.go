package nft

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/userdata"
	"github.com/mdlayher/netlink"
)

const (
	// markerPrefix begins the name of an empty chain that carries the table's
	// fingerprint: it is committed with the rules, so it never lies about them.
	markerPrefix = "fingerprint-"
	// maxElements of one message: an attribute holds 64 KiB, and what does not fit
	// would be left out without an error.
	maxElements = 200
	// bufferSize of the netlink socket: each message of a batch is answered.
	bufferSize = 32 << 20
)

// Conn speaks to the packet filter of one network namespace.
type Conn struct{ nl *nftables.Conn }

// Open opens the packet filter of the namespace that the file descriptor is of.
func Open(namespace int) (*Conn, error) {
	buffers := func(c *netlink.Conn) error {
		return errors.Join(c.SetReadBuffer(bufferSize), c.SetWriteBuffer(bufferSize))
	}
	nl, err := nftables.New(nftables.WithNetNSFd(namespace), nftables.AsLasting(), nftables.WithSockOptions(buffers))
	if err != nil {
		return nil, fmt.Errorf("opening the packet filter: %w", err)
	}
	return &Conn{nl: nl}, nil
}

// Close ends the conversation.
func (c *Conn) Close() error { return c.nl.CloseLasting() }

// TableID tells tables apart.
type TableID struct {
	Name string
	Six  bool // of IPv6
}

func (n TableID) family() nftables.TableFamily { return Table{Six: n.Six}.family() }

// ID is what tells the table from others.
func (t Table) ID() TableID { return TableID{t.Name, t.Six} }

// Fingerprint is that of the loaded table, or "".
func (c *Conn) Fingerprint(table TableID) (string, error) {
	chains, err := c.nl.ListChainsOfTableFamily(table.family())
	if err != nil {
		return "", fmt.Errorf("listing chains: %w", err)
	}
	for _, ch := range chains {
		if ch.Table.Name == table.Name && strings.HasPrefix(ch.Name, markerPrefix) {
			return strings.TrimPrefix(ch.Name, markerPrefix), nil
		}
	}
	return "", nil
}

// Load replaces the table in one transaction and reads back that every element
// is there; where one is not, the table is replaced by one that drops everything.
// Established connections live on, and counters go on from before for the rules
// whose chain and comment stay.
func (c *Conn) Load(t Table) error {
	t = t.versioned()
	start, err := c.start(t.ID())
	if err != nil {
		return err
	}
	sets, err := c.queue(t, start)
	if err != nil {
		return err
	}
	if err := c.nl.Flush(); err != nil {
		return fmt.Errorf("loading the table %s: %w", t.Name, err)
	}
	if err := c.verify(t, sets); err != nil {
		return errors.Join(err, c.closeAll(t.ID()))
	}
	return nil
}

// counts are those of the table before, by chain and comment; several rules may
// have the same.
type counts map[[2]string][]Count

// start are the counts from which those of the rules go on.
func (c *Conn) start(table TableID) (counts, error) {
	before, err := c.Counts(table)
	if err != nil {
		return nil, err
	}
	start := counts{}
	for _, r := range before {
		at := [2]string{r.Chain, r.Comment}
		start[at] = append(start[at], r.Count)
	}
	return start, nil
}

func (c counts) take(chain string, r Rule) Count {
	at := [2]string{chain, r.Comment}
	if !r.Count || len(c[at]) == 0 {
		return Count{}
	}
	first := c[at][0]
	c[at] = c[at][1:]
	return first
}

func (c *Conn) queue(t Table, start counts) (map[string]*nftables.Set, error) {
	table := &nftables.Table{Name: t.Name, Family: t.family()}
	c.nl.AddTable(table) // so that there is one to delete
	c.nl.DelTable(table)
	c.nl.AddTable(table)
	sets := make(map[string]*nftables.Set, len(t.Sets))
	for i, s := range t.Sets {
		set, err := s.declare(table, uint32(i+1))
		if err != nil {
			return nil, err
		}
		if err := c.nl.AddSet(set, nil); err != nil {
			return nil, fmt.Errorf("declaring the set %s: %w", s.Name, err)
		}
		sets[s.Name] = set
	}
	chains := make([]*nftables.Chain, len(t.Chains))
	for i, ch := range t.Chains {
		chains[i] = c.nl.AddChain(ch.declare(table))
	}
	for _, s := range t.Sets {
		for part := range slices.Chunk(s.encode(), maxElements) {
			if err := c.nl.SetAddElements(sets[s.Name], part); err != nil {
				return nil, fmt.Errorf("filling the set %s: %w", s.Name, err)
			}
		}
	}
	for i, ch := range t.Chains {
		for _, r := range ch.Rules {
			if err := c.addRule(chains[i], r, sets, start.take(ch.Name, r)); err != nil {
				return nil, err
			}
		}
	}
	c.nl.AddChain(&nftables.Chain{Name: markerPrefix + t.Fingerprint(), Table: table})
	return sets, nil
}

func (c *Conn) addRule(chain *nftables.Chain, r Rule, sets map[string]*nftables.Set, start Count) error {
	if err := known(r, sets); err != nil {
		return err
	}
	rule := &nftables.Rule{Table: chain.Table, Chain: chain, Exprs: r.encode(sets, start)}
	if r.Comment != "" {
		rule.UserData = userdata.AppendString(nil, userdata.TypeComment, r.Comment)
	}
	c.nl.AddRule(rule)
	return nil
}

func known(r Rule, sets map[string]*nftables.Set) error {
	names := []string{r.Do.Map}
	for _, a := range r.Steps {
		names = append(names, a.Map)
	}
	for _, m := range r.Match {
		names = append(names, m.Set)
	}
	for _, n := range names {
		if n != "" && sets[n] == nil {
			return fmt.Errorf("the rule %q names the set %s, which is not in the table", r, n)
		}
	}
	return nil
}

func (s Set) declare(table *nftables.Table, id uint32) (*nftables.Set, error) {
	types := make([]nftables.SetDatatype, len(s.Key))
	for i, k := range s.Key {
		types[i] = datatype(k)
	}
	key := types[0]
	if len(types) > 1 {
		var err error
		if key, err = nftables.ConcatSetType(types...); err != nil {
			return nil, fmt.Errorf("the key of the set %s: %w", s.Name, err)
		}
	}
	return &nftables.Set{
		Table: table, ID: id, Name: s.Name, KeyType: key, DataType: datatype(s.Data),
		IsMap: s.Data != NoType, Interval: s.Interval, Concatenation: s.Interval && len(s.Key) > 1, Counter: s.Count, KeyByteOrder: byteOrder(s.Key),
	}, nil
}

// byteOrder is only for those who list the table.
func byteOrder(key []Type) binaryutil.ByteOrder {
	if len(key) == 1 && (key[0] == IfName || key[0] == Mark) {
		return binaryutil.NativeEndian
	}
	return binaryutil.BigEndian
}

func (c Chain) declare(table *nftables.Table) *nftables.Chain {
	out := &nftables.Chain{Name: c.Name, Table: table}
	if c.Hook == NoHook {
		return out
	}
	hooks := map[Hook]*nftables.ChainHook{
		Prerouting: nftables.ChainHookPrerouting, Input: nftables.ChainHookInput, Forward: nftables.ChainHookForward,
		Output: nftables.ChainHookOutput, Postrouting: nftables.ChainHookPostrouting,
	}
	policy := nftables.ChainPolicyAccept
	if c.Drop {
		policy = nftables.ChainPolicyDrop
	}
	out.Hooknum, out.Priority = hooks[c.Hook], nftables.ChainPriorityRef(nftables.ChainPriority(c.Priority))
	out.Policy, out.Type = &policy, nftables.ChainTypeFilter
	if c.NAT {
		out.Type = nftables.ChainTypeNAT
	}
	return out
}

// closeAll leaves a table that lets nothing through.
func (c *Conn) closeAll(name TableID) error {
	_, err := c.queue(Table{Name: name.Name, Six: name.Six, Chains: []Chain{
		{Name: "input", Hook: Input, Drop: true},
		{Name: "forward", Hook: Forward, Drop: true},
		{Name: "prerouting", Hook: Prerouting, Priority: math.MinInt32 + 1, Drop: true},
	}}, nil)
	if err != nil {
		return err
	}
	return c.nl.Flush()
}

// Remove deletes the table; it need not exist.
func (c *Conn) Remove(name TableID) error {
	table := &nftables.Table{Name: name.Name, Family: name.family()}
	c.nl.AddTable(table)
	c.nl.DelTable(table)
	if err := c.nl.Flush(); err != nil {
		return fmt.Errorf("removing the table %s: %w", name.Name, err)
	}
	return nil
}
