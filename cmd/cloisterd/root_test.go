package main

import (
	"slices"
	"testing"

	"github.com/cloister-ml/cloister/internal/command"
)

// cloister knows every command that only cloisterd has, as it is.
func TestEveryCommandOfACloudIsKnown(t *testing.T) {
	reads := map[string]bool{}
	for _, c := range command.NewRoot().Commands() {
		reads[c.Name()] = true
	}
	var has []command.CloudCommand
	for _, c := range newRootCommand().Commands() {
		if len(c.Aliases) > 0 {
			t.Errorf("%s has other names, %v, which cloister does not know", c.Name(), c.Aliases)
		}
		if !reads[c.Name()] {
			has = append(has, command.CloudCommand{Name: c.Name(), Short: c.Short, Hidden: c.Hidden})
		}
	}
	if knows := command.OfCloud(); !slices.Equal(knows, has) {
		t.Errorf("cloister knows\n%+v\nand cloisterd has\n%+v", knows, has)
	}
}
