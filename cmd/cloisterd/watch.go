package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/internal/command"
)

// view is how a command shows what changes while the cloud runs.
type view struct{ asJSON, watch bool }

func (v *view) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&v.asJSON, "json", false, "write JSON")
	cmd.Flags().BoolVar(&v.watch, "watch", false, "write it again whenever it changes, until Ctrl-C")
}

// show writes what read finds, as text or as JSON.
func show[T any](cmd *cobra.Command, v view, read func(context.Context) (T, error), text func(io.Writer, T) error) error {
	write := func(w io.Writer) error {
		found, err := read(cmd.Context())
		if err != nil {
			return err
		}
		if v.asJSON {
			return command.WriteJSON(w, found)
		}
		return text(w, found)
	}
	if !v.watch {
		return write(cmd.OutOrStdout())
	}
	return repeat(cmd.Context(), cmd.OutOrStdout(), isTerminal(os.Stdout), write)
}

const watchEvery = 500 * time.Millisecond

// repeat writes whenever what would be written has changed, until ctx ends or the
// cloud is gone. A terminal shows the latest alone; elsewhere each is a paragraph.
func repeat(ctx context.Context, w io.Writer, terminal bool, write func(io.Writer) error) error {
	const clearScreen = "\x1b[H\x1b[2J"
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var last []byte
	for {
		var now bytes.Buffer
		if err := write(&now); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if !bytes.Equal(now.Bytes(), last) {
			before := choose(terminal, clearScreen, choose(last == nil, "", "\n"))
			if _, err := io.WriteString(w, before+now.String()); err != nil {
				return err
			}
			last = bytes.Clone(now.Bytes())
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
