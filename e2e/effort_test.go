//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	control "github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/daemon"
)

// effort is what a cloud has done up to now.
type effort struct {
	work control.Work
	cpu  time.Duration // of the daemon's process, user and system
}

func (c cloud) effort(t *testing.T) effort {
	t.Helper()
	d, err := daemon.Dial(c.dir)
	if err != nil {
		t.Fatal(err)
	}
	work, err := d.Work(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cpu, err := cpuOf(d.State.PID)
	if err != nil {
		t.Fatal(err)
	}
	return effort{work, cpu}
}

// since logs what has been done since before, in a time, and returns the share of
// that time in which the control plane handled at least one request. What it spent
// waiting for networks and services to be real is not in it, nor are the pauses
// between polls, which are the provider's own. The sum over all requests counts
// those that are handled at one time for each, and with them the time for which
// they wait for a processor that the provider has: it says how long clients wait.
func (e effort) since(t *testing.T, before effort, took time.Duration) (share float64) {
	t.Helper()
	requests := e.work.Requests - before.work.Requests
	waiting := e.work.Waiting - before.work.Waiting
	handling := e.work.Handling - before.work.Handling - waiting
	busy := e.work.Busy - before.work.Busy
	share = busy.Seconds() / took.Seconds()
	t.Logf("control plane: at work in %.2f s, which is %.2f %% of the %.0f s: %d requests, of %.2f s in all (%.2f %%); %.1f s more waiting for what is made real; the daemon, networks and services included, took %.1f s of processor time",
		busy.Seconds(), 100*share, took.Seconds(), requests, handling.Seconds(), 100*handling.Seconds()/took.Seconds(), waiting.Seconds(), (e.cpu - before.cpu).Seconds())
	return share
}

// ticks of the clock in which Linux counts processor time, in a second.
const ticks = 100

func cpuOf(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // the command may have spaces
	fields := strings.Fields(rest)
	var sum int64
	for _, field := range fields[11:13] { // utime and stime, proc(5)
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return time.Duration(sum) * time.Second / ticks, nil
}
