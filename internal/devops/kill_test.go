package devops_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/internal/agent"
	"github.com/cloister-ml/cloister/internal/devops"
	"github.com/cloister-ml/cloister/internal/devops/client"
	"github.com/cloister-ml/cloister/internal/devops/wire"
)

// child starts this test binary as another process; it is killed at the test's end.
func child(t *testing.T, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(cmd) })
	return cmd
}

// kill is kill -9.
func kill(cmd *exec.Cmd) {
	_ = cmd.Process.Signal(syscall.SIGKILL) // it may be dead already
	_ = cmd.Wait()
}

const sleepy = `
jobs:
- job: work
  steps:
  - checkout: none
  - bash: |
      echo "my pid is $$"
      sleep 600
- job: after
  dependsOn: work
  condition: always()
  steps:
  - checkout: none
  - bash: 'echo "after: $(System.JobName)"' 
`

func TestAgentIsKilledAndComesBack(t *testing.T) {
	o := startOrganisation(t)
	home := o.configure("agent-1")
	first := child(t, "DEVOPS_TEST_PROCESS=agent", "DEVOPS_TEST_HOME="+home)
	o.pipeline("sleepy", sleepy, nil)
	run, err := o.QueueRun(context.Background(), "mlops", "sleepy", devops.RunSpec{})
	if err != nil {
		t.Fatal(err)
	}
	o.until(func() bool { return strings.Contains(o.logs(run.ID), "my pid is") }, "the job sleeps")
	kill(first)
	child(t, "DEVOPS_TEST_PROCESS=agent", "DEVOPS_TEST_HOME="+home)
	r := o.wait(run.ID)
	all := o.describe(r.ID)
	if r.Result != wire.ResultFailed || !strings.Contains(all, "agent agent-1 was killed while it ran the job") {
		t.Errorf("the run is %s and does not say why:\n%s", r.Result, all)
	}
	if !strings.Contains(all, "after: after") {
		t.Errorf("the agent that came back did not run the next job:\n%s", all)
	}
	_, pid, _ := strings.Cut(all, "my pid is ")
	pid, _, _ = strings.Cut(pid, "\n")
	if status, err := os.ReadFile("/proc/" + pid + "/status"); err == nil && !strings.Contains(string(status), "State:\tZ") {
		t.Errorf("process %s of the lost job still runs:\n%s", pid, status)
	}
}

func TestAgentIsLostForGood(t *testing.T) {
	o := startOrganisation(t)
	home := o.configure("agent-1")
	first := child(t, "DEVOPS_TEST_PROCESS=agent", "DEVOPS_TEST_HOME="+home)
	o.pipeline("sleepy", strings.Replace(sleepy, "sleep 600", "sleep 20", 1), nil)
	run, err := o.QueueRun(context.Background(), "mlops", "sleepy", devops.RunSpec{})
	if err != nil {
		t.Fatal(err)
	}
	o.until(func() bool { return strings.Contains(o.logs(run.ID), "my pid is") }, "the job sleeps")
	kill(first)
	o.runAgent("agent-2")
	r := o.wait(run.ID)
	if all := o.describe(r.ID); r.Result != wire.ResultFailed || !strings.Contains(all, "agent agent-1 was lost while it ran the job") || !strings.Contains(all, "after: after") {
		t.Errorf("the lock's lapse must fail the job with its reason, and the run go on:\n%s", all)
	}
}

// An agent that was given a job and never took it loses it to another.
func TestJobThatIsNotTakenIsQueuedAgain(t *testing.T) {
	o := startOrganisation(t)
	silent := o.registerByHand("a-silent")
	silent.poll() // takes the message and never answers
	o.pipeline("quick", "steps:\n- checkout: none\n- bash: echo done by $(Agent.Name)\n", nil)
	run, err := o.QueueRun(context.Background(), "mlops", "quick", devops.RunSpec{})
	if err != nil {
		t.Fatal(err)
	}
	o.runAgent("b-honest")
	r := o.wait(run.ID)
	if all := o.describe(r.ID); r.Result != wire.ResultSucceeded || !strings.Contains(all, "done by b-honest") {
		t.Errorf("the run is %s:\n%s", r.Result, all)
	}
}

// The organisation is killed while a job runs; the agent goes on, and nothing is
// lost or told twice.
func TestServerIsKilledInTheMiddle(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	dir := t.TempDir()
	o := prepareKilled(t, dir, "https://"+address)
	home := t.TempDir()
	serve := func() *exec.Cmd {
		return child(t, "DEVOPS_TEST_PROCESS=server", "DEVOPS_TEST_HOME="+dir, "DEVOPS_TEST_ADDRESS="+address)
	}
	server := serve()
	c := &client.Client{URL: o.url, Project: "mlops", Token: o.admin}
	o.until(func() bool { _, err := c.Pipelines(context.Background()); return err == nil }, "the organisation answers")
	if _, err := agent.Configure(context.Background(), agent.Configuration{Home: home, URL: o.url, Token: o.token, Pool: "Default", Name: "agent-1"}); err != nil {
		t.Fatal(err)
	}
	child(t, "DEVOPS_TEST_PROCESS=agent", "DEVOPS_TEST_HOME="+home)
	run, err := c.Queue(context.Background(), "count", wire.RunParameters{})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		running := func() bool {
			b, err := c.Build(context.Background(), run.ID)
			if err != nil || b.Status == wire.RunCompleted {
				return err == nil
			}
			tl, err := c.Timeline(context.Background(), run.ID)
			return err == nil && strings.Contains(linesOf(c, run.ID, tl), "line 3")
		}
		o.until(running, "the job runs")
		kill(server)
		server = serve()
	}
	var w recorder
	o.until(func() bool { _, err := c.Build(context.Background(), run.ID); return err == nil }, "the organisation answers again")
	b, err := c.Follow(context.Background(), run.ID, &w)
	if err != nil {
		t.Fatal(err)
	}
	if b.Result != wire.ResultSucceeded {
		t.Fatalf("the run is %s:\n%s", b.Result, w.String())
	}
	for i := 1; i <= 40; i++ {
		if n := strings.Count(w.String(), "line "+itoa(i)+"\n"); n != 1 {
			t.Errorf("line %d is there %d times", i, n)
		}
	}
	if !strings.Contains(w.String(), "second stage") {
		t.Errorf("the second stage did not run:\n%s", w.String())
	}
}

// An agent that is configured anew, with another key, replaces the one that runs:
// that one ends, so that its service starts it with the new key.
func TestAgentIsReplaced(t *testing.T) {
	o := startOrganisation(t)
	home := o.configure("agent-1")
	old := child(t, "DEVOPS_TEST_PROCESS=agent", "DEVOPS_TEST_HOME="+home)
	online := func() bool {
		agents, err := o.Agents(context.Background(), 1, "agent-1")
		return err == nil && len(agents) == 1 && agents[0].Status == "online"
	}
	o.until(online, "the agent is online")
	c := agent.Configuration{Home: home, URL: o.url, Token: o.token, Pool: "Default", Name: "agent-1", Replace: true}
	if _, err := agent.Configure(context.Background(), c); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- old.Wait() }()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("the replaced agent ended as if all were well")
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the replaced agent still runs")
	}
	child(t, "DEVOPS_TEST_PROCESS=agent", "DEVOPS_TEST_HOME="+home)
	o.pipeline("p", "steps:\n- checkout: none\n- bash: echo hello\n", nil)
	if r := o.queue("p", devops.RunSpec{}); r.Result != wire.ResultSucceeded {
		t.Errorf("the run is %s", r.Result)
	}
}

// An agent that is asked to end says so of its job.
func TestAgentIsStopped(t *testing.T) {
	o := startOrganisation(t)
	home := o.configure("agent-1")
	running := child(t, "DEVOPS_TEST_PROCESS=agent", "DEVOPS_TEST_HOME="+home)
	o.pipeline("sleepy", strings.Replace(sleepy, "condition: always()", "condition: failed()", 1), nil)
	run, err := o.QueueRun(context.Background(), "mlops", "sleepy", devops.RunSpec{})
	if err != nil {
		t.Fatal(err)
	}
	o.until(func() bool { return strings.Contains(o.logs(run.ID), "my pid is") }, "the job sleeps")
	if err := running.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := running.Wait(); err != nil {
		t.Errorf("the agent ended with %v", err)
	}
	o.runAgent("agent-2")
	r := o.wait(run.ID)
	if all := o.describe(r.ID); r.Result != wire.ResultFailed || !strings.Contains(all, "agent agent-1 was stopped while it ran the job") || !strings.Contains(all, "after: after") {
		t.Errorf("the run is %s:\n%s", r.Result, all)
	}
}
