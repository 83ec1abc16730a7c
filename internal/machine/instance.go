package machine

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// instance is a service and, while it runs, its process.
type instance struct {
	service  Service
	log      *logFile
	pid      int // 0 while it does not run
	begun    time.Time
	due      time.Time // when it starts next
	failures int
	unwanted bool
}

const (
	firstPause = 200 * time.Millisecond
	longPause  = 30 * time.Second
	goodRun    = 30 * time.Second // a service that ran so long starts again at once
)

func newInstance(s Service, logs string) *instance {
	return &instance{service: s, log: &logFile{path: filepath.Join(logs, s.Name+".log"), max: logSize, keep: logKeep}}
}

// start starts the process. It is not waited for here: reap does, for all.
func (in *instance) start() error {
	credential, home, err := in.credential()
	if err != nil {
		return err
	}
	cwd := in.service.Cwd
	if cwd == "" {
		cwd = "/"
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer w.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		r.Close()
		return err
	}
	defer null.Close()
	pid, err := syscall.ForkExec(in.service.Args[0], in.service.Args, &syscall.ProcAttr{
		Dir: cwd, Env: in.environment(home),
		Files: []uintptr{null.Fd(), w.Fd(), w.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true, Credential: credential},
	})
	if err != nil {
		r.Close()
		return fmt.Errorf("%s: %w", in.service.Args[0], err)
	}
	in.pid, in.begun = pid, time.Now()
	go in.keep(r)
	return nil
}

// keep writes a process's output down until its end.
func (in *instance) keep(r *os.File) {
	defer r.Close()
	_, _ = io.Copy(in.log, bufio.NewReaderSize(r, 32<<10)) // the end of the output is the only error
}

func (in *instance) environment(home string) []string {
	env := os.Environ()
	if home != "" {
		env = append(env, "HOME="+home, "USER="+in.service.User, "LOGNAME="+in.service.User)
	}
	env = append(env, in.service.Env...)
	if !slices.ContainsFunc(env, func(s string) bool { return strings.HasPrefix(s, "PATH=") }) {
		env = append(env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	}
	return env
}

// credential is the user whom the service runs as.
func (in *instance) credential() (*syscall.Credential, string, error) {
	if in.service.User == "" || in.service.User == "root" {
		return nil, "", nil
	}
	u, err := user.Lookup(in.service.User)
	if err != nil {
		return nil, "", err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, "", err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, "", err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), Groups: groupsOf(u.Username)}, u.HomeDir, nil
}

// groupsOf reads the groups that list a user as a member.
func groupsOf(name string) []uint32 {
	text, err := os.ReadFile("/etc/group")
	if err != nil {
		return nil
	}
	var groups []uint32
	for line := range bytes.Lines(text) {
		fields := strings.Split(strings.TrimSpace(string(line)), ":")
		if len(fields) != 4 || !slices.Contains(strings.Split(fields[3], ","), name) {
			continue
		}
		if gid, err := strconv.ParseUint(fields[2], 10, 32); err == nil {
			groups = append(groups, uint32(gid))
		}
	}
	return groups
}

// end signals the process and all that it started in its session.
func (in *instance) end(s syscall.Signal) {
	if in.pid != 0 {
		_ = syscall.Kill(-in.pid, s) // it may have ended: reap tells
	}
}

// ended notes that the process is gone, and when the next one starts.
func (in *instance) ended(now time.Time) {
	in.end(syscall.SIGKILL) // what it left behind in its session
	in.pid = 0
	if now.Sub(in.begun) > goodRun {
		in.failures = 0
	}
	in.failed(now)
}

func (in *instance) failed(now time.Time) {
	pause := firstPause << min(in.failures, 8)
	in.due = now.Add(min(pause, longPause))
	in.failures++
}
