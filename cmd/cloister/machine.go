package main

import (
	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/internal/machine"
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
	})
	return cmd
}
