package directory_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/internal/cloud/directory"
	"github.com/cloister-ml/cloister/internal/cloud/store"
)

const password = "correct horse"

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func open(t *testing.T, k directory.Keeper, c *clock) *directory.Directory {
	t.Helper()
	d, err := directory.Open(t.Context(), k, c.now)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func start(t *testing.T) (*directory.Directory, *store.Database, *clock) {
	t.Helper()
	k, err := store.OpenSQLite(filepath.Join(t.TempDir(), "cloud.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	c := &clock{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	return open(t, k, c), k, c
}

func user(t *testing.T, d *directory.Directory, name string) directory.User {
	t.Helper()
	u, err := d.CreateUser(t.Context(), directory.User{Name: directory.FullName(name)}, password)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestUsers(t *testing.T) {
	d, k, c := start(t)
	ada := user(t, d, "ada")
	for name, tt := range map[string]struct {
		user     directory.User
		password string
		want     error
	}{
		"the same name in other letters": {directory.User{Name: "ADA@" + directory.Domain}, password, directory.ErrExists},
		"another domain":                 {directory.User{Name: "ada@example.com"}, password, directory.ErrBad},
		"no domain":                      {directory.User{Name: "eve"}, password, directory.ErrBad},
		"a name with a slash":            {directory.User{Name: "a/b@" + directory.Domain}, password, directory.ErrBad},
		"a short password":               {directory.User{Name: "eve@" + directory.Domain}, "short", directory.ErrBad},
		"a long password":                {directory.User{Name: "eve@" + directory.Domain}, strings.Repeat("x", 257), directory.ErrBad},
		"a display name with a line end": {directory.User{Name: "eve@" + directory.Domain, DisplayName: "a\nb"}, password, directory.ErrBad},
	} {
		if _, err := d.CreateUser(t.Context(), tt.user, tt.password); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
	rows, err := k.Objects(t.Context(), "user")
	if err != nil || len(rows) != 1 || strings.Contains(string(rows[ada.ID]), password) {
		t.Errorf("kept: %s, %v", rows[ada.ID], err)
	}
	if !strings.Contains(string(rows[ada.ID]), "$argon2id$v=19$m=65536,t=3,p=4$") {
		t.Errorf("the hash is of another kind: %s", rows[ada.ID])
	}
	d = open(t, k, c)
	if got, err := d.Check("Ada@"+directory.Domain, password); err != nil || got.ID != ada.ID {
		t.Errorf("signing in after a restart: %+v, %v", got, err)
	}
	for name, tt := range map[string]string{"a wrong password": "wrong", "no password": "", "a password that is too long": strings.Repeat("x", 1<<20)} {
		if _, err := d.Check(ada.Name, tt); !errors.Is(err, directory.ErrCredentials) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := d.Check(ada.ID, password); !errors.Is(err, directory.ErrCredentials) {
		t.Errorf("by object id: %v", err)
	}
	if err := d.SetPassword(t.Context(), ada.ID, "another one"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Check(ada.Name, password); !errors.Is(err, directory.ErrCredentials) {
		t.Errorf("the old password: %v", err)
	}
	if err := d.ChangeUser(t.Context(), ada.ID, func(u *directory.User) { u.Disabled = true }); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Check(ada.Name, "another one"); !errors.Is(err, directory.ErrCredentials) {
		t.Errorf("a disabled user: %v", err)
	}
	if err := d.DeleteUser(t.Context(), ada.ID); err != nil {
		t.Fatal(err)
	}
	if err := d.DeleteUser(t.Context(), ada.ID); !errors.Is(err, directory.ErrNone) {
		t.Errorf("deleting twice: %v", err)
	}
}

// A name is locked whether there is such a user or not.
func TestLockout(t *testing.T) {
	d, _, c := start(t)
	ada := user(t, d, "ada")
	for _, name := range []string{ada.Name, "nobody@" + directory.Domain} {
		for n := range 10 {
			if _, err := d.Check(name, "wrong"); !errors.Is(err, directory.ErrCredentials) {
				t.Fatalf("%s, try %d: %v", name, n, err)
			}
		}
		if _, err := d.Check(name, password); !errors.Is(err, directory.ErrLocked) {
			t.Errorf("%s after ten wrong passwords: %v", name, err)
		}
	}
	c.t = c.t.Add(61 * time.Second)
	if _, err := d.Check(ada.Name, "wrong"); !errors.Is(err, directory.ErrCredentials) {
		t.Errorf("after a minute: %v", err)
	}
	c.t = c.t.Add(61 * time.Second)
	if _, err := d.Check(ada.Name, password); !errors.Is(err, directory.ErrLocked) {
		t.Errorf("the pause does not grow: %v", err)
	}
	c.t = c.t.Add(60 * time.Second)
	if _, err := d.Check(ada.Name, password); err != nil {
		t.Errorf("after the pause: %v", err)
	}
	if _, err := d.Check(ada.Name, "wrong"); !errors.Is(err, directory.ErrCredentials) {
		t.Errorf("the count does not begin anew: %v", err)
	}
}

func TestThrottleIsBounded(t *testing.T) {
	now := time.Unix(0, 0)
	th := directory.NewThrottle(1, time.Minute)
	for n := range 50_000 {
		th.Failed(fmt.Sprint(n), now)
	}
	if !th.Refused("49999", now) || th.Refused("49999", now.Add(2*time.Minute)) {
		t.Error("the latest is not refused for a minute")
	}
}

func TestGroups(t *testing.T) {
	d, k, c := start(t)
	ada, bob := user(t, d, "ada"), user(t, d, "bob")
	group := func(name string, members ...string) directory.Group {
		g, err := d.CreateGroup(t.Context(), directory.Group{Name: name, Nickname: name, Members: members})
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	inner := group("inner", ada.ID)
	outer := group("outer", inner.ID, bob.ID)
	if err := d.ChangeGroup(t.Context(), inner.ID, func(g *directory.Group) error { // each in the other
		g.Members = append(g.Members, outer.ID)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	want := []string{inner.ID, outer.ID}
	slices.Sort(want)
	if got := d.GroupsOf(strings.ToUpper(ada.ID)); !slices.Equal(got, want) {
		t.Errorf("ada is in %v, want %v", got, want)
	}
	if _, err := d.CreateGroup(t.Context(), directory.Group{Name: "x"}); !errors.Is(err, directory.ErrBad) {
		t.Errorf("a group without a nickname: %v", err)
	}
	refused := errors.New("no")
	if err := d.ChangeGroup(t.Context(), outer.ID, func(g *directory.Group) error { g.Members = nil; return refused }); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	if err := d.DeleteUser(t.Context(), bob.ID); err != nil {
		t.Fatal(err)
	}
	if err := d.DeleteGroup(t.Context(), inner.ID); err != nil {
		t.Fatal(err)
	}
	for _, at := range []*directory.Directory{d, open(t, k, c)} {
		if g, ok := at.Group(outer.ID); !ok || len(g.Members) != 0 || len(at.Groups()) != 1 {
			t.Errorf("members that are gone: %+v", at.Groups())
		}
		if _, kind, ok := at.Known(outer.ID); !ok || kind != "Group" {
			t.Errorf("known as %q", kind)
		}
	}
}
