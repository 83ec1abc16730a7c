package machine

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// Marker is the file that says that the first process of the machine is this
// package's.
const Marker = "/run/cloister-init"

// Options say where a machine keeps things. The zero Options are a machine's own
// places.
type Options struct {
	Services string // ServicesDir when empty
	Logs     string // /var/log when empty
	Marker   string // Marker when empty
	Console  io.Writer
	// StopTimeout is how long services get to end: 2 seconds when zero.
	StopTimeout time.Duration
}

func (o Options) withDefaults() Options {
	set := func(s *string, value string) {
		if *s == "" {
			*s = value
		}
	}
	set(&o.Services, ServicesDir)
	set(&o.Logs, "/var/log")
	set(&o.Marker, Marker)
	if o.Console == nil {
		o.Console = os.Stderr
	}
	if o.StopTimeout == 0 {
		o.StopTimeout = 2 * time.Second
	}
	return o
}

// Init runs a machine's services until SIGTERM or SIGINT, which stops them all.
// SIGHUP makes it read the services again.
func Init(o Options) error {
	o = o.withDefaults()
	if err := os.MkdirAll(o.Logs, 0o755); err != nil {
		return err
	}
	signals := make(chan os.Signal, 64)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGCHLD)
	defer signal.Stop(signals)
	m := &machine{options: o, running: map[string]*instance{}}
	if err := os.MkdirAll(filepath.Dir(o.Marker), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(o.Marker, fmt.Appendf(nil, "%d\n", os.Getpid()), 0o644); err != nil {
		return err
	}
	defer os.Remove(o.Marker)
	m.rescan()
	return m.loop(signals)
}

// machine is the state of the first process. Only its loop touches it.
type machine struct {
	options  Options
	running  map[string]*instance // by name
	stopping time.Time            // when to kill what has not ended; zero while not stopping
}

// loop waits for signals, and for the next service that is to start again.
func (m *machine) loop(signals <-chan os.Signal) error {
	for {
		m.reap()
		m.startDue()
		if !m.stopping.IsZero() && m.stopped() {
			return nil
		}
		timer := time.NewTimer(m.nextDue())
		select {
		case s := <-signals:
			switch s {
			case syscall.SIGHUP:
				m.rescan()
			case syscall.SIGTERM, syscall.SIGINT:
				m.stop()
			}
		case <-timer.C:
		}
		timer.Stop()
	}
}

// rescan brings what runs to what is written down.
func (m *machine) rescan() {
	if !m.stopping.IsZero() {
		return
	}
	services, errs := readServices(m.options.Services)
	for _, err := range errs {
		m.say("%v", err)
	}
	wanted := map[string]bool{}
	for _, s := range services {
		wanted[s.Name] = true
		if in, ok := m.running[s.Name]; ok {
			in.unwanted = false
			if !in.service.same(s) {
				in.service, in.failures = s, 0
				in.end(syscall.SIGTERM) // it starts again as it is written now
			}
			continue
		}
		m.running[s.Name] = newInstance(s, m.options.Logs)
	}
	for name, in := range m.running {
		if !wanted[name] && len(errs) == 0 {
			in.unwanted = true
			in.end(syscall.SIGTERM)
		}
	}
}

func (m *machine) startDue() {
	now := time.Now()
	for name, in := range m.running {
		switch {
		case in.pid != 0:
		case in.unwanted || !m.stopping.IsZero():
			in.log.close()
			delete(m.running, name)
		case !now.Before(in.due):
			if err := in.start(); err != nil {
				in.failed(now)
				m.say("service %s: %v", name, err)
			}
		}
	}
}

// nextDue is how long nothing needs to be done.
func (m *machine) nextDue() time.Duration {
	next := time.Hour
	for _, in := range m.running {
		if in.pid == 0 {
			next = min(next, time.Until(in.due))
		}
	}
	if !m.stopping.IsZero() {
		next = min(next, time.Until(m.stopping), 50*time.Millisecond)
	}
	return max(next, time.Millisecond)
}

// reap collects every process that ended: services, and what others left behind.
func (m *machine) reap() {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		for name, in := range m.running {
			if in.pid == pid {
				in.ended(time.Now())
				m.say("service %s ended: %s", name, describe(status))
			}
		}
	}
}

// stop asks all services to end.
func (m *machine) stop() {
	if !m.stopping.IsZero() {
		return
	}
	m.stopping = time.Now().Add(m.options.StopTimeout * 3 / 4)
	for _, in := range m.running {
		in.end(syscall.SIGTERM)
	}
}

// stopped reports whether nothing runs any more; what has not ended in time is
// killed.
func (m *machine) stopped() bool {
	if len(m.running) == 0 {
		return true
	}
	if time.Now().After(m.stopping) {
		for _, in := range m.running {
			in.end(syscall.SIGKILL)
		}
	}
	return time.Now().After(m.stopping.Add(m.options.StopTimeout / 4))
}

func (m *machine) say(format string, args ...any) {
	fmt.Fprintf(m.options.Console, "cloister machine: "+format+"\n", args...)
}

func describe(status syscall.WaitStatus) string {
	if status.Signaled() {
		return "killed by " + status.Signal().String()
	}
	return fmt.Sprintf("exit status %d", status.ExitStatus())
}
