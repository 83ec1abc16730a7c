package check

import "testing"

func BenchmarkProve(b *testing.B) {
	e := secured().estate(b)
	for b.Loop() {
		Prove(e, Options{})
	}
}

func BenchmarkMatrix(b *testing.B) {
	e := secured().estate(b)
	for b.Loop() {
		Matrix(e)
	}
}
