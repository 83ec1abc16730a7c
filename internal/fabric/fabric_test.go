package fabric

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/arm"
)

// build applies a plan in a cloud of the test's own, and removes it afterwards.
func build(t testing.TB, p Plan) *Fabric {
	t.Helper()
	if lacks := Check(); len(lacks) > 0 {
		t.Skip("this host cannot build networks: " + strings.Join(lacks, "; "))
	}
	f, err := New(Options{Name: testName(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Remove(context.Background()); err != nil {
			t.Error(err)
		}
		left, err := namespacesOf(f.prefix())
		if err != nil || len(left) > 0 {
			t.Errorf("left behind: %v %v", left, err)
		}
	})
	apply(t, f, p)
	return f
}

var clouds atomic.Int32

// testName is a cloud's name that no other process uses.
func testName() string { return fmt.Sprintf("t%dx%d", os.Getpid(), clouds.Add(1)) }

func apply(t testing.TB, f *Fabric, p Plan) Changes {
	t.Helper()
	changes, err := f.Apply(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

// What a connection attempt came to.
const (
	open    = "open"    // somebody answered
	refused = "refused" // the target's kernel answered that nobody listens
	silent  = "silent"  // nothing came back
	noRoute = "no route"
)

// patience is how long an attempt waits for an answer on this machine.
const patience = 400 * time.Millisecond

// connect tries a TCP connection from a namespace.
func connect(f *Fabric, from, to string) string { return connectWithin(f, patience, from, to) }

func connectWithin(f *Fabric, wait time.Duration, from, to string) string {
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	c, err := f.Dial(ctx, from, "tcp", to)
	var timeout net.Error
	switch {
	case err == nil:
		c.Close()
		return open
	case errors.Is(err, syscall.ECONNREFUSED):
		return refused
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EACCES): // the last by IPv6
		return noRoute
	case errors.As(err, &timeout) && timeout.Timeout():
		return silent
	}
	return err.Error()
}

func namespaceOf(t testing.TB, f *Fabric, nic arm.ID) string {
	t.Helper()
	name, ok := f.Namespace(nic)
	if !ok {
		t.Fatalf("%s has no namespace", nic)
	}
	return name
}

// echo listens in a namespace and says to each caller which address it sees.
func echo(t testing.TB, f *Fabric, space, at string) {
	t.Helper()
	l, err := f.Listen(t.Context(), space, "tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
			local, _, _ := net.SplitHostPort(c.LocalAddr().String())
			fmt.Fprintf(c, "%s at %s", host, local)
			c.Close()
		}
	}()
}

// seenAs connects and returns what echo said.
func seenAs(t testing.TB, f *Fabric, from, to string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	c, err := f.Dial(ctx, from, "tcp", to)
	if err != nil {
		return err.Error()
	}
	defer c.Close()
	var b [64]byte
	_ = c.SetReadDeadline(time.Now().Add(time.Second))
	n, _ := c.Read(b[:])
	return string(b[:n])
}

func TestConnections(t *testing.T) {
	t.Parallel()
	h := twoNetworks()
	f := build(t, h.plan())
	jump, agent, worker, remote := namespaceOf(t, f, nicID("jump")), namespaceOf(t, f, nicID("agent")), namespaceOf(t, f, nicID("worker")), namespaceOf(t, f, nicID("remote"))
	blob := namespaceOf(t, f, id("privateEndpoints", "pe-blob"))
	echo(t, f, blob, "10.1.0.10:443")
	echo(t, f, worker, ":443")
	attempts{
		{"within a subnet", jump, "10.1.0.5:22", refused},
		{"over a peering", jump, "10.2.0.4:443", open},
		{"and back", worker, "10.1.0.5:22", refused},
		{"a private endpoint", agent, "10.1.0.10:443", open},
		{"a private endpoint over a peering", worker, "10.1.0.10:443", open},
		{"peerings are not transitive", worker, "10.3.0.4:22", noRoute},
		{"an address that nobody has", jump, "10.1.0.77:22", noRoute},
		{"the internet without a public address", jump, "198.51.100.9:443", noRoute},
		{"a private endpoint starts nothing", blob, "10.1.0.5:22", silent},
		{"the gateway is no machine", jump, "10.1.0.1:22", silent},
		{"the far network", remote, "10.1.0.4:22", refused},
		{"an outsider", f.OutsiderNamespace(), "10.1.0.4:22", noRoute},
	}.try(t, f)
}
