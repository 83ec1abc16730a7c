package main

import (
	"context"
	"log/slog"
	"net"
	"os"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/internal/command"
	"github.com/cloister-ml/cloister/internal/daemon"
	"github.com/cloister-ml/cloister/internal/machine"
	"github.com/cloister-ml/cloister/internal/rootless"
	"github.com/cloister-ml/cloister/internal/sshd"
)

// newMachineCommand is what the cloud starts in a virtual machine; it is not for
// people.
func newMachineCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "machine", Short: "Be part of a virtual machine", Hidden: true}
	cmd.AddCommand(&cobra.Command{
		Use:   "init",
		Short: "Be the first process of a virtual machine: start its services and keep them running",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return machine.Init(machine.Options{}) },
	}, &cobra.Command{
		Use:   "sshd",
		Short: "Be the SSH server of a virtual machine",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return serveSSH(cmd.Context()) },
	}, &cobra.Command{
		Use:   "namespaces -- COMMAND [ARGUMENT...]",
		Short: "Be the first process of an ordinary user's namespaces, and run another command of cloister in them",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			status, err := rootless.Init(args)
			if err == nil && status != 0 {
				err = command.ExitStatus(status)
			}
			return err
		},
	}, &cobra.Command{
		Use:   "discard",
		Short: "Delete folders that were set aside, from a list at the standard input",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return daemon.ReadAside(os.Stdin) },
	})
	return cmd
}

// serveSSH runs the machine's SSH server at port 22 of all of its addresses.
func serveSSH(ctx context.Context) error {
	config, err := sshd.ReadConfig(sshd.ConfigFile)
	if err != nil {
		return err
	}
	server, err := sshd.New(config, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", ":22")
	if err != nil {
		return err
	}
	return server.Serve(ctx, l)
}
