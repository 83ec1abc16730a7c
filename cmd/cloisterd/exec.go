package main

import (
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/cloister-ml/cloister/internal/command"
	"github.com/cloister-ml/cloister/internal/daemon"
)

func newExecCommand() *cobra.Command {
	var p place
	var user uint32
	cmd := &cobra.Command{
		Use:   "exec MACHINE -- COMMAND [ARGUMENT...]",
		Short: "Run a command in a machine of the cloud",
		Long: `Run a command in a virtual machine of the running cloud, in a machine behind one of its
gateways (on-premises-NAME, vpn-client-GATEWAY), or in the one called "internet" that
has nothing to do with the estate. It sees the machine's network,
names, files and managed identity. The exit status is the command's.`,
		Example: `  sudo cloister exec vm-jump -- bash
  sudo cloister exec vm-agent-0 -- curl -sI https://stmlops.blob.core.windows.net
  sudo cloister exec on-premises-headquarters -- bash
  sudo cloister exec internet -- curl -s https://dev.azure.com`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := p.dial()
			if err != nil {
				return err
			}
			terminal := isTerminal(os.Stdin) && isTerminal(os.Stdout)
			status, err := daemon.Exec(cmd.Context(), c, args[0], daemon.Command{
				Args: args[1:], UID: user, TTY: terminal, Stdin: os.Stdin, Stdout: cmd.OutOrStdout(), Stderr: cmd.ErrOrStderr(),
			})
			if err != nil {
				return err
			}
			if status != 0 {
				return command.ExitStatus(status)
			}
			return nil
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveDefault
			}
			return machineNames(cmd, p), cobra.ShellCompDirectiveNoFileComp
		},
	}
	p.flags(cmd)
	cmd.Flags().Uint32Var(&user, "uid", 0, "user id to run as")
	return cmd
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// machineNames are the machines that a command can be run in, for completion.
func machineNames(cmd *cobra.Command, p place) []string {
	c, err := p.dial()
	if err != nil {
		return nil
	}
	s, err := c.Status(cmd.Context())
	if err != nil {
		return nil
	}
	var names []string
	for _, m := range s.Machines {
		if m.Sandbox != "" {
			names = append(names, m.Name+"\t"+m.Kind)
		}
	}
	return names
}
