package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/internal/bgp"
)

// newSpeakerCommand is what the cloud starts at a gateway and at the edges of a
// circuit; it is not for people.
func newSpeakerCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "speaker",
		Short:  "Speak BGP as the standard input says, and write what is learned",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE:   func(cmd *cobra.Command, _ []string) error { return bgp.Run(cmd.Context(), os.Stdin, os.Stdout) },
	}
}
