package command

import (
	"bytes"
	"io"
	"testing"
)

const example = "../../examples/secure-mlops"

// What a run takes but for the start of the program: reading, and the report.
func BenchmarkShow(b *testing.B)  { benchmark(b, "show", example) }
func BenchmarkCheck(b *testing.B) { benchmark(b, "check", example) }

func benchmark(b *testing.B, args ...string) {
	b.ReportAllocs()
	for b.Loop() {
		var said bytes.Buffer
		root := NewRoot()
		root.SetArgs(args)
		root.SetOut(io.Discard)
		root.SetErr(&said)
		if err := root.Execute(); err != nil {
			b.Fatalf("%v\n%s", err, said.String())
		}
	}
}
