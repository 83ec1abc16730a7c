package eval_test

import "testing"

// FuzzEvaluate holds that no expression ends in anything but a value or an error.
func FuzzEvaluate(f *testing.F) {
	for e := range functionCases {
		f.Add(e)
	}
	f.Add(`reduce(range(0, 40), 'ab', lambda('a', 'b', concat(lambdaVariables('a'), unknown('x'))))`)
	f.Fuzz(func(t *testing.T, expression string) {
		_, _ = evaluate(t, functionTemplate, expression)
	})
}
