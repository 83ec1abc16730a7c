package fabric

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sync/errgroup"
)

// Apply brings the kernel to a plan: it compares what is there with what should
// be, and makes and removes the difference. It may be called after any earlier
// Apply, complete or not.
//
// Filters come before the cables that they guard, and routers before machines,
// so that at no moment more is open than before or after.
func (f *Fabric) Apply(ctx context.Context, p Plan) (Changes, error) {
	f.change.Lock()
	defer f.change.Unlock()
	if err := prepareDir(); err != nil {
		return nil, err
	}
	if !hasIPv6() {
		p = p.withoutSix()
	}
	a := &application{fabric: f, plan: p, spaces: map[string]*space{}, done: &recorder{}}
	defer a.close()
	for _, step := range []func(context.Context) error{a.open, a.filters} {
		if err := step(ctx); err != nil {
			return a.done.sorted(), err
		}
	}
	if err := a.meanwhile(ctx, a.cut, a.dropSpaces, a.dropLinks, a.addLinks, a.routers, a.machines, a.settle); err != nil {
		return a.done.sorted(), err
	}
	f.adopt(p)
	for _, n := range p.Notes {
		f.log.Warn("the networks are not as the documents say", "note", n)
	}
	return a.done.sorted(), f.serve()
}

// meanwhile does one thing beside several that come one after the other: to look
// through the table of connections takes the kernel as long as all the rest.
func (a *application) meanwhile(ctx context.Context, beside func(context.Context) error, steps ...func(context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return beside(ctx) })
	group.Go(func() error {
		for _, step := range steps {
			if err := step(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	return group.Wait()
}

// settleTime is far more than the kernel ever takes.
const settleTime = 10 * time.Second

// removers is how many namespaces lose their cables at a time: the kernel makes
// each wait, and several wait together.
const removers = 16

// application is one Apply on its way.
type application struct {
	fabric *Fabric
	plan   Plan
	spaces map[string]*space // by name in the plan
	done   *recorder
}

func (a *application) close() {
	for _, s := range a.spaces {
		s.close()
	}
}

// each runs fn for the spaces that want it, some at a time.
func (a *application) each(ctx context.Context, want func(*space) bool, fn func(*space) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(2, runtime.NumCPU()))
	for _, p := range a.plan.Spaces {
		s := a.spaces[p.Name]
		if s == nil || !want(s) {
			continue
		}
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := fn(s); err != nil {
				return fmt.Errorf("network namespace %s: %w", s.full, err)
			}
			return nil
		})
	}
	return group.Wait()
}

func every(*space) bool { return true }

// open opens every namespace of the plan, and makes those that are missing.
func (a *application) open(ctx context.Context) error {
	for _, p := range a.plan.Spaces {
		a.spaces[p.Name] = &space{Space: p, full: a.fabric.full(p.Name), fd: -1}
	}
	return a.each(ctx, every, func(s *space) error {
		if !isNamespace(NamespacePath(s.full)) {
			if err := createNamespace(s.full, func() error { return writeSettings(settings(s.Role, s.Forward)) }); err != nil {
				return err
			}
			s.fresh = true
			a.done.add(false, "namespace", s.full, "")
		}
		if err := s.open(); err != nil {
			return err
		}
		return a.forwarding(s)
	})
}

// forwarding is what may change later of a namespace's settings.
func (a *application) forwarding(s *space) error {
	if s.fresh {
		return nil
	}
	return within(s.fd, func() error {
		for _, want := range settings(s.Role, s.Forward)[:2] {
			got, err := os.ReadFile("/proc/sys/net/" + want.path)
			switch {
			case errors.Is(err, os.ErrNotExist) || string(got) == want.value+"\n":
				continue
			case err != nil:
				return err
			}
			a.done.add(false, "setting", s.full, want.path+"="+want.value)
			if err := writeSettings([]setting{want}); err != nil {
				return err
			}
		}
		return nil
	})
}

// dropSpaces removes the cloud's namespaces that the plan does not have.
func (a *application) dropSpaces(context.Context) error {
	names, err := namespacesOf(a.fabric.prefix())
	if err != nil {
		return err
	}
	for _, full := range names {
		if _, ok := a.spaces[full[len(a.fabric.prefix()):]]; ok {
			continue
		}
		if err := unplug(full); err != nil {
			return err
		}
		if err := removeNamespace(full); err != nil {
			return err
		}
		a.fabric.forgetFilter(full)
		a.done.add(true, "namespace", full, "")
	}
	return nil
}

// dropLinks removes cables that the plan does not have, or that lead elsewhere
// than the plan says.
func (a *application) dropLinks(ctx context.Context) error {
	if err := a.each(ctx, every, (*space).list); err != nil {
		return err
	}
	want := map[string]map[string]End{} // space -> name -> the other end
	put := func(a, b End) {
		if want[a.Space] == nil {
			want[a.Space] = map[string]End{}
		}
		want[a.Space][a.Name] = b
	}
	for _, l := range a.plan.Links {
		put(l.A, l.B)
		put(l.B, l.A)
	}
	type cable struct {
		space *space
		name  string
	}
	var wrong []cable
	for _, s := range a.spaces {
		for name, link := range s.links {
			if s.owns(link) && !a.leads(link, want[s.Name][name]) {
				wrong = append(wrong, cable{s, name})
			}
		}
	}
	for _, w := range wrong {
		if err := w.space.unlink(w.name); err != nil {
			return fmt.Errorf("network namespace %s: %w", w.space.full, err)
		}
		a.done.add(true, "link", w.space.full, w.name)
	}
	return nil
}

// leads reports whether a cable's other end is where it should be.
func (a *application) leads(link netlink.Link, end End) bool {
	peer := a.spaces[end.Space]
	if peer == nil {
		return false
	}
	far, ok := peer.links[end.Name]
	return ok && far.Attrs().Index == link.Attrs().ParentIndex && far.Attrs().ParentIndex == link.Attrs().Index
}

// addLinks makes the missing veth pairs, from the side of their first end.
func (a *application) addLinks(ctx context.Context) error {
	missing := map[string][]Link{}
	for _, l := range a.plan.Links {
		from, to := a.spaces[l.A.Space], a.spaces[l.B.Space]
		if from == nil || to == nil {
			return fmt.Errorf("the plan has a link between %s and %s, and not both of them", l.A.Space, l.B.Space)
		}
		if from.links[l.A.Name] == nil || to.links[l.B.Name] == nil {
			missing[l.A.Space] = append(missing[l.A.Space], l)
		}
	}
	err := a.each(ctx, func(s *space) bool { return len(missing[s.Name]) > 0 }, func(s *space) error {
		for _, l := range missing[s.Name] {
			if err := s.plug(l, a.spaces[l.B.Space]); err != nil {
				return err
			}
			a.done.add(false, "link", s.full, l.A.Name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	touched := map[string]bool{}
	for _, list := range missing {
		for _, l := range list {
			touched[l.A.Space], touched[l.B.Space] = true, true
		}
	}
	return a.each(ctx, func(s *space) bool { return touched[s.Name] }, (*space).list)
}

func (a *application) routers(ctx context.Context) error {
	return a.each(ctx, func(s *space) bool { return s.Filter != nil }, a.configure)
}

func (a *application) machines(ctx context.Context) error {
	return a.each(ctx, func(s *space) bool { return s.Filter == nil }, a.configure)
}

// settle waits until the kernel has made every new cable carry packets. The end
// that comes up last carries at once; the first, which had nobody to talk to, is
// told in the background, and would drop packets until then.
func (a *application) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	return a.each(ctx, func(s *space) bool { return len(s.plugged) > 0 }, func(s *space) error {
		for {
			if err := s.list(); err != nil {
				return err
			}
			down := s.down()
			if down == "" {
				return nil
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("%s does not come up: %w", down, ctx.Err())
			case <-time.After(time.Millisecond):
			}
		}
	})
}

// configure brings the addresses, routes and rules of a namespace to the plan.
func (a *application) configure(s *space) error {
	for name := range s.links {
		s.widen(name)
		if err := s.up(name); err != nil {
			return err
		}
	}
	for _, step := range []func(*recorder) error{a.addresses(s), s.routes, s.rules} {
		if err := step(a.done); err != nil {
			return err
		}
	}
	return nil
}

func (a *application) addresses(s *space) func(*recorder) error {
	want := map[string][]string{}
	for _, addr := range s.Loopback {
		want["lo"] = append(want["lo"], single(addr).String())
	}
	for _, l := range a.plan.Links {
		for _, end := range []End{l.A, l.B} {
			if end.Space != s.Name {
				continue
			}
			for _, addr := range end.Addrs {
				want[end.Name] = append(want[end.Name], single(addr).String())
			}
		}
	}
	return func(r *recorder) error { return s.addresses(want, r) }
}

// Remove takes everything of the cloud away, leftovers of a killed process too.
// Nothing of it is to be seen when it returns.
func (f *Fabric) Remove(ctx context.Context) error {
	f.change.Lock()
	defer f.change.Unlock()
	f.adopt(Plan{})
	errs := []error{f.serve()}
	names, err := namespacesOf(f.prefix())
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(removers)
	for _, full := range names {
		group.Go(func() error { return unplug(full) })
	}
	errs = append(errs, group.Wait())
	for _, full := range names {
		f.forgetFilter(full)
		errs = append(errs, removeNamespace(full))
	}
	return errors.Join(errs...)
}
