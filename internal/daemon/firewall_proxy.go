package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"

	"github.com/cloister-ml/cloister/internal/fabric/sieve"
)

const (
	// proxyListener is the descriptor of the listener that a proxy is started with.
	proxyListener = 3
	maxConfig     = 16 << 20
	lookupTime    = 5 * time.Second
)

// RunProxy is the process of a firewall's proxy: it reads what it is to do, gives
// up all that it does not need, and serves until it is killed. What it decides it
// writes to out, a line (JSON) for each connection.
func RunProxy(ctx context.Context, config io.Reader, out io.Writer) error {
	var c proxyConfig
	rules := json.NewDecoder(io.LimitReader(config, maxConfig))
	if err := rules.Decode(&c); err != nil {
		return fmt.Errorf("reading the rules: %w", err)
	}
	file := os.NewFile(proxyListener, "listener")
	l, err := net.FileListener(file)
	if err != nil {
		return fmt.Errorf("taking the listener: %w", err)
	}
	file.Close()
	if err := shutIn(c.Root); err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, config)
		l.Close() // the cloud is gone
	}()
	var mu sync.Mutex
	lines := json.NewEncoder(out)
	p := sieve.Proxy{
		Rules: c.Rules,
		Log: func(d sieve.Decision) {
			mu.Lock()
			defer mu.Unlock()
			if err := lines.Encode(d); err != nil {
				l.Close()
			}
		},
		Dial: func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp4", to.String())
		},
		Resolve: func(ctx context.Context, host string) ([]netip.Addr, error) { return lookup(ctx, c.Resolver, host) },
	}
	return p.Serve(ctx, l)
}

// shutIn leaves a process an empty folder for its files, no rights, and of the
// kernel what a proxy needs.
func shutIn(root string) error {
	_, _, bare := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0)
	if bare != 0 {
		return fmt.Errorf("giving up new privileges: %w", bare)
	}
	if err := errors.Join(unix.Chroot(root), unix.Chdir("/")); err != nil {
		return fmt.Errorf("going into %s: %w", root, err)
	}
	err := errors.Join(syscall.Setgroups(nil), syscall.Setresgid(nobody, nobody, nobody), syscall.Setresuid(nobody, nobody, nobody))
	if err != nil {
		return fmt.Errorf("giving up root: %w", err)
	}
	return seal()
}

// lookup asks a DNS server for a name's IPv4 addresses.
func lookup(ctx context.Context, server netip.AddrPort, host string) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	q := new(dns.Msg).SetQuestion(dns.Fqdn(host), dns.TypeA)
	answer, _, err := new(dns.Client).ExchangeContext(ctx, q, server.String())
	if err != nil {
		return nil, fmt.Errorf("resolving %s: %w", host, err)
	}
	var out []netip.Addr
	for _, rr := range answer.Answer {
		if a, ok := rr.(*dns.A); ok {
			if addr, ok := netip.AddrFromSlice(a.A.To4()); ok {
				out = append(out, addr)
			}
		}
	}
	return out, nil
}
