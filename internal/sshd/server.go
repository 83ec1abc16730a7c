package sshd

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

const (
	// handshakeTime is OpenSSH's LoginGraceTime.
	handshakeTime  = 2 * time.Minute
	maxConnections = 64
	maxChannels    = 32 // of one connection
	outputDelay    = 2 * time.Second
	dialTime       = 20 * time.Second
)

// Server is an SSH server. Its methods may be called at the same time.
type Server struct {
	door     door
	log      *slog.Logger
	accounts *accounts
}

// New makes a server, and the accounts that have keys.
func New(c Config, log *slog.Logger) (*Server, error) { return newServer(c, log, "") }

func newServer(c Config, log *slog.Logger, root string) (*Server, error) {
	d, err := c.door()
	if err != nil {
		return nil, err
	}
	s := &Server{door: d, log: log, accounts: &accounts{root: root}}
	for name := range d.keys {
		if _, err := s.accounts.need(name); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Serve answers connections until ctx ends or the listener fails.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	context.AfterFunc(ctx, func() { l.Close() })
	free := make(chan struct{}, maxConnections)
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		c, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		select {
		case free <- struct{}{}:
		default:
			c.Close() // too many are logged in
			continue
		}
		wg.Go(func() {
			defer func() { <-free }()
			stop := context.AfterFunc(ctx, func() { c.Close() })
			defer stop()
			s.connection(c)
		})
	}
}

func (s *Server) connection(c net.Conn) {
	defer c.Close()
	config := &ssh.ServerConfig{
		ServerVersion: "SSH-2.0-Cloister",
		MaxAuthTries:  6,
		PublicKeyCallback: func(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			label, err := s.door.admit(meta.User(), key)
			if err != nil {
				return nil, err
			}
			return &ssh.Permissions{Extensions: map[string]string{"label": label}}, nil
		},
	}
	config.AddHostKey(s.door.host)
	_ = c.SetDeadline(time.Now().Add(handshakeTime)) // a broken connection fails in the handshake
	conn, channels, requests, err := ssh.NewServerConn(c, config)
	if err != nil {
		if !errors.Is(err, io.EOF) {
			s.log.Info("login refused", "from", c.RemoteAddr().String(), "error", err)
		}
		return
	}
	_ = c.SetDeadline(time.Time{})
	s.log.Info("login", "account", conn.User(), "from", c.RemoteAddr().String(), "by", conn.Permissions.Extensions["label"])
	user, err := s.accounts.need(conn.User())
	if err != nil {
		s.log.Error("making an account", "account", conn.User(), "error", err)
		return
	}
	go ssh.DiscardRequests(requests)
	s.channels(user, channels)
	s.log.Info("logout", "account", conn.User(), "from", c.RemoteAddr().String())
}

func (s *Server) channels(user account, channels <-chan ssh.NewChannel) {
	free := make(chan struct{}, maxChannels)
	var wg sync.WaitGroup
	defer wg.Wait()
	for asked := range channels {
		select {
		case free <- struct{}{}:
		default:
			_ = asked.Reject(ssh.ResourceShortage, "too many channels")
			continue
		}
		wg.Go(func() {
			defer func() { <-free }()
			s.open(user, asked)
		})
	}
}

func (s *Server) open(user account, asked ssh.NewChannel) {
	switch asked.ChannelType() {
	case "session":
		channel, requests, err := asked.Accept()
		if err != nil {
			return
		}
		one := &session{server: s, user: user, channel: channel}
		one.serve(requests)
	case "direct-tcpip":
		s.forward(asked)
	default:
		_ = asked.Reject(ssh.UnknownChannelType, "not offered")
	}
}

// forward connects a channel to an address, from the machine (RFC 4254, section
// 7.2): a jump host is for that.
func (s *Server) forward(asked ssh.NewChannel) {
	to, ok := decode[forwardRequest](asked.ExtraData())
	if !ok || to.Port > 0xffff {
		_ = asked.Reject(ssh.ConnectionFailed, "not an address")
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), dialTime)
	defer cancel()
	there, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port))))
	if err != nil {
		_ = asked.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	defer there.Close()
	here, requests, err := asked.Accept()
	if err != nil {
		return
	}
	defer here.Close()
	go ssh.DiscardRequests(requests)
	var wg sync.WaitGroup
	wg.Go(func() {
		_, _ = io.Copy(there, here) // either end may close
		if half, ok := there.(*net.TCPConn); ok {
			_ = half.CloseWrite()
		}
	})
	wg.Go(func() {
		_, _ = io.Copy(here, there)
		_ = here.CloseWrite()
	})
	wg.Wait()
}
