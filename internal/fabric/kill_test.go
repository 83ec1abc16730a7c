package fabric

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/internal/bgp"
)

// killedName carries the cloud's name to the process that will be killed.
const killedName = "CLOISTER_TEST_KILLED"

// TestMain lets the test run itself as a process that builds and removes
// networks without end, or as one that speaks BGP.
func TestMain(m *testing.M) {
	if name := os.Getenv(killedName); name != "" {
		f, err := New(Options{Name: name, Log: slog.New(slog.DiscardHandler)})
		for err == nil {
			if _, err = f.Apply(context.Background(), exampleLike().plan()); err == nil {
				err = f.Remove(context.Background())
			}
		}
		slog.Error("the process that should be killed failed", "error", err)
		os.Exit(1)
	}
	if len(os.Args) > 1 && os.Args[1] == speakerArg {
		if err := bgp.Run(context.Background(), os.Stdin, os.Stdout); err != nil {
			slog.Error("speaking BGP", "error", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// speakerArg makes the test a BGP speaker.
const speakerArg = "bgp-speaker"

// Wherever a process is killed, the next one makes the networks whole.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	h := exampleLike()
	f := build(t, h.plan())
	for i := range 8 {
		c := exec.Command("/proc/self/exe")
		c.Env = append(os.Environ(), killedName+"="+f.name)
		c.Stderr = os.Stderr
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(20+i*13) * time.Millisecond)
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := c.Wait(); err == nil || c.ProcessState.Exited() {
			t.Fatalf("it ended by itself: %v", err)
		}
		if i%2 == 0 {
			if err := f.Remove(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		apply(t, f, h.plan())
		if changes := apply(t, f, h.plan()); len(changes) > 0 {
			t.Errorf("kill %d is not mended at once: %v", i, changes)
		}
		jump := namespaceOf(t, f, nicID("jump"))
		attempts{{"open", jump, "10.2.0.4:22", refused}, {"closed", jump, "10.2.0.4:23", silent}}.try(t, f)
	}
}
