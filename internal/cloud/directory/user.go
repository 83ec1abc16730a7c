package directory

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/internal/cloud/store"
)

var nameForm = regexp.MustCompile(`^[A-Za-z0-9._'-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`)

// FullName is a user principal name: what has no domain gets the tenant's.
func FullName(name string) string {
	if strings.Contains(name, "@") {
		return name
	}
	return name + "@" + Domain
}

// CreateUser adds a user; the id, the times and the hash are filled in.
func (d *Directory) CreateUser(ctx context.Context, u User, password string) (User, error) {
	if !nameForm.MatchString(u.Name) || !strings.HasSuffix(strings.ToLower(u.Name), "@"+Domain) {
		return User{}, fmt.Errorf("%w: the name %q is not one of letters, digits, '.', '_' and '-' followed by @%s", ErrBad, u.Name, Domain)
	}
	if u.DisplayName == "" {
		u.DisplayName, _, _ = strings.Cut(u.Name, "@")
	}
	if err := checkText("display name", u.DisplayName); err != nil {
		return User{}, err
	}
	if err := CheckPassword(password); err != nil {
		return User{}, err
	}
	now := d.now().UTC()
	u.ID, u.Created, u.Valid, u.Hash = newID(), now, now, d.hashing.hash(password)
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, taken := d.named[strings.ToLower(u.Name)]; taken {
		return User{}, fmt.Errorf("%w: the user %s", ErrExists, u.Name)
	}
	if len(d.users) >= maxUsers {
		return User{}, fmt.Errorf("%w: the directory is full", ErrBad)
	}
	return u, d.keepUser(ctx, u)
}

// keepUser writes a user; the lock is held.
func (d *Directory) keepUser(ctx context.Context, u User) error {
	if err := d.write(ctx, kindUser, u.ID, u); err != nil {
		return err
	}
	d.users[u.ID], d.named[strings.ToLower(u.Name)] = u, u.ID
	return nil
}

// ChangeUser changes a user, whose id, name and hash stay.
func (d *Directory) ChangeUser(ctx context.Context, id string, change func(*User)) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	u, ok := d.users[strings.ToLower(id)]
	if !ok {
		return fmt.Errorf("%w: the user %s", ErrNone, id)
	}
	next := u
	change(&next)
	if err := checkText("display name", next.DisplayName); err != nil {
		return err
	}
	next.ID, next.Name, next.Hash = u.ID, u.Name, u.Hash
	return d.keepUser(ctx, next)
}

// SetPassword gives a user another password; the sessions before it end.
func (d *Directory) SetPassword(ctx context.Context, id, password string) error {
	if err := CheckPassword(password); err != nil {
		return err
	}
	hash := d.hashing.hash(password)
	d.mu.Lock()
	defer d.mu.Unlock()
	u, ok := d.users[strings.ToLower(id)]
	if !ok {
		return fmt.Errorf("%w: the user %s", ErrNone, id)
	}
	u.Hash, u.Valid = hash, d.now().UTC()
	d.locks.Succeeded(strings.ToLower(u.Name))
	return d.keepUser(ctx, u)
}

// DeleteUser removes a user, and from every group.
func (d *Directory) DeleteUser(ctx context.Context, id string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	u, ok := d.users[strings.ToLower(id)]
	if !ok {
		return fmt.Errorf("%w: the user %s", ErrNone, id)
	}
	if err := d.forget(ctx, u.ID, store.Object{Kind: kindUser, ID: u.ID}); err != nil {
		return err
	}
	delete(d.users, u.ID)
	delete(d.named, strings.ToLower(u.Name))
	return nil
}

// Users are all users, by name.
func (d *Directory) Users() []User {
	d.mu.RLock()
	defer d.mu.RUnlock()
	out := make([]User, 0, len(d.users))
	for _, u := range d.users {
		out = append(out, u)
	}
	slices.SortFunc(out, func(a, b User) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// User finds a user by object id or by name.
func (d *Directory) User(idOrName string) (User, bool) {
	key := strings.ToLower(idOrName)
	d.mu.RLock()
	defer d.mu.RUnlock()
	if id, ok := d.named[key]; ok {
		key = id
	}
	u, ok := d.users[key]
	return u, ok
}

// Check is the user with a name, where the password is theirs. Its errors wrap
// [ErrCredentials] or [ErrLocked].
func (d *Directory) Check(name, password string) (User, error) {
	key, now := strings.ToLower(name), d.now()
	if d.locks.Refused(key, now) {
		return User{}, ErrLocked
	}
	u, _ := d.User(name)
	if len(password) > maxPassword || !d.hashing.matches(u.Hash, password) || u.Disabled || !strings.EqualFold(u.Name, name) {
		d.locks.Failed(key, now)
		return User{}, ErrCredentials
	}
	d.locks.Succeeded(key)
	return u, nil
}
