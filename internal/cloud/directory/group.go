package directory

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/internal/cloud/store"
)

// CreateGroup adds a group; the id and the time are filled in.
func (d *Directory) CreateGroup(ctx context.Context, g Group) (Group, error) {
	if err := checkGroup(g); err != nil {
		return Group{}, err
	}
	g.ID, g.Created = newID(), d.now().UTC()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.groups) >= maxGroups {
		return Group{}, fmt.Errorf("%w: the directory is full", ErrBad)
	}
	return g, d.keepGroup(ctx, g)
}

func checkGroup(g Group) error {
	if err := checkText("display name", g.Name); err != nil {
		return err
	}
	if err := checkText("mail nickname", g.Nickname); err != nil {
		return err
	}
	if len(g.Members) > maxMembers || len(g.Owners) > maxMembers || len(g.Description) > 4*maxText {
		return fmt.Errorf("%w: the group is too large", ErrBad)
	}
	return nil
}

// keepGroup writes a group; the lock is held.
func (d *Directory) keepGroup(ctx context.Context, g Group) error {
	if err := d.write(ctx, kindGroup, g.ID, g); err != nil {
		return err
	}
	d.groups[g.ID] = g
	return nil
}

// ChangeGroup changes a group, whose id stays. An error of change is returned, and
// nothing is changed.
func (d *Directory) ChangeGroup(ctx context.Context, id string, change func(*Group) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	g, ok := d.groups[strings.ToLower(id)]
	if !ok {
		return fmt.Errorf("%w: the group %s", ErrNone, id)
	}
	next := g
	next.Members, next.Owners = slices.Clone(g.Members), slices.Clone(g.Owners)
	if err := change(&next); err != nil {
		return err
	}
	if err := checkGroup(next); err != nil {
		return err
	}
	next.ID = g.ID
	return d.keepGroup(ctx, next)
}

// DeleteGroup removes a group, and from every other group.
func (d *Directory) DeleteGroup(ctx context.Context, id string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	g, ok := d.groups[strings.ToLower(id)]
	if !ok {
		return fmt.Errorf("%w: the group %s", ErrNone, id)
	}
	if err := d.forget(ctx, g.ID, store.Object{Kind: kindGroup, ID: g.ID}); err != nil {
		return err
	}
	delete(d.groups, g.ID)
	return nil
}

// Leave takes an object that has been deleted out of every group.
func (d *Directory) Leave(ctx context.Context, id string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.forget(ctx, id)
}

// forget deletes objects and takes id out of every group, at once; the lock is held.
func (d *Directory) forget(ctx context.Context, id string, also ...store.Object) error {
	var changed []Group
	is := func(s string) bool { return strings.EqualFold(s, id) }
	for _, g := range d.groups {
		if !slices.ContainsFunc(g.Members, is) && !slices.ContainsFunc(g.Owners, is) {
			continue
		}
		g.Members, g.Owners = slices.DeleteFunc(slices.Clone(g.Members), is), slices.DeleteFunc(slices.Clone(g.Owners), is)
		data, err := json.Marshal(g)
		if err != nil {
			return err
		}
		changed, also = append(changed, g), append(also, store.Object{Kind: kindGroup, ID: g.ID, Value: data})
	}
	if len(also) == 0 {
		return nil
	}
	// Deletions come last: a group may have been a member of itself.
	slices.SortStableFunc(also, func(a, b store.Object) int { return len(b.Value) - len(a.Value) })
	if err := d.keeper.WriteObjects(ctx, also...); err != nil {
		return err
	}
	for _, g := range changed {
		d.groups[g.ID] = g
	}
	return nil
}

// Groups are all groups, by name.
func (d *Directory) Groups() []Group {
	d.mu.RLock()
	defer d.mu.RUnlock()
	out := make([]Group, 0, len(d.groups))
	for _, g := range d.groups {
		out = append(out, g)
	}
	slices.SortFunc(out, func(a, b Group) int { return strings.Compare(a.Name+a.ID, b.Name+b.ID) })
	return out
}

// Group finds a group by its object id.
func (d *Directory) Group(id string) (Group, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	g, ok := d.groups[strings.ToLower(id)]
	return g, ok
}
