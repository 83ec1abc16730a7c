package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(run()) }

// run is main without os.Exit, so that deferred calls are made and testscript
// can call it.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := newRootCommand().ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	var status exitStatus
	if errors.As(err, &status) {
		return int(status)
	}
	fmt.Fprintln(os.Stderr, "cloister: "+err.Error())
	return exitError
}

// Exit statuses, as `cloister help exit-status` documents them.
const (
	exitOK      = 0 // done, and nothing to object to
	exitFinding = 1 // done, and something does not hold: a requirement, a cell of the probe, a job
	exitError   = 2 // not done
)

// exitStatus ends the command with a status and without a further message.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }
