package daemon

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/fabric"
	"github.com/cloister-ml/cloister/internal/fabric/sieve"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/privatedns"
	"github.com/cloister-ml/cloister/service"
)

// nobody is the user and group that owns nothing.
const nobody = 65534

// serveFirewalls runs what Azure Firewalls do beside what the kernel does: their
// proxies, their DNS, their logs.
func (d *Daemon) serveFirewalls(ctx context.Context) error {
	if err := os.MkdirAll(d.emptyDir(), 0o555); err != nil {
		return err
	}
	return errors.Join(
		d.fabric.ServeGuardDNS(ctx, func(server netip.Addr, name string) privatedns.Answer { return d.view().names.ResolveAt(server, name) }),
		d.fabric.ServeGuards(ctx, d.startProxy),
		d.fabric.WatchGuards(ctx, func(g fabric.Guard, e fabric.GuardEvent) { d.guards.add(networkRecord(g, e)) }),
	)
}

// emptyDir is all that a firewall's proxy sees of the host's files.
func (d *Daemon) emptyDir() string { return filepath.Join(d.options.Dir, "empty") }

// firewallNames are the addresses that a firewall finds for a name: its own DNS
// proxy's where it is one, else its network's.
func (w *world) firewallNames(fw *network.Firewall, vnet arm.ID, name string) []netip.Addr {
	if fw.DNSProxy {
		return w.names.ResolveAt(fw.Private, name).Addrs
	}
	return w.names.Resolve(vnet, name).Addrs
}

// proxyConfig is what a firewall's proxy is told at its standard input.
type proxyConfig struct {
	Root     string         `json:"root"` // the folder that it shuts itself into
	Resolver netip.AddrPort `json:"resolver"`
	Rules    []sieve.Rule   `json:"rules"`
}

// startProxy runs a firewall's proxy as a process of its own, which reads what
// workloads say and may do nothing but connect within the firewall's namespace.
func (d *Daemon) startProxy(g fabric.Guard, namespace string, l net.Listener) (func(), error) {
	defer l.Close()
	file, err := l.(*net.TCPListener).File()
	if err != nil {
		return nil, fmt.Errorf("handing over the listener: %w", err)
	}
	defer file.Close()
	resolver := service.WireServer
	if g.DNSProxy {
		resolver = g.Private
	}
	config, err := json.Marshal(proxyConfig{Root: d.emptyDir(), Resolver: netip.AddrPortFrom(resolver, 53), Rules: g.Proxied})
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("/proc/self/exe", "firewall", "proxy")
	cmd.Dir, cmd.Env, cmd.ExtraFiles = "/", []string{}, []*os.File{file}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	in, err := cmd.StdinPipe() // it stays open: the proxy ends when we do
	if err != nil {
		return nil, err
	}
	if err := d.fabric.Within(namespace, cmd.Start); err != nil {
		return nil, fmt.Errorf("starting the proxy: %w", err)
	}
	if _, err := in.Write(config); err != nil {
		return nil, errors.Join(fmt.Errorf("telling the proxy its rules: %w", err), cmd.Process.Kill(), cmd.Wait())
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.readDecisions(g, out)
		err := cmd.Wait()
		d.log.Debug("a firewall's proxy has ended", "firewall", g.Firewall, "error", err)
	}()
	return func() { _ = cmd.Process.Kill(); <-done }, nil
}

// maxDecision bounds a line of the proxy.
const maxDecision = 64 << 10

func (d *Daemon) readDecisions(g fabric.Guard, out io.Reader) {
	lines := bufio.NewScanner(out)
	lines.Buffer(make([]byte, 4096), maxDecision)
	for lines.Scan() {
		var one sieve.Decision
		if json.Unmarshal(lines.Bytes(), &one) == nil {
			d.guards.add(applicationRecord(g, one))
		}
	}
	_, _ = io.Copy(io.Discard, out) // what follows a line that is too long
}

// getFirewallLog answers what firewalls have done.
func (d *Daemon) getFirewallLog(w http.ResponseWriter, r *http.Request) {
	cloud.WriteJSON(w, http.StatusOK, d.guards.list(r.URL.Query().Get("name")))
}

// FirewallLog is what firewalls have done with new connections, the oldest first;
// of one by its name, or of all.
func (c *Client) FirewallLog(ctx context.Context, name string) (out []FirewallRecord, err error) {
	err = c.do(ctx, http.MethodGet, "/firewall/log?name="+url.QueryEscape(name), nil, &out)
	return out, err
}
