package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/internal/command"
)

// newCloudCommand is a command that cloisterd has. Its help and its completion are
// cloisterd's too.
func newCloudCommand(c command.CloudCommand) *cobra.Command {
	cmd := &cobra.Command{
		Use: c.Name, Short: c.Short, Hidden: c.Hidden,
		DisableFlagParsing: true,
		RunE:               func(*cobra.Command, []string) error { return becomeCloisterd() },
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			_ = becomeCloisterd() // where it cannot, there is nothing to propose
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
	}
	cmd.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		if err := becomeCloisterd(); err != nil {
			cmd.PrintErrln("cloister: " + err.Error())
			os.Exit(command.ExitError) // a help function has no other way to fail
		}
	})
	return cmd
}

// becomeCloisterd puts cloisterd, with the same arguments, in the place of this
// process. It returns only where that failed.
func becomeCloisterd() error {
	path, err := findCloisterd()
	if err != nil {
		return err
	}
	if err := syscall.Exec(path, append([]string{"cloister"}, os.Args[1:]...), os.Environ()); err != nil {
		return fmt.Errorf("starting %s: %w", path, err)
	}
	return nil
}

const cloisterd = "cloisterd"

// findCloisterd finds the program beside this one, or on the PATH.
func findCloisterd() (string, error) {
	if own, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(own), cloisterd)
		if _, err := exec.LookPath(beside); err == nil {
			return beside, nil
		}
	}
	if path, err := exec.LookPath(cloisterd); err == nil {
		return path, nil
	}
	return "", errors.New("this command needs the program cloisterd, which is neither beside cloister nor on the PATH: `make build` makes both, and so does `go install github.com/cloister-ml/cloister/cmd/...@latest`")
}
