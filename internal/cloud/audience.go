package cloud

import (
	"errors"
	"strings"
	"sync"
)

// errAudience says that tokens are not given out for a resource.
var errAudience = errors.New("no such resource principal in the tenant")

// The audiences of ARM's own tokens.
var managementAudiences = []string{"https://management.azure.com", "https://management.core.windows.net"}

// audiences are what a token can be for.
type audiences struct {
	mu    sync.RWMutex
	own   []string // the addresses at which this cloud serves ARM itself
	fixed []string
}

func newAudiences() *audiences {
	return &audiences{fixed: append([]string{
		"https://storage.azure.com",
		"https://vault.azure.net",
		"https://ml.azure.com",
		"https://containerregistry.azure.net",
		"https://monitor.azure.com",
		"https://api.applicationinsights.io",
		"https://api.loganalytics.io",
		"https://graph.microsoft.com",
		exchangeAudience,
		"499b84ac-1321-427f-aa17-267ca6975798", // Azure DevOps
		"https://app.vssps.visualstudio.com",
	}, managementAudiences...)}
}

// serve adds an address of the cloud's own, as https://127.0.0.1:8443.
func (a *audiences) serve(address string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.own = append(a.own, address)
}

func (a *audiences) management() []string {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return append(append([]string(nil), managementAudiences...), a.own...)
}

// address is where the cloud is served on the host, or "".
func (a *audiences) address() string {
	a.mu.RLock()
	defer a.mu.RUnlock()
	for _, s := range a.own {
		if strings.HasPrefix(s, "https://127.0.0.1:") {
			return s
		}
	}
	return ""
}

// known reports whether tokens are given out for an audience, compared without a
// trailing slash.
func (a *audiences) known(audience string) bool {
	audience = strings.TrimRight(audience, "/")
	a.mu.RLock()
	defer a.mu.RUnlock()
	for _, list := range [][]string{a.fixed, a.own} {
		for _, known := range list {
			if strings.EqualFold(known, audience) {
				return true
			}
		}
	}
	return false
}
