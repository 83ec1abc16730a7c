package sshd

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/cloister-ml/cloister/internal/bastion"
)

// world is a server on the loopback, its machine's name, and who may enter.
type world struct {
	address   string
	authority []byte
	hostKey   string
	key       []byte
	keyLine   string
}

const account0 = "tester"

func newWorld(t *testing.T) world {
	t.Helper()
	var w world
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	host, hostLine, err := bastion.NewKey()
	must(err)
	authority, authorityLine, err := bastion.NewKey()
	must(err)
	w.key, w.keyLine, err = bastion.NewKey()
	must(err)
	w.authority, w.hostKey = authority, hostLine
	root := t.TempDir()
	must(os.MkdirAll(filepath.Join(root, "etc"), 0o755))
	line := fmt.Sprintf("%s:x:%d:%d::%s:/bin/sh\n", account0, os.Getuid(), os.Getgid(), root)
	must(os.WriteFile(filepath.Join(root, "etc/passwd"), []byte(line), 0o644))
	server, err := newServer(Config{
		HostKey: string(host), Machine: "vm1", Authority: authorityLine, Keys: map[string][]string{account0: {w.keyLine}},
	}, slog.New(slog.DiscardHandler), root)
	must(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	w.address = l.Addr().String()
	go func() { _ = server.Serve(t.Context(), l) }()
	return w
}

func (w world) run(t *testing.T, l bastion.Login, s bastion.Session) (int, error) {
	t.Helper()
	c, err := net.Dial("tcp", w.address)
	if err != nil {
		t.Fatal(err)
	}
	return bastion.Run(t.Context(), c, l, s)
}

func (w world) byKey() bastion.Login {
	return bastion.Login{Account: account0, PrivateKey: w.key, HostKey: w.hostKey}
}

func TestCommands(t *testing.T) {
	w := newWorld(t)
	tests := []struct {
		name, command, in string
		status            int
		out, err          string
	}{
		{name: "the exit status is kept", command: "exit 7", status: 7},
		{name: "a signal is 128 and its number", command: "kill -9 $$", status: 137},
		{name: "input and both outputs", command: "cat; echo oops >&2", in: "hello", out: "hello", err: "oops\n"},
		{name: "the account's home and name", command: "echo $USER; test $PWD = $HOME && echo home", out: account0 + "\nhome\n"},
		{name: "no command is a shell that reads its input", in: "echo from a shell; exit 3\n", out: "from a shell\n", status: 3},
		{name: "without a terminal there is none", command: "test -t 0 || echo none", out: "none\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			status, err := w.run(t, w.byKey(), bastion.Session{Command: tt.command, Stdin: strings.NewReader(tt.in), Stdout: &out, Stderr: &errs})
			if err != nil || status != tt.status || out.String() != tt.out || errs.String() != tt.err {
				t.Errorf("status %d, error %v, out %q, err %q; want %d, %q, %q", status, err, out.String(), errs.String(), tt.status, tt.out, tt.err)
			}
		})
	}
}

func TestWhoIsLetIn(t *testing.T) {
	w := newWorld(t)
	other, _, err := bastion.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	certify := func(authority []byte, principal string, at time.Time) string {
		cert, err := bastion.Certify(authority, w.keyLine, principal, "somebody", at)
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	now := time.Now()
	tests := []struct {
		name    string
		login   bastion.Login
		refused bool
	}{
		{"a key of the account", w.byKey(), false},
		{"another key", bastion.Login{Account: account0, PrivateKey: other}, true},
		{"a certificate for the account on this machine", bastion.Login{Account: account0, PrivateKey: w.key, Certificate: certify(w.authority, Principal(account0, "vm1"), now)}, false},
		{"a certificate for another machine", bastion.Login{Account: account0, PrivateKey: w.key, Certificate: certify(w.authority, Principal(account0, "vm2"), now)}, true},
		{"a certificate for another account", bastion.Login{Account: account0, PrivateKey: w.key, Certificate: certify(w.authority, Principal("root", "vm1"), now)}, true},
		{"a certificate that has run out", bastion.Login{Account: account0, PrivateKey: w.key, Certificate: certify(w.authority, Principal(account0, "vm1"), now.Add(-time.Hour))}, true},
		{"a certificate of another authority", bastion.Login{Account: account0, PrivateKey: w.key, Certificate: certify(other, Principal(account0, "vm1"), now)}, true},
		{"an account that cannot be one", bastion.Login{Account: "../x", PrivateKey: w.key, Certificate: certify(w.authority, Principal("../x", "vm1"), now)}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.login.HostKey = w.hostKey
			_, err := w.run(t, tt.login, bastion.Session{Command: "true"})
			if (err != nil) != tt.refused {
				t.Errorf("error %v, want refused %v", err, tt.refused)
			}
		})
	}
	t.Run("another host is not spoken to", func(t *testing.T) {
		_, line, err := bastion.NewKey()
		if err != nil {
			t.Fatal(err)
		}
		l := w.byKey()
		l.HostKey = line
		if _, err := w.run(t, l, bastion.Session{Command: "true"}); err == nil {
			t.Error("it logged in")
		}
	})
}

// dial is a plain client, for what the tests need beyond a session.
func (w world) dial(t *testing.T) *ssh.Client {
	t.Helper()
	signer, err := ssh.ParsePrivateKey(w.key)
	if err != nil {
		t.Fatal(err)
	}
	host, _, _, _, err := ssh.ParseAuthorizedKey([]byte(w.hostKey))
	if err != nil {
		t.Fatal(err)
	}
	c, err := ssh.Dial("tcp", w.address, &ssh.ClientConfig{User: account0, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyCallback: ssh.FixedHostKey(host)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestATerminalHasASizeThatFollows(t *testing.T) {
	s, err := newWorld(t).dial(t).NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.RequestPty("vt100", 31, 101, ssh.TerminalModes{}); err != nil {
		t.Fatal(err)
	}
	in, err := s.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start("stty size; echo $TERM; read line; stty size; exit 5"); err != nil {
		t.Fatal(err)
	}
	got := readUntil(t, out, "vt100")
	if !strings.Contains(got, "31 101") {
		t.Errorf("it began with %q, want a size of 31 101", got)
	}
	if err := s.WindowChange(40, 120); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write([]byte("go\n")); err != nil {
		t.Fatal(err)
	}
	readUntil(t, out, "40 120")
	var exit *ssh.ExitError
	if err := s.Wait(); !errors.As(err, &exit) || exit.ExitStatus() != 5 {
		t.Errorf("it ended with %v, want status 5", err)
	}
}

func readUntil(t *testing.T, r interface{ Read([]byte) (int, error) }, want string) string {
	t.Helper()
	var got []byte
	buf := make([]byte, 1024)
	for !bytes.Contains(got, []byte(want)) {
		n, err := r.Read(buf)
		got = append(got, buf[:n]...)
		if err != nil && !bytes.Contains(got, []byte(want)) {
			t.Fatalf("it ended with %q, without %q: %v", got, want, err)
		}
	}
	return string(got)
}

func TestForwardedConnections(t *testing.T) {
	c := newWorld(t).dial(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = conn.Write([]byte("behind"))
		conn.Close()
	}()
	conn, err := c.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := readUntil(t, conn, "behind"); got != "behind" {
		t.Errorf("got %q", got)
	}
}

func TestAccountsAreMadeOnce(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("making accounts needs root")
	}
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "etc/passwd"), []byte("root:x:0:0::/root:/bin/sh\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	a := &accounts{root: root}
	first, err := a.need("ada")
	if err != nil {
		t.Fatal(err)
	}
	second, err := a.need("bob")
	if err != nil {
		t.Fatal(err)
	}
	again, err := a.need("ada")
	if err != nil || again != first || second.uid == first.uid || first.uid < firstUID {
		t.Errorf("ada is %+v and then %+v, bob %+v, error %v", first, again, second, err)
	}
}
