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
		want := loaded{s.Filter.Sealed(), s.gates}
		conn, err := nft.Open(s.fd)
		if err != nil {
			return err
		}
		defer conn.Close()
		have := ""
		if !s.fresh {
			if have, err = conn.Fingerprint(nft.TableID{Name: s.Filter.Name}); err != nil || have == want.table.Fingerprint() {
				a.fabric.remember(s.full, want)
				return err
			}
		}
		a.done.add(false, "filter", s.full, s.Filter.Name)
		before, ok := a.fabric.known(s.full)
		if ok && before.table.Fingerprint() == have && nft.Fits(before.table, want.table) {
			err = conn.Change(before.table, want.table)
		} else {
			err = conn.Load(want.table)
		}
		if err != nil {
			a.fabric.forgetFilter(s.full)
			return err
		}
		a.fabric.remember(s.full, want)
		if !s.fresh {
			s.closing = closing(before.gates, s.gates)
		}
		return nil
	})
}

func (f *Fabric) known(full string) (loaded, bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	l, ok := f.loaded[full]
	return l, ok
}

func (f *Fabric) remember(full string, l loaded) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.loaded[full] = l
}

func (f *Fabric) forgetFilter(full string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.loaded, full)
}
