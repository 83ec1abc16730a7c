package directory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/internal/cloud/store"
)

// Domain is the tenant's only verified domain; its users' names end in it.
const Domain = "cloister.onmicrosoft.com"

// Errors of the directory. What is returned wraps one of them.
var (
	ErrBad         = errors.New("it cannot be kept as it is")
	ErrExists      = errors.New("another object with the same value exists already")
	ErrNone        = errors.New("there is no such object in the directory")
	ErrCredentials = errors.New("the user name or the password is wrong")
	ErrLocked      = errors.New("the account is locked: a wrong password was given too often")
)

// User is somebody who signs in with a password.
type User struct {
	ID          string    `json:"id"`   // object id
	Name        string    `json:"name"` // user principal name, as ada@cloister.onmicrosoft.com
	DisplayName string    `json:"displayName"`
	Mail        string    `json:"mail,omitempty"`
	Disabled    bool      `json:"disabled,omitempty"`
	Hash        string    `json:"hash"`
	Created     time.Time `json:"created"`
	// Valid is the moment before which no session of the user holds any more.
	Valid time.Time `json:"valid"`
}

// Group has users, service principals and other groups as members.
type Group struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Nickname    string    `json:"nickname"`
	Description string    `json:"description,omitempty"`
	Members     []string  `json:"members,omitempty"` // object ids
	Owners      []string  `json:"owners,omitempty"`
	Created     time.Time `json:"created"`
}

const (
	kindUser  = "user"
	kindGroup = "group"
)

// Bounds of the directory.
const (
	maxUsers   = 10_000
	maxGroups  = 10_000
	maxMembers = 10_000
	maxText    = 256
)

// Keeper is what the directory is kept in.
type Keeper interface {
	Objects(ctx context.Context, kind string) (map[string][]byte, error)
	WriteObjects(ctx context.Context, list ...store.Object) error
}

// Directory is the users and groups of a tenant. Its methods may be called from
// several goroutines.
type Directory struct {
	keeper  Keeper
	now     func() time.Time
	hashing hashing
	locks   *Throttle

	mu     sync.RWMutex
	users  map[string]User   // by lower-case id
	named  map[string]string // id by lower-case name
	groups map[string]Group
}

// Ten wrong passwords are free, as with Entra's smart lockout.
const (
	freePasswords = 10
	firstLock     = time.Minute
)

// Open reads the directory.
func Open(ctx context.Context, k Keeper, now func() time.Time) (*Directory, error) {
	d := &Directory{keeper: k, now: now, hashing: newHashing(), locks: NewThrottle(freePasswords, firstLock), named: map[string]string{}}
	var err error
	if d.users, err = load[User](ctx, k, kindUser); err != nil {
		return nil, err
	}
	if d.groups, err = load[Group](ctx, k, kindGroup); err != nil {
		return nil, err
	}
	for id, u := range d.users {
		d.named[strings.ToLower(u.Name)] = id
	}
	return d, nil
}

func load[T any](ctx context.Context, k Keeper, kind string) (map[string]T, error) {
	rows, err := k.Objects(ctx, kind)
	if err != nil {
		return nil, err
	}
	out := make(map[string]T, len(rows))
	for id, data := range rows {
		var v T
		if err := json.Unmarshal(data, &v); err != nil {
			return nil, fmt.Errorf("reading the %s %s: %w", kind, id, err)
		}
		out[id] = v
	}
	return out, nil
}

func (d *Directory) write(ctx context.Context, kind, id string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return d.keeper.WriteObjects(ctx, store.Object{Kind: kind, ID: id, Value: data})
}

func newID() string { return uuid.NewString() }

// checkText refuses what no directory keeps.
func checkText(what, s string) error {
	if s == "" || len(s) > maxText || strings.TrimSpace(s) != s || strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f || r == '�' }) {
		return fmt.Errorf("%w: the %s must have 1 to %d printable characters", ErrBad, what, maxText)
	}
	return nil
}

// Known reports whether an object id is a user's or a group's, with its display
// name and its type in the words of role assignments.
func (d *Directory) Known(id string) (name, kind string, ok bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if u, ok := d.users[strings.ToLower(id)]; ok {
		return u.DisplayName, "User", true
	}
	if g, ok := d.groups[strings.ToLower(id)]; ok {
		return g.Name, "Group", true
	}
	return "", "", false
}

// GroupsOf are the groups that an object is in, directly or by groups in them.
func (d *Directory) GroupsOf(id string) []string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var out []string
	seen, next := map[string]bool{}, []string{id}
	for len(next) > 0 {
		member := next[0]
		next = next[1:]
		for group, g := range d.groups {
			if !seen[group] && slices.ContainsFunc(g.Members, func(m string) bool { return strings.EqualFold(m, member) }) {
				seen[group] = true
				out, next = append(out, group), append(next, group)
			}
		}
	}
	slices.Sort(out)
	return out
}
