package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// Run runs a command until it is done or interrupted, says on standard error what
// went wrong, and returns the exit status.
func Run(root *cobra.Command) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := root.ExecuteContext(ctx)
	if err == nil {
		return ExitOK
	}
	var status ExitStatus
	if errors.As(err, &status) {
		return int(status)
	}
	fmt.Fprintln(os.Stderr, "cloister: "+err.Error())
	return ExitError
}

// Exit statuses, as `cloister help exit-status` documents them.
const (
	ExitOK      = 0 // done, and nothing to object to
	ExitFinding = 1 // done, and something does not hold: a requirement, a cell of the probe, a job
	ExitError   = 2 // not done
)

// ExitStatus ends the command with a status and without a further message.
type ExitStatus int

func (s ExitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// WriteJSON writes a value as JSON that a person can read.
func WriteJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
