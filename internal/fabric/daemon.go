package fabric

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// daemon is a server that runs in each namespace of some kind, as long as its
// context lives: also in those that are made later.
type daemon struct {
	name    string
	ctx     context.Context
	wants   func(Space) bool
	start   func(s Space, full string) (stop func(), err error)
	version func(Space) string // what starts it again when it changes; nil for nothing
	keep    func(Space)        // is told of the plan's space where it goes on; nil for nobody
	running map[instance]func()
}

// instance is a namespace as the kernel knows it: a new one may bear an old name.
type instance struct {
	name    string
	inode   uint64
	version string
}

// attend adds a daemon and starts it where it is wanted.
func (f *Fabric) attend(d *daemon) error {
	f.change.Lock()
	defer f.change.Unlock()
	f.mu.Lock()
	f.daemons = append(f.daemons, d)
	f.mu.Unlock()
	context.AfterFunc(d.ctx, func() {
		f.change.Lock()
		defer f.change.Unlock()
		_ = f.serve() // it only stops; what could not be started was said before
	})
	return f.serve()
}

// serve starts and stops daemons as the plan wants them. The caller holds change.
func (f *Fabric) serve() error {
	plan := f.Plan()
	f.mu.RLock()
	daemons := f.daemons
	f.mu.RUnlock()
	var errs []error
	for _, d := range daemons {
		want := map[instance]Space{}
		for _, s := range plan.Spaces {
			if d.ctx.Err() != nil || !d.wants(s) {
				continue
			}
			var st unix.Stat_t
			full := f.full(s.Name)
			if err := unix.Stat(NamespacePath(full), &st); err != nil {
				errs = append(errs, fmt.Errorf("looking at the network namespace %s: %w", full, err))
				continue
			}
			at := instance{name: full, inode: st.Ino}
			if d.version != nil {
				at.version = d.version(s)
			}
			want[at] = s
		}
		for at, stop := range d.running {
			if _, ok := want[at]; !ok {
				stop()
				delete(d.running, at)
			}
		}
		for at, s := range want {
			if d.running[at] != nil {
				if d.keep != nil {
					d.keep(s)
				}
				continue
			}
			stop, err := d.start(s, at.name)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s in %s: %w", d.name, at.name, err))
				continue
			}
			d.running[at] = stop
		}
	}
	f.forget()
	return errors.Join(errs...)
}

// forget drops the daemons whose time is over.
func (f *Fabric) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	var live []*daemon
	for _, d := range f.daemons {
		if d.ctx.Err() == nil {
			live = append(live, d)
		}
	}
	f.daemons = live
}
