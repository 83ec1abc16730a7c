package machine_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/internal/machine"
)

// The test binary is also the first process of a machine.
func TestMain(m *testing.M) {
	if dir := os.Getenv("MACHINE_TEST_DIR"); dir != "" {
		err := machine.Init(options(dir))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func options(dir string) machine.Options {
	return machine.Options{Services: filepath.Join(dir, "services.d"), Logs: filepath.Join(dir, "log"), Marker: filepath.Join(dir, "run/marker")}
}

type box struct {
	t   *testing.T
	dir string
	cmd *exec.Cmd
}

func start(t *testing.T, dir string) *box {
	t.Helper()
	b := &box{t: t, dir: dir, cmd: exec.Command(os.Args[0])}
	b.cmd.Env = append(os.Environ(), "MACHINE_TEST_DIR="+dir, "GORACE=atexit_sleep_ms=0")
	b.cmd.Stderr = t.Output()
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.cmd.Process.Signal(syscall.SIGTERM); _ = b.cmd.Wait() })
	b.until("the machine runs", func() bool { _, err := os.Stat(filepath.Join(dir, "run/marker")); return err == nil })
	return b
}

func (b *box) install(name, script string) {
	b.t.Helper()
	if err := machine.Install(filepath.Join(b.dir, "services.d"), machine.Service{Name: name, Args: []string{"/bin/sh", "-c", script}, Cwd: b.dir, Env: []string{"GREETING=hello"}}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *box) signal(s syscall.Signal) {
	b.t.Helper()
	if err := b.cmd.Process.Signal(s); err != nil {
		b.t.Fatal(err)
	}
}

func (b *box) log(name string) string {
	text, _ := os.ReadFile(filepath.Join(b.dir, "log", name+".log"))
	return string(text)
}

func (b *box) until(what string, holds func() bool) {
	b.t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if holds() {
			return
		}
	}
	b.t.Fatalf("waited in vain until %s", what)
}

func alive(pid string) bool {
	status, err := os.ReadFile("/proc/" + strings.TrimSpace(pid) + "/status")
	return err == nil && !bytes.Contains(status, []byte("State:\tZ"))
}

func TestServices(t *testing.T) {
	b := start(t, t.TempDir())
	b.install("steady", "echo $GREETING from $PWD; echo $$ > steady.pid; exec sleep 600")
	b.install("brief", "echo again; exit 3")
	b.signal(syscall.SIGHUP)
	b.until("the steady service speaks", func() bool { return strings.Contains(b.log("steady"), "hello from "+b.dir) })
	b.until("the brief service was started again", func() bool { return strings.Count(b.log("brief"), "again") >= 2 })
	pid := func() string { text, _ := os.ReadFile(filepath.Join(b.dir, "steady.pid")); return string(text) }
	first := pid()
	n, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(n, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	b.until("the steady service is back", func() bool { return pid() != first && alive(pid()) })

	second := pid()
	b.install("steady", "echo changed; echo $$ > steady.pid; exec sleep 601")
	b.signal(syscall.SIGHUP)
	b.until("the changed service runs", func() bool { return strings.Contains(b.log("steady"), "changed") && !alive(second) })
	if err := machine.Uninstall(filepath.Join(b.dir, "services.d"), "steady"); err != nil {
		t.Fatal(err)
	}
	third := pid()
	b.signal(syscall.SIGHUP)
	b.until("the removed service ends", func() bool { return !alive(third) })
}

func TestOrphansAreReapedAndStopped(t *testing.T) {
	dir := t.TempDir()
	b := start(t, dir)
	b.install("stubborn", "trap '' TERM; echo $$ > pid; while :; do sleep 1; done")
	b.signal(syscall.SIGHUP)
	pid := ""
	b.until("the stubborn service runs", func() bool {
		text, _ := os.ReadFile(filepath.Join(dir, "pid"))
		pid = string(text)
		return alive(pid)
	})
	begun := time.Now()
	b.signal(syscall.SIGTERM)
	if err := b.cmd.Wait(); err != nil {
		t.Errorf("the machine ended with %v", err)
	}
	if took := time.Since(begun); took > 2500*time.Millisecond {
		t.Errorf("stopping took %s, want 2 s", took)
	}
	if alive(pid) {
		t.Error("a service that ignores SIGTERM still runs")
	}
	if _, err := os.Stat(filepath.Join(dir, "run/marker")); err == nil {
		t.Error("the marker is still there")
	}
}

func TestLogRotation(t *testing.T) {
	b := start(t, t.TempDir())
	b.install("loud", "i=0; while [ $i -lt 50 ]; do head -c 1048576 /dev/zero | tr '\\0' x; i=$((i+1)); done; echo end; exec sleep 600")
	b.signal(syscall.SIGHUP)
	b.until("the loud service has said all", func() bool { return strings.HasSuffix(b.log("loud"), "end\n") })
	entries, err := os.ReadDir(filepath.Join(b.dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 4 {
		t.Errorf("there are %d files, want the log and three older ones", len(entries))
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Size() > 10<<20 {
			t.Errorf("%s has %d bytes", e.Name(), info.Size())
		}
	}
}

func TestBadServices(t *testing.T) {
	for what, s := range map[string]machine.Service{
		"a name that leads out": {Name: "../x", Args: []string{"/bin/true"}},
		"no program":            {Name: "x"},
		"a relative program":    {Name: "x", Args: []string{"true"}},
		"a relative folder":     {Name: "x", Args: []string{"/bin/true"}, Cwd: "y"},
	} {
		if err := machine.Install(t.TempDir(), s); err == nil {
			t.Errorf("%s was accepted", what)
		}
	}
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "services.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "services.d/broken.json"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	b := &box{t: t, dir: dir}
	b.install("good", "echo good; exec sleep 600")
	b = start(t, dir)
	b.until("the good service runs beside a broken one", func() bool { return strings.Contains(b.log("good"), "good") })
}
