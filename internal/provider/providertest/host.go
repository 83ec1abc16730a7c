package providertest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/verdict"
)

// Host is a cloud.Host for tests.
type Host struct {
	t   testing.TB
	dir string

	mu        sync.Mutex
	resources map[string]arm.Resource
	tokens    map[string]token
	grants    []Grant
}

type token struct {
	caller   cloud.Caller
	audience string
}

// Grant lets a principal do actions (a trailing * stands for any rest) at a scope
// and below.
type Grant struct {
	Principal string // object id
	Action    string
	Scope     arm.ID
}

// NewHost makes a host with documents, whose folder goes with the test.
func NewHost(t testing.TB, resources ...arm.Resource) *Host {
	h := &Host{t: t, dir: t.TempDir(), resources: map[string]arm.Resource{}, tokens: map[string]token{}}
	for _, r := range resources {
		h.Put(r)
	}
	return h
}

// Put adds or replaces a document.
func (h *Host) Put(r arm.Resource) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.resources[r.ID.Key()] = r
}

// Grant adds a grant.
func (h *Host) Grant(principal, action string, scope arm.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.grants = append(h.grants, Grant{principal, action, scope})
}

// Revoke takes every grant from a principal.
func (h *Host) Revoke(principal string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.grants = slices.DeleteFunc(h.grants, func(g Grant) bool { return g.Principal == principal })
}

// Issue makes a token of a caller for an audience.
func (h *Host) Issue(c cloud.Caller, audience string) string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	text := hex.EncodeToString(b[:])
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tokens[text] = token{c, strings.TrimSuffix(audience, "/")}
	return text
}

// Credential is an SDK credential that issues c's tokens for whatever is asked.
func (h *Host) Credential(c cloud.Caller) azcore.TokenCredential { return credential{h, c} }

type credential struct {
	host   *Host
	caller cloud.Caller
}

func (c credential) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if len(o.Scopes) != 1 {
		return azcore.AccessToken{}, fmt.Errorf("%d scopes", len(o.Scopes))
	}
	audience := strings.TrimSuffix(strings.TrimSuffix(o.Scopes[0], ".default"), "/")
	return azcore.AccessToken{Token: c.host.Issue(c.caller, audience), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// Get implements cloud.View.
func (h *Host) Get(id arm.ID) (arm.Resource, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r, ok := h.resources[id.Key()]
	return r, ok
}

// Estate implements cloud.View.
func (h *Host) Estate() *arm.Estate {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]arm.Resource, 0, len(h.resources))
	for _, r := range h.resources {
		all = append(all, r)
	}
	e, err := arm.NewEstate(all...)
	if err != nil {
		h.t.Fatal(err)
	}
	return e
}

// Authenticate implements cloud.Host.
func (h *Host) Authenticate(r *http.Request, audiences ...string) (cloud.Caller, error) {
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return cloud.Caller{}, errors.New("there is no bearer token")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	found, ok := h.tokens[text]
	if !ok {
		return cloud.Caller{}, errors.New("the token is not ours")
	}
	for _, a := range audiences {
		if strings.EqualFold(strings.TrimSuffix(a, "/"), found.audience) {
			return found.caller, nil
		}
	}
	return cloud.Caller{}, fmt.Errorf("the token is for %s", found.audience)
}

// Authorize implements cloud.Host.
func (h *Host) Authorize(c cloud.Caller, action string, _ bool, scope arm.ID) verdict.Verdict {
	h.mu.Lock()
	defer h.mu.Unlock()
	var v verdict.Verdict
	for _, g := range h.grants {
		prefix, wild := strings.CutSuffix(g.Action, "*")
		matches := strings.EqualFold(g.Action, action) || (wild && strings.HasPrefix(strings.ToLower(action), strings.ToLower(prefix)))
		if g.Principal == c.ObjectID && matches && scope.Within(g.Scope) {
			v.Add(verdict.Step{At: "role", Value: verdict.Yes, Reason: g.Action})
			return v
		}
	}
	v.Add(verdict.Step{At: "role assignments", Value: verdict.No, Reason: c.ObjectID + " has no role that allows " + action})
	return v
}

// Tenant implements cloud.Host.
func (h *Host) Tenant() string { return "11111111-1111-1111-1111-111111111111" }

// Client implements cloud.Host; no provider under test calls another service.
func (h *Host) Client(arm.ID) *http.Client { return http.DefaultClient }

// Token implements cloud.Host.
func (h *Host) Token(_ context.Context, identity arm.ID, resource string) (string, error) {
	return h.Issue(cloud.Caller{ObjectID: arm.PrincipalID(identity), Resource: identity}, resource), nil
}

// Dir implements cloud.Host.
func (h *Host) Dir(name string) string {
	dir := filepath.Join(h.dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		h.t.Fatal(err)
	}
	return dir
}

// Log implements cloud.Host: what is logged is the test's log.
func (h *Host) Log() *slog.Logger {
	return slog.New(slog.NewTextHandler(logWriter{h.t}, nil))
}

type logWriter struct{ t testing.TB }

func (w logWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}
