package rulebook

import (
	"testing"

	"github.com/cloister-ml/cloister/check"
	"github.com/cloister-ml/cloister/source"
)

// BenchmarkExample reads the reference solution and proves it, as cloister check does.
func BenchmarkExample(b *testing.B) {
	for b.Loop() {
		e, diags := source.Load("../../examples/secure-mlops/terraform", source.Options{})
		if diags.HasErrors() {
			b.Fatal(diags)
		}
		if r := check.Prove(e, check.Options{}); r.Count(check.Violated) > 0 {
			b.Fatal("it falls")
		}
	}
}

// BenchmarkProve proves it alone.
func BenchmarkProve(b *testing.B) {
	e, diags := source.Load("../../examples/secure-mlops/terraform", source.Options{})
	if diags.HasErrors() {
		b.Fatal(diags)
	}
	for b.Loop() {
		check.Prove(e, check.Options{})
	}
}
