package session_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/internal/cloud/session"
	"github.com/cloister-ml/cloister/internal/cloud/store"
)

// clock is a time that a test sets.
type clock struct{ t time.Time }

func (c *clock) now() time.Time       { return c.t }
func (c *clock) pass(d time.Duration) { c.t = c.t.Add(d) }
func newClock() *clock                { return &clock{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }
func grant(user string) session.Grant {
	return session.Grant{User: user, Client: "cli", Scope: "s"}
}

func keeper(t *testing.T) *store.Database {
	t.Helper()
	s, err := store.OpenSQLite(filepath.Join(t.TempDir(), "cloud.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func open(t *testing.T, k session.Keeper, c *clock) *session.Sessions {
	t.Helper()
	s, err := session.Open(t.Context(), k, c.now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func begin(t *testing.T, s *session.Sessions, g session.Grant) string {
	t.Helper()
	token, _, err := s.Begin(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestRefreshTokens(t *testing.T) {
	c, k := newClock(), keeper(t)
	s := open(t, k, c)
	redeem := func(token, client string, want error) string {
		t.Helper()
		_, next, err := s.Redeem(t.Context(), token, client)
		if !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
		return next
	}
	first := begin(t, s, grant("ada"))
	redeem(first, "other", session.ErrClient)
	redeem("1.guess", "cli", session.ErrUnknown)
	second := redeem(first, "cli", nil)

	// At the same time again, as by two processes of one program.
	c.pass(session.Grace)
	beside := redeem(first, "cli", nil)
	if beside == second || beside == first {
		t.Error("a token is given out twice")
	}
	// A restart knows the same; what is kept has no token in it.
	rows, err := k.Objects(t.Context(), "refresh")
	if err != nil || len(rows) != 3 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for id, data := range rows {
		for _, token := range []string{first, second, beside} {
			if strings.Contains(id+string(data), strings.TrimPrefix(token, "1.")) {
				t.Error("a token is kept as it is")
			}
		}
	}
	s = open(t, k, c)
	third := redeem(second, "cli", nil)

	// Used a second time after that, it was stolen: all of the family ends.
	c.pass(session.Grace + time.Second)
	redeem(first, "cli", session.ErrReused)
	for _, token := range []string{first, second, beside, third} {
		redeem(token, "cli", session.ErrUnknown)
	}

	another := begin(t, s, grant("ada"))
	kept := begin(t, s, grant("bob"))
	if err := s.End(t.Context(), "ADA"); err != nil {
		t.Fatal(err)
	}
	redeem(another, "cli", session.ErrUnknown)
	kept = redeem(kept, "cli", nil)
	c.pass(session.Lifetime + time.Second)
	redeem(kept, "cli", session.ErrUnknown)
	open(t, k, c)
	if rows, err := k.Objects(t.Context(), "refresh"); err != nil || len(rows) != 0 {
		t.Errorf("%d expired tokens are kept, %v", len(rows), err)
	}
}

// However often a token is refreshed, little is kept.
func TestFamilyIsBounded(t *testing.T) {
	c, k := newClock(), keeper(t)
	s := open(t, k, c)
	token := begin(t, s, grant("ada"))
	for range 60 {
		c.pass(time.Hour)
		var err error
		if _, token, err = s.Redeem(t.Context(), token, "cli"); err != nil {
			t.Fatal(err)
		}
	}
	if rows, err := k.Objects(t.Context(), "refresh"); err != nil || len(rows) > 25 {
		t.Errorf("%d rows are kept, %v", len(rows), err)
	}
}

func TestCodes(t *testing.T) {
	// RFC 7636, appendix B
	const verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	for _, tt := range []struct {
		name                       string
		client, redirect, verifier string
		after                      time.Duration
		want                       error
	}{
		{"right", "cli", "http://localhost", verifier, time.Minute, nil},
		{"of another client", "other", "http://localhost", verifier, 0, session.ErrCode},
		{"for another address", "cli", "http://localhost/x", verifier, 0, session.ErrCode},
		{"too late", "cli", "http://localhost", verifier, session.CodeLifetime + time.Second, session.ErrCode},
		{"without its verifier", "cli", "http://localhost", "", 0, session.ErrVerifier},
		{"with another verifier", "cli", "http://localhost", strings.Repeat("a", 43), 0, session.ErrVerifier},
		{"with its challenge as verifier", "cli", "http://localhost", challenge, 0, session.ErrVerifier},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newClock()
			codes := session.NewCodes(c.now)
			code, err := codes.Add(session.Code{Grant: grant("ada"), Redirect: "http://localhost", Challenge: challenge})
			if err != nil {
				t.Fatal(err)
			}
			c.pass(tt.after)
			if _, err := codes.Use(code, tt.client, tt.redirect, tt.verifier); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
	c := newClock()
	codes := session.NewCodes(c.now)
	for range 1000 {
		if _, err := codes.Add(session.Code{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := codes.Add(session.Code{}); !errors.Is(err, session.ErrBusy) {
		t.Errorf("codes without end: %v", err)
	}
	c.pass(session.CodeLifetime + time.Second)
	if _, err := codes.Add(session.Code{}); err != nil {
		t.Errorf("after the old ones have ended: %v", err)
	}
}

func TestDevices(t *testing.T) {
	c := newClock()
	d := session.NewDevices(c.now)
	code, user, err := d.Begin("cli", "scope")
	if err != nil {
		t.Fatal(err)
	}
	poll := func(want error) {
		t.Helper()
		if _, err := d.Poll(code, "cli"); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	poll(session.ErrPending)
	c.pass(time.Second)
	poll(session.ErrSlowDown)
	c.pass(session.Interval)
	poll(session.ErrSlowDown) // the interval is longer now
	c.pass(3 * session.Interval)
	poll(session.ErrPending)
	if _, err := d.Poll(code, "other"); !errors.Is(err, session.ErrCode) {
		t.Errorf("another client polls: %v", err)
	}
	spelt := strings.ToLower(user[:3] + "-" + user[3:])
	if got, ok := d.Waiting(spelt); !ok || got.Client != "cli" {
		t.Errorf("%s is not known as %s", user, spelt)
	}
	if _, err := d.Approve(spelt, "ada"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Approve(user, "bob"); !errors.Is(err, session.ErrCode) {
		t.Errorf("approved by another user: %v", err)
	}
	if g, err := d.Poll(code, "cli"); err != nil || g.User != "ada" || g.Scope != "scope" {
		t.Errorf("got %+v, %v", g, err)
	}
	poll(session.ErrCode)

	code, user, err = d.Begin("cli", "scope")
	if err != nil {
		t.Fatal(err)
	}
	c.pass(session.DeviceLifetime + time.Second)
	poll(session.ErrExpired)
	if _, ok := d.Waiting(user); ok {
		t.Error("an expired code can be approved")
	}
}
