package devops_test

import (
	"context"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/internal/agent"
	"github.com/cloister-ml/cloister/internal/devops"
)

// The test binary is also the processes that tests kill: an agent, or a whole
// organisation.
func TestMain(m *testing.M) {
	switch os.Getenv("DEVOPS_TEST_PROCESS") {
	case "agent":
		os.Exit(agentProcess())
	case "server":
		fmt.Fprintln(os.Stderr, serverProcess())
		os.Exit(1)
	}
	dir, err := os.MkdirTemp("", "devops-test-")
	if err != nil {
		panic(err)
	}
	trustTestServers(dir)
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// trustTestServers makes the certificate of httptest's servers a root for this
// process, its agents and their git.
func trustTestServers(dir string) {
	probe := httptest.NewTLSServer(http.NotFoundHandler())
	defer probe.Close()
	file := filepath.Join(dir, "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: probe.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		panic(err)
	}
	os.Setenv("SSL_CERT_FILE", file)
	os.Setenv("SSL_CERT_DIR", dir)
	os.Unsetenv("GIT_SSL_CAINFO")
}

func agentProcess() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := agent.Run(ctx, agent.Options{Home: os.Getenv("DEVOPS_TEST_HOME")}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// serverProcess serves until it is killed.
func serverProcess() error {
	listener, err := net.Listen("tcp", os.Getenv("DEVOPS_TEST_ADDRESS"))
	if err != nil {
		return err
	}
	s, err := devops.Open(testOptions(os.Getenv("DEVOPS_TEST_HOME"), "https://"+listener.Addr().String()))
	if err != nil {
		return err
	}
	web := httptest.NewUnstartedServer(s.Handler())
	web.Listener.Close()
	web.Listener = listener
	web.StartTLS()
	select {}
}

func testOptions(dir, url string) devops.Options {
	return devops.Options{
		Dir: dir, URL: url, Organization: "contoso",
		LockDuration: 6 * time.Second, PickupWindow: 2 * time.Second, PollDuration: 2 * time.Second,
	}
}
