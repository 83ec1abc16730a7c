package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
)

// What is watched is written when it changes and only then, until it ends.
func TestRepeat(t *testing.T) {
	gone := errors.New("gone")
	says := []string{"a\n", "a\n", "b\n"}
	for terminal, want := range map[bool]string{false: "a\n\nb\n", true: "\x1b[H\x1b[2Ja\n\x1b[H\x1b[2Jb\n"} {
		n := 0
		var out bytes.Buffer
		err := repeat(context.Background(), &out, terminal, func(w io.Writer) error {
			if n == len(says) {
				return gone
			}
			n++
			_, err := io.WriteString(w, says[n-1])
			return err
		})
		if !errors.Is(err, gone) || out.String() != want {
			t.Errorf("terminal %v: wrote %q, error %v, want %q", terminal, out.String(), err, want)
		}
	}
}
