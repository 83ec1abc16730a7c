package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/internal/command"
)

func main() { os.Exit(run()) }

// run is main without os.Exit, so that testscript can call it.
func run() int { return command.Run(newRootCommand()) }

func newRootCommand() *cobra.Command {
	root := command.NewRoot()
	for _, c := range command.OfCloud() {
		root.AddCommand(newCloudCommand(c))
	}
	return root
}
