package bastion

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"
)

// Login says who logs in where.
type Login struct {
	Account     string
	PrivateKey  []byte // PEM, OpenSSH's format or PKCS
	Certificate string // authorized_keys line for the key, or ""
	HostKey     string // the machine's own, which alone is accepted
}

// Session is what runs, and where its input comes from. With a Terminal, Stdin is
// one, and what runs has one too.
type Session struct {
	Command        string // "" is the login shell
	Terminal       *os.File
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// loginTime bounds the handshake.
const loginTime = 30 * time.Second

// Run logs in over a connection, runs the session and returns its exit status;
// 128 and the number of a signal that ended it.
func Run(ctx context.Context, conn net.Conn, l Login, s Session) (int, error) {
	config, err := l.config()
	if err != nil {
		conn.Close()
		return 0, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	_ = conn.SetDeadline(time.Now().Add(loginTime)) // a broken connection fails in the handshake
	c, channels, requests, err := ssh.NewClientConn(conn, "machine", config)
	if err != nil {
		conn.Close()
		return 0, loginError(l.Account, err)
	}
	_ = conn.SetDeadline(time.Time{})
	client := ssh.NewClient(c, channels, requests)
	defer client.Close()
	status, err := s.run(client)
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	return status, err
}

func loginError(account string, err error) error {
	if strings.Contains(err.Error(), "unable to authenticate") {
		return fmt.Errorf("the machine does not let %s in with this key", account)
	}
	return fmt.Errorf("logging in as %s: %w", account, err)
}

func (l Login) config() (*ssh.ClientConfig, error) {
	signer, err := ssh.ParsePrivateKey(l.PrivateKey)
	if err != nil {
		var locked *ssh.PassphraseMissingError
		if errors.As(err, &locked) {
			return nil, errors.New("the private key has a passphrase: use `cloister bastion tunnel` and ssh with its agent")
		}
		return nil, errors.New("the private key cannot be read")
	}
	if l.Certificate != "" {
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(l.Certificate))
		if err != nil {
			return nil, fmt.Errorf("the certificate: %w", err)
		}
		cert, ok := key.(*ssh.Certificate)
		if !ok {
			return nil, errors.New("what should be a certificate is a key")
		}
		if signer, err = ssh.NewCertSigner(cert, signer); err != nil {
			return nil, fmt.Errorf("the certificate: %w", err)
		}
	}
	host, _, _, _, err := ssh.ParseAuthorizedKey([]byte(l.HostKey))
	if err != nil {
		return nil, fmt.Errorf("the machine's host key: %w", err)
	}
	return &ssh.ClientConfig{
		User: l.Account, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback: ssh.FixedHostKey(host), HostKeyAlgorithms: []string{host.Type()},
	}, nil
}

func (s Session) run(client *ssh.Client) (int, error) {
	session, err := client.NewSession()
	if err != nil {
		return 0, fmt.Errorf("opening a session: %w", err)
	}
	defer session.Close()
	session.Stdout, session.Stderr = s.Stdout, s.Stderr
	// Not session.Stdin: Wait would wait for input that may never end.
	in, err := session.StdinPipe()
	if err != nil {
		return 0, err
	}
	if s.Terminal != nil {
		restore, err := s.terminal(session)
		if err != nil {
			return 0, err
		}
		defer restore()
	}
	if s.Command == "" {
		err = session.Shell()
	} else {
		err = session.Start(s.Command)
	}
	if err != nil {
		return 0, fmt.Errorf("starting: %w", err)
	}
	go func() {
		if s.Stdin != nil {
			_, _ = io.Copy(in, s.Stdin) // the process may not want all of it
		}
		in.Close()
	}()
	return status(session.Wait())
}

func status(err error) (int, error) {
	var exit *ssh.ExitError
	switch {
	case err == nil:
		return 0, nil
	case !errors.As(err, &exit):
		return 0, fmt.Errorf("the connection to the machine was lost: %w", err)
	case exit.Signal() == "":
		return exit.ExitStatus(), nil
	}
	if n := unix.SignalNum("SIG" + exit.Signal()); n != 0 {
		return 128 + int(n), nil
	}
	return 255, nil
}

// terminal asks for a terminal of the same size, makes the user's own raw, and
// follows its size.
func (s Session) terminal(session *ssh.Session) (restore func(), err error) {
	fd := int(s.Terminal.Fd())
	rows, columns := size(fd)
	name := os.Getenv("TERM")
	if name == "" {
		name = "xterm"
	}
	if err := session.RequestPty(name, rows, columns, ssh.TerminalModes{}); err != nil {
		return nil, fmt.Errorf("asking for a terminal: %w", err)
	}
	unraw, err := makeRaw(fd)
	if err != nil {
		return nil, fmt.Errorf("setting the terminal: %w", err)
	}
	changes := make(chan os.Signal, 1)
	signal.Notify(changes, unix.SIGWINCH)
	go func() {
		for range changes {
			rows, columns := size(fd)
			_ = session.WindowChange(rows, columns) // the session has ended
		}
	}()
	return func() {
		signal.Stop(changes)
		close(changes)
		unraw()
	}, nil
}

func size(fd int) (rows, columns int) {
	w, err := unix.IoctlGetWinsize(fd, unix.TIOCGWINSZ)
	if err != nil || w.Col == 0 {
		return 24, 80
	}
	return int(w.Row), int(w.Col)
}

// makeRaw hands every key to the other side, as cfmakeraw(3) does.
func makeRaw(fd int) (restore func(), err error) {
	old, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, err
	}
	raw := *old
	raw.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	raw.Oflag &^= unix.OPOST
	raw.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	raw.Cflag &^= unix.CSIZE | unix.PARENB
	raw.Cflag |= unix.CS8
	raw.Cc[unix.VMIN], raw.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &raw); err != nil {
		return nil, err
	}
	return func() { _ = unix.IoctlSetTermios(fd, unix.TCSETS, old) }, nil // the terminal may be gone
}
