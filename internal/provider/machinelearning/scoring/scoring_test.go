package scoring_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/internal/provider/machinelearning/scoring"
)

// start runs the host with a scoring script; it gives a client and the output.
func start(t *testing.T, script string) (client *http.Client, output func() string, wait func() error) {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed")
	}
	dir, err := os.MkdirTemp("", "scoring") // t.TempDir's names are too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	host, err := scoring.WriteHost(filepath.Join(dir, "host"))
	if err != nil {
		t.Fatal(err)
	}
	entry := filepath.Join(dir, "score.py")
	if err := os.WriteFile(entry, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	var out lockedBuffer
	cmd := exec.Command(python, "-u", filepath.Join(host, "host.py"), "--socket", socket)
	cmd.Env = append(os.Environ(), "AZUREML_ENTRY_SCRIPT="+entry, "AZUREML_MODEL_DIR="+dir)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	client = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}, Timeout: 10 * time.Second}
	return client, out.String, func() error { return <-done }
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func awaitReady(t *testing.T, client *http.Client, output func() string) {
	t.Helper()
	for range 200 {
		if resp, err := client.Get("http://x/"); err == nil {
			resp.Body.Close()
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatalf("the host did not become ready:\n%s", output())
}

func post(t *testing.T, client *http.Client, path, body string) (int, string) {
	t.Helper()
	resp, err := client.Post("http://x"+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

const script = `
import json, os, threading
def init():
    global folder
    folder = os.environ["AZUREML_MODEL_DIR"]
def run(raw):
    if raw == "boom":
        raise ValueError("bad row")
    if raw == "bytes":
        return b"\x00\x01"
    if raw == "array":
        class Array:
            def tolist(self): return [1.5, 2]
        return Array()
    if raw == "folder":
        return os.path.isdir(folder)
    return {"sum": sum(json.loads(raw)["data"])}
`

func TestHostAnswersAsTheScriptDoes(t *testing.T) {
	client, output, _ := start(t, script)
	awaitReady(t, client, output)
	for _, tt := range []struct {
		path, body string
		status     int
		want       string
	}{
		{"/score", `{"data": [1, 2, 3.5]}`, 200, `{"sum": 6.5}`},
		{"/score", "array", 200, "[1.5, 2]"},
		{"/score", "bytes", 200, "\x00\x01"},
		{"/score", "folder", 200, "true"},
		{"/score", "boom", 500, `{"message": "run() raised ValueError: bad row"}`},
		{"/score", "\xff\xfe", 400, `{"message": "the body is not UTF-8"}`},
		{"/other", "", 404, `{"message": "there is nothing at /other"}`},
		{"/score", strings.Repeat("x", 10<<20+1), 413, `{"message": "the body has more than 10485760 bytes"}`},
		{"/score", `{"data": []}`, 200, `{"sum": 0}`},
	} {
		if status, got := post(t, client, tt.path, tt.body); status != tt.status || got != tt.want {
			t.Errorf("POST %s %.20q = %d %s, want %d %s", tt.path, tt.body, status, got, tt.status, tt.want)
		}
	}
}

func TestHostServesAtOnce(t *testing.T) {
	client, output, _ := start(t, `
import threading
def init():
    global barrier
    barrier = threading.Barrier(4)
def run(raw):
    barrier.wait(timeout=5)  # passes only when four requests are inside together
    return raw
`)
	awaitReady(t, client, output)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			if status, got := post(t, client, "/score", fmt.Sprint(i)); status != 200 {
				t.Errorf("request %d: %d %s", i, status, got)
			}
		})
	}
	wg.Wait()
}

func TestHostSaysWhyItDoesNotStart(t *testing.T) {
	for _, tt := range []struct{ name, script, want string }{
		{"init raises", "def init(): raise KeyError('model')\ndef run(x): pass\n", "the scoring script could not be started: KeyError: 'model'"},
		{"no run", "def init(): pass\n", "has no function run()"},
		{"syntax", "def init(:\n", "SyntaxError"},
		{"no argument", "def init(): pass\ndef run(): pass\n", "run() takes no argument"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, output, wait := start(t, tt.script)
			if err := wait(); err == nil {
				t.Error("it ended well")
			}
			if got := output(); !strings.Contains(got, tt.want) {
				t.Errorf("it said:\n%s\nand not %q", got, tt.want)
			}
		})
	}
}
