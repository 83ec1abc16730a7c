package daemon

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"

	"github.com/cloister-ml/cloister/internal/fabric"
	"github.com/cloister-ml/cloister/service"
)

// resolverEnv names the DNS server that a process started by [RunFrom] asks.
const resolverEnv = "CLOISTER_RESOLVER"

// RunFrom runs this program once more with args, in the network and with the
// managed identity of a machine, but with this host's files. An empty name takes
// the first virtual machine. It returns the exit status.
func RunFrom(ctx context.Context, c *Client, name string, args []string, stdin io.Reader, stdout, stderr io.Writer) (int, error) {
	if c.elsewhere() {
		return c.inside(ctx, args, stdin, stdout, stderr)
	}
	s, err := c.Status(ctx)
	if err != nil {
		return 0, err
	}
	m, err := s.machine(name)
	if err != nil {
		return 0, err
	}
	f, err := fabric.New(fabric.Options{Name: c.State.Name})
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe", args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, stderr
	cmd.Env = append(os.Environ(), resolverEnv+"="+net.JoinHostPort(service.WireServer.String(), "53"), "SSL_CERT_FILE="+c.State.Bundle)
	if err := f.Within(m.Namespace, cmd.Start); err != nil {
		return 0, err
	}
	err = cmd.Wait()
	if cmd.ProcessState != nil && cmd.ProcessState.Exited() {
		return cmd.ProcessState.ExitCode(), nil
	}
	return 0, err
}

// machine finds a running machine with an identity by name; "" is the first.
func (s Status) machine(name string) (Machine, error) {
	var known []string
	for _, m := range s.Machines {
		if m.Kind != "virtual machine" || !m.Running {
			continue
		}
		if name == "" || m.Name == name {
			return m, nil
		}
		known = append(known, m.Name)
	}
	return Machine{}, fmt.Errorf("no virtual machine %q runs; there are %s", name, strings.Join(known, ", "))
}

// AdoptResolver makes a process that RunFrom has started resolve names as the
// machine does, and reports whether it is one.
func AdoptResolver() bool {
	server := os.Getenv(resolverEnv)
	if server == "" {
		return false
	}
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server)
	}}
	return true
}
