//go:build e2e

package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/internal/daemon"
)

// fault is one way in which a cloud is cut short.
type fault struct {
	name string
	do   func(t *testing.T, c cloud, r *rand.Rand) string // says what it killed
}

// faults are drawn at random. The daemon serves the control plane, DNS, the metadata
// of machines and every service, so killing it kills them all; the processes of
// machines, model endpoints, firewalls and BGP speakers are their own.
var faults = []fault{
	{"the daemon", func(t *testing.T, c cloud, _ *rand.Rand) string { return kill(t, daemonOf(t, c)) }},
	{"a process of a machine or a service", func(t *testing.T, c cloud, r *rand.Rand) string {
		d := daemonOf(t, c)
		served := slices.DeleteFunc(processes(t, c), func(pid int) bool { return pid == d || isOurs(pid) })
		if len(served) == 0 {
			t.Fatal("nothing runs beside the daemon")
		}
		return kill(t, served[r.IntN(len(served))])
	}},
	{"everything at once", func(t *testing.T, c cloud, _ *rand.Rand) string { return kill(t, processes(t, c)...) }},
	{"the daemon, and the next one on its way up", func(t *testing.T, c cloud, r *rand.Rand) string {
		said := kill(t, daemonOf(t, c))
		up := exec.Command("../bin/cloister", "up", "--no-run", example)
		up.Env = append(os.Environ(), "CLOISTER_NAME="+c.name, "CLOISTER_DATA="+c.dir)
		if err := up.Start(); err != nil {
			t.Fatal(err)
		}
		after := time.Duration(r.IntN(4000)) * time.Millisecond
		time.Sleep(after)
		said += fmt.Sprintf(", then after %s %s", after, kill(t, append(processes(t, c), up.Process.Pid)...))
		_ = up.Wait() // it was killed
		return said
	}},
}

// TestFaults kills processes of the cloud at random while every place tries what the
// proof refuses it: nothing of that is ever reached, before, meanwhile and after; and
// a second up makes the cloud whole. The solution has run, so its model endpoint does.
// CLOISTER_SEED to do the same again.
func TestFaults(t *testing.T) {
	if os.Getenv("CLOISTER_KILLS") == "" {
		t.Skip("it takes half a minute a kill: make soak-faults")
	}
	kills, err := strconv.Atoi(os.Getenv("CLOISTER_KILLS"))
	if err != nil {
		t.Fatalf("CLOISTER_KILLS: %v", err)
	}
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("CLOISTER_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatalf("CLOISTER_SEED: %v", err)
		}
		seed = n
	}
	t.Logf("CLOISTER_SEED=%d", seed)
	r := rand.New(rand.NewPCG(seed, 0))

	c := newCloud(t, "f")
	c.must(t, "up", example)
	w := watchRefused(t, c)
	w.rounds(t, 2)
	var order []int // each kind as often as the others
	for i := range kills {
		if len(order) == 0 {
			order = r.Perm(len(faults))
		}
		f := faults[order[0]]
		order = order[1:]
		began := time.Now()
		said := f.do(t, c, r)
		t.Logf("%d: %s: %s", i+1, f.name, said)
		time.Sleep(time.Duration(r.IntN(2000)) * time.Millisecond) // tries go on with nobody there
		c.must(t, "up", "--no-run", example)
		whole := time.Since(began)
		w.rounds(t, 1)
		if out, status := c.cloister(t, "probe"); status != 0 {
			t.Errorf("after the kill of %s the packets are not as the proof says:\n%s", f.name, out)
		}
		if stopped := stopped(t, c); len(stopped) > 0 {
			t.Errorf("after the kill of %s there do not run: %s", f.name, strings.Join(stopped, ", "))
		}
		t.Logf("   whole again after %s", whole.Round(time.Millisecond))
	}
	w.end(t)
}

// daemonOf is the process of the cloud's daemon.
func daemonOf(t *testing.T, c cloud) int {
	t.Helper()
	d, err := daemon.Dial(c.dir)
	if err != nil {
		t.Fatal(err)
	}
	return d.State.PID
}

// kill ends processes at once, and says which.
func kill(t *testing.T, pids ...int) string {
	t.Helper()
	var said []string
	for _, pid := range pids {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)) // it may have ended
		words := strings.Fields(strings.ReplaceAll(string(line), "\x00", " "))
		said = append(said, fmt.Sprintf("%d (%s)", pid, strings.Join(words[:min(len(words), 3)], " ")))
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
			t.Fatal(err)
		}
	}
	if len(said) > 3 {
		said = append(said[:3], fmt.Sprintf("and %d more", len(pids)-3))
	}
	return strings.Join(said, ", ")
}

// isOurs reports a process that this test has started in the cloud's namespaces.
func isOurs(pid int) bool {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, after, _ := strings.Cut(string(stat), ") ") // proc(5): the name may hold anything
	fields := strings.Fields(after)
	return len(fields) > 1 && fields[1] == strconv.Itoa(os.Getpid())
}

// stopped are the machines that should run and do not.
func stopped(t *testing.T, c cloud) []string {
	t.Helper()
	d, err := daemon.Dial(c.dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := d.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range s.Machines {
		if !m.Running {
			out = append(out, m.Name)
		}
	}
	for _, a := range s.Agents {
		if !a.Online {
			out = append(out, "agent "+a.Name)
		}
	}
	return out
}

// A machine whose processes are killed starts again by itself, as it was.
func TestMachineKilled(t *testing.T) {
	c := newCloud(t, "k")
	c.must(t, "up", dualEstate)
	if out, status := c.in(t, "vm-one", nil, "touch", "/var/kept"); status != 0 {
		t.Fatal(out)
	}
	d := daemonOf(t, c)
	said := kill(t, slices.DeleteFunc(processes(t, c), func(pid int) bool { return pid == d })...)
	for deadline := time.Now().Add(30 * time.Second); len(stopped(t, c)) > 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after the kill of %s there still do not run: %v", said, stopped(t, c))
		}
	}
	if out, status := c.in(t, "vm-one", nil, "ls", "/var/kept"); status != 0 {
		t.Errorf("its disk is not as it was: %s", out)
	}
	if out, status := c.cloister(t, "probe"); status != 0 {
		t.Errorf("the packets are not as the proof says:\n%s", out)
	}
}
