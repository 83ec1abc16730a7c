package fabric

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
)

// fetch makes an HTTP request from a namespace.
func fetch(t *testing.T, f *Fabric, space, at, path, body string) (int, string) {
	t.Helper()
	c, err := f.Dial(t.Context(), space, "tcp4", at)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(2 * time.Second))
	r, err := http.NewRequest(http.MethodPost, "http://"+at+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true
	if err := r.Write(c); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestMetadataKnowsWhoAsks(t *testing.T) {
	t.Parallel()
	f := build(t, twoNetworks().plan())
	err := f.ServeMetadata(t.Context(), func(n network.NIC) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.ReadAll(r.Body); err != nil {
				http.Error(w, "too much", http.StatusRequestEntityTooLarge)
				return
			}
			fmt.Fprintf(w, "%s asks for %s", n.Name, r.URL.Path)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"jump", "agent", "worker"} {
		status, body := fetch(t, f, namespaceOf(t, f, nicID(name)), "169.254.169.254:80", "/metadata/instance", "")
		if status != http.StatusOK || body != name+" asks for /metadata/instance" {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	if status, _ := fetch(t, f, namespaceOf(t, f, nicID("jump")), "169.254.169.254:80", "/", strings.Repeat("x", metadataBody+1)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a big body: %d", status)
	}
	attempts{
		{"an outsider", f.OutsiderNamespace(), "169.254.169.254:80", noRoute},
		{"a private endpoint", namespaceOf(t, f, id("privateEndpoints", "pe-blob")), "169.254.169.254:80", silent},
	}.try(t, f)
}

// One machine cannot take all connections for itself.
func TestMetadataIsSharedFairly(t *testing.T) {
	t.Parallel()
	f := build(t, twoNetworks().plan())
	err := f.ServeMetadata(t.Context(), func(network.NIC) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "ok") })
	})
	if err != nil {
		t.Fatal(err)
	}
	jump := namespaceOf(t, f, nicID("jump"))
	for range 100 {
		c, err := f.Dial(t.Context(), jump, "tcp4", "169.254.169.254:80")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	if status, _ := fetch(t, f, namespaceOf(t, f, nicID("agent")), "169.254.169.254:80", "/", ""); status != http.StatusOK {
		t.Errorf("its neighbour gets %d", status)
	}
}

// Each private endpoint is a listener of its own, also one that comes later.
func TestServeKnowsTheEndpoint(t *testing.T) {
	t.Parallel()
	h := twoNetworks()
	h.egress[nicID("jump")] = addr("203.0.113.5")
	f := build(t, h.plan())
	err := f.Serve(t.Context(), 443, func(l net.Listener, endpoint arm.ID) {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			fmt.Fprintf(c, "by %q at %s", endpoint.Name(), c.LocalAddr())
			c.Close()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	second := h.nics[len(h.nics)-1]
	second.ID = id("privateEndpoints", "pe-vault")
	second.Owner, second.Name, second.Addrs = second.ID, "pe-vault", append(second.Addrs[:0:0], addr("10.1.0.11"))
	h.nics = append(h.nics, second)
	apply(t, f, h.plan())
	for to, want := range map[string]string{
		"10.1.0.10:443":    `by "pe-blob" at 10.1.0.10:443`,
		"10.1.0.11:443":    `by "pe-vault" at 10.1.0.11:443`,
		"198.51.100.9:443": `by "" at 198.51.100.9:443`,
	} {
		if got := seenAs(t, f, namespaceOf(t, f, nicID("jump")), to); got != want {
			t.Errorf("%s: %s, want %s", to, got, want)
		}
	}
}
