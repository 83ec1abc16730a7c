package postgrestest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a running server.
type Server struct {
	dir  string
	bin  string
	run  *exec.Cmd
	mu   sync.Mutex
	made int // schemas
}

// Start runs a server until the test ends. The test is skipped where the machine
// has no PostgreSQL.
func Start(t testing.TB) *Server {
	t.Helper()
	bin, ok := find()
	if !ok {
		t.Skip("this machine has no PostgreSQL: apt-get install postgresql")
	}
	dir, err := os.MkdirTemp("", "pg") // short: a socket's path has at most 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{dir: dir, bin: bin}
	t.Cleanup(func() {
		s.Stop(t)
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if cred := s.credential(); cred != nil {
		if err := os.Chown(dir, int(cred.Uid), int(cred.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	initdb := s.command("initdb", "--pgdata", filepath.Join(dir, "data"), "--auth", "trust", "--username", "cloister", "--encoding", "UTF8", "--no-locale", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	s.Restart(t)
	return s
}

// find is the folder of the newest server's programs.
func find() (string, bool) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(real), true
		}
	}
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is well-formed
	slices.SortFunc(dirs, func(a, b string) int { return version(a) - version(b) })
	for _, dir := range slices.Backward(dirs) {
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err == nil {
			return dir, true
		}
	}
	return "", false
}

func version(dir string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir))) // 0 where it has none
	return n
}

// credential is whom the server runs as: it refuses root.
func (s *Server) credential() *syscall.Credential {
	if os.Geteuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			continue
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	return nil
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.credential(), Pdeathsig: syscall.SIGINT}
	return cmd
}

// Restart starts the server, where it runs after it was killed at once.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	if s.run != nil {
		s.end(t, syscall.SIGQUIT)
	}
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := s.command("postgres", "-D", filepath.Join(s.dir, "data"), "-k", s.dir, "-c", "listen_addresses=", "-c", "max_connections=200")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.run = cmd
	for range 300 {
		conn, err := pgx.Connect(context.Background(), s.dsn("postgres"))
		if err == nil {
			conn.Close(context.Background())
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	said, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	t.Fatalf("PostgreSQL does not answer:\n%s", said)
}

// Stop ends the server.
func (s *Server) Stop(t testing.TB) {
	if s.run != nil {
		s.end(t, syscall.SIGINT)
	}
}

func (s *Server) end(t testing.TB, sig syscall.Signal) {
	if err := s.run.Process.Signal(sig); err != nil {
		t.Errorf("ending PostgreSQL: %v", err)
	}
	_ = s.run.Wait() // its status is that of the signal
	s.run = nil
}

func (s *Server) dsn(database string) string {
	return (&url.URL{Scheme: "postgres", User: url.User("cloister"), Path: "/" + database, RawQuery: "host=" + url.QueryEscape(s.dir)}).String()
}

// Database makes a place for a cloud's tables and is its address: a schema, which
// is quicker to make than a database.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	s.mu.Lock()
	s.made++
	name := fmt.Sprintf("cloud%d", s.made)
	s.mu.Unlock()
	s.Exec(t, s.dsn("postgres"), "CREATE SCHEMA "+name)
	return s.dsn("postgres") + "&search_path=" + name
}

// Exec runs statements.
func (s *Server) Exec(t testing.TB, dsn string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(context.Background(), strings.Join(statements, ";")); err != nil {
		t.Fatal(err)
	}
}
