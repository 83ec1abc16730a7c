package fabric

import (
	"context"

	"github.com/cloister-ml/cloister/internal/fabric/nft"
)

// loaded is a packet filter that this process has put in place: what it is to be
// changed from.
type loaded struct {
	table nft.Table // sealed
	gates []gate
}

// filters brings the packet filters to the plan: by what differs where it is
// known what is there, whole where it is not, as after another process.
func (a *application) filters(ctx context.Context) error {
	return a.each(ctx, func(s *space) bool { return s.Filter != nil }, func(s *space) error {
		conn, err := nft.Open(s.fd)
		if err != nil {
			return err
		}
		defer conn.Close()
		if err := a.filter(s, conn, loaded{s.Filter.Sealed(), s.gates}); err != nil || !hasIPv6() {
			return err
		}
		if s.Filter6 == nil {
			return a.unfilter6(s, conn)
		}
		return a.filter(s, conn, loaded{s.Filter6.Sealed(), s.gates6})
	})
}

func (a *application) filter(s *space, conn *nft.Conn, want loaded) (err error) {
	at := place{s.full, want.table.Six}
	have := ""
	if !s.fresh {
		if have, err = conn.Fingerprint(want.table.ID()); err != nil || have == want.table.Fingerprint() {
			a.fabric.remember(at, want)
			return err
		}
	}
	a.done.add(false, "filter", s.full, want.table.Name)
	before, ok := a.fabric.known(at)
	if ok && before.table.Fingerprint() == have && nft.Fits(before.table, want.table) {
		err = conn.Change(before.table, want.table)
	} else {
		err = conn.Load(want.table)
	}
	if err != nil {
		a.fabric.forgetFilter(s.full)
		return err
	}
	a.fabric.remember(at, want)
	if !s.fresh {
		s.closing = append(s.closing, closing(before.gates, want.gates)...)
	}
	return nil
}

// unfilter6 closes a network that has lost its IPv6: its cables lose theirs later.
func (a *application) unfilter6(s *space, conn *nft.Conn) error {
	closed := nft.Table{Name: tableName, Six: true, Chains: []nft.Chain{{Name: "forward", Hook: nft.Forward, Drop: true}, {Name: "input", Hook: nft.Input, Drop: true}}}
	have, err := conn.Fingerprint(closed.ID())
	if err != nil || have == "" || have == closed.Fingerprint() {
		return err
	}
	a.done.add(true, "filter", s.full, tableName)
	a.fabric.forgetFilter(s.full)
	return conn.Load(closed)
}

// place is a packet filter's: its namespace and version.
type place struct {
	full string
	six  bool
}

func (f *Fabric) known(at place) (loaded, bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	l, ok := f.loaded[at]
	return l, ok
}

func (f *Fabric) remember(at place, l loaded) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.loaded[at] = l
}

func (f *Fabric) forgetFilter(full string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.loaded, place{full, false})
	delete(f.loaded, place{full, true})
}
