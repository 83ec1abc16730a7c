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

// largestShare is how much of an apply's time the control plane may take.
const largestShare = 0.02

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

// since logs what has been done since before, in a time, and holds it to its share:
// the time from each request's arrival to the end of its answer, summed, without
// what was spent waiting for the networks and services behind it to be real. The
// pauses between polls are the provider's own, and in neither.
func (e effort) since(t *testing.T, before effort, took time.Duration) {
	t.Helper()
	requests := e.work.Requests - before.work.Requests
	waiting := e.work.Waiting - before.work.Waiting
	handling := e.work.Handling - before.work.Handling - waiting
	share := handling.Seconds() / took.Seconds()
	t.Logf("control plane: %d requests, handled in %.2f s in all, which is %.2f %% of the %.0f s; %.1f s more waiting for what is made real; the daemon, networks and services included, took %.1f s of processor time",
		requests, handling.Seconds(), 100*share, took.Seconds(), waiting.Seconds(), (e.cpu - before.cpu).Seconds())
	if share > largestShare {
		t.Errorf("the control plane takes %.1f %% of the apply, and should take less than %.0f %%", 100*share, 100*largestShare)
	}
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
