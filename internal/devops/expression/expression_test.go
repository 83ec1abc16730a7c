package expression_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloister-ml/cloister/internal/devops/expression"
)

var context = expression.Context{
	Names: map[string]expression.Value{
		"variables": expression.Object{"Build.Reason": "Manual", "empty": "", "count": "3", "flag": "true"},
		"dependencies": expression.Object{
			"A": expression.Object{"result": "Succeeded", "outputs": expression.Object{"step.x": "7"}},
			"B": expression.Object{"result": "Failed", "outputs": expression.Object{"step.x": "8"}},
		},
		"parameters": expression.Object{
			"list": []expression.Value{"a", "b", 3.0}, "yes": true, "no": false, "number": 1.5,
			"map": expression.Object{"k1": "v1", "k2": "v2"},
		},
	},
	Status: func(function string, names []string) bool {
		return function == "succeeded" && len(names) == 0 || function == "failed" && strings.Join(names, ",") == "B"
	},
	Counter: func(prefix string, seed int64) (int64, error) { return seed + int64(len(prefix)), nil },
}

// What each expression is, as text: booleans are True and False, null is nothing.
func TestEvaluate(t *testing.T) {
	for expr, want := range map[string]string{
		// Literals.
		`'it''s'`: "it's", `1.5`: "1.5", `-2`: "-2", `.5`: "0.5", `+3`: "3", `TRUE`: "True", `false`: "False", `null`: "", `1.2.3`: "1.2.3",
		// Dereferences.
		`variables['Build.Reason']`:               "Manual",
		`VARIABLES['build.reason']`:               "Manual",
		`variables.count`:                         "3",
		`variables.nothing`:                       "",
		`variables.nothing.further`:               "",
		`dependencies.A.outputs['step.x']`:        "7",
		`dependencies.a.result`:                   "Succeeded",
		`parameters.list[1]`:                      "b",
		`parameters.list[7]`:                      "",
		`parameters.list[-1]`:                     "",
		`join(',', dependencies.*.result)`:        "Succeeded,Failed",
		`join(',', dependencies.*.outputs.x)`:     "",
		`join('', dependencies[*]['result'])`:     "SucceededFailed",
		`dependencies.A['out' ]`:                  "",
		`length(parameters.list)`:                 "3",
		`parameters[ format('{0}', 'number') ]`:   "1.5",
		`in(dependencies.B.result, 'a','FAILED')`: "True",
		// Comparison: the right side is made the left one's type, and case does not count.
		`eq('ABC', 'abc')`: "True", `eq(1, '1')`: "True", `eq('1', 1)`: "True", `eq(1, 'x')`: "False", `ne(1, 'x')`: "True",
		`eq(true, 'false')`: "True", // a text that is not empty is true
		`eq('True', true)`:  "True", `eq(variables.flag, true)`: "True", `eq(variables.nothing, '')`: "True", `eq('', variables.nothing)`: "True",
		`eq(null, null)`: "True", `eq(null, 0)`: "False", `eq(0, null)`: "True", `eq(parameters.list, parameters.list)`: "False",
		`gt(2, '1')`: "True", `ge('b', 'A')`: "True", `lt(1.2.3, '1.3')`: "True", `le(1.10.0, 1.9.0)`: "False", `gt('10', '9')`: "False",
		// Logic evaluates no further than it must.
		`and(true, 1, 'x')`: "True", `and(true, '')`: "False", `or(false, 0, null)`: "False", `or(false, 2)`: "True", `not('')`: "True", `xor(1, 0)`: "True",
		`and(false, gt(1, 'x'))`: "False", `or(true, gt(1, 'x'))`: "True", `iif(true, 'a', gt(1, 'x'))`: "a", `iif('', 1, 2)`: "2",
		`coalesce(variables.empty, variables.nothing, 'c')`: "c", `coalesce('', null)`: "", `coalesce(parameters.list, 1)`: "Array",
		// Text.
		`contains('Hello', 'ELL')`: "True", `startsWith('Hello', 'he')`: "True", `endsWith('Hello', 'LO')`: "True", `contains('a', '')`: "True",
		`format('{0}-{1}-{0}', 'a', 2)`: "a-2-a", `format('{{{0}}}', 1)`: "{1}", `format('x')`: "x",
		`join('; ', parameters.list)`: "a; b; 3", `join(',', 'one')`: "one", `join('-', split('a,b;c', ',;'))`: "a-b-c", `join('|', split('a,,b', ','))`: "a||b",
		`replace('aXbX', 'X', '.')`: "a.b.", `replace('abc', '', 'x')`: "abc", `lower('ABC')`: "abc", `upper('aé')`: "AÉ", `trim('  a ')`: "a", `length('héé')`: "3",
		`containsValue(parameters.list, 'B')`: "True", `containsValue(parameters.map, 'v2')`: "True", `containsValue(parameters.map, 'k2')`: "False", `containsValue('abc', 'a')`: "False",
		`in('a')`: "False", `notIn('a', 'b')`: "True",
		`convertToJson(parameters.map)`: "{\n  \"k1\": \"v1\",\n  \"k2\": \"v2\"\n}", `convertToJson('a"b')`: `"a\"b"`,
		// Status and counter.
		`always()`: "True", `succeeded()`: "True", `failed()`: "False", `failed('B')`: "True", `canceled()`: "False",
		`counter('ab', 10)`: "12",
		` and( succeeded( ) , eq( variables['Build.Reason'] ,'manual' ) ) `: "True",
	} {
		got, err := expression.Evaluate(expr, context)
		if err != nil {
			t.Errorf("%s: %v", expr, err)
		} else if expression.String(got) != want {
			t.Errorf("%s is %q, want %q", expr, expression.String(got), want)
		}
	}
}

func TestErrors(t *testing.T) {
	for expr, want := range map[string]string{
		``:                              "empty",
		`  `:                            "empty",
		`eq(1`:                          `ends where ")" is expected (at character 5)`,
		`eq(1, 2))`:                     `unexpected ")" after the end`,
		`eq(1)`:                         "eq takes at least 2 arguments, not 1",
		`not(1, 2)`:                     "not takes at most 1 arguments, not 2",
		`equals(1, 2)`:                  "there is no function equals (at character 1)",
		`'abc`:                          "no closing quote",
		`a == b`:                        `unexpected "="`,
		`"double"`:                      `strings stand in single quotes`,
		`secrets.x`:                     "there is no secrets here; known: dependencies, parameters, variables",
		`variables.`:                    "a property name is expected",
		`variables[`:                    "ends where a value is expected",
		`1.2.3.4.5`:                     "neither a number nor a version",
		`gt(1, 'x')`:                    `"x" cannot be compared with "1"`,
		`format('{1}', 'a')`:            "{1} names no argument",
		`format('{')`:                   "a { has no }",
		`format('}')`:                   "a } has no {",
		`counter('a', 'b')`:             `the seed "b" is not a whole number`,
		strings.Repeat("not(", 80):      "nested more than 50 deep",
		strings.Repeat("x", 30_000):     "longer than 21000 characters",
		"a" + strings.Repeat(".a", 200): "dereferences more than",
	} {
		_, err := expression.Evaluate(expr, context)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want an error that says %q", expr, err, want)
		}
	}
	if _, err := expression.Evaluate("succeeded()", expression.Context{}); err == nil {
		t.Error("succeeded() where there is no status must be an error")
	}
}

// An expression from a repository cannot take more than its share.
func TestBounds(t *testing.T) {
	big := expression.Context{Names: map[string]expression.Value{"v": expression.Object{"x": strings.Repeat("ab", 40_000)}}}
	for _, expr := range []string{
		"replace(v.x, 'a', v.x)",
		"format('{0}{0}{0}', v.x)",
		"join(v.x, split(v.x, 'a'))",
	} {
		if _, err := expression.Evaluate(expr, big); err == nil {
			t.Errorf("%s gave a result", expr)
		}
	}
}

func TestMacros(t *testing.T) {
	values := map[string]string{"a": "1", "b": "$(a)2", "Build.Id": "7", "self": "x$(self)", "empty": ""}
	lookup := func(name string) (string, bool) { v, ok := values[name]; return v, ok }
	for text, want := range map[string]string{
		"$(a)": "1", "$(b)": "12", "v$(Build.Id).$(a)": "v7.1", "$(unknown)": "$(unknown)", "$(date +%s)": "$(date +%s)",
		"$(echo $(a))": "$(echo 1)", "$$(a)": "$1", "$(a": "$(a", "$()": "$()", "[$(empty)]": "[]", "no": "no", "$(": "$(",
	} {
		if got := expression.Macros(text, lookup); got != want {
			t.Errorf("%s is %q, want %q", text, got, want)
		}
	}
	if got := expression.Macros("$(self)", lookup); !strings.HasPrefix(got, "xxxx") || len(got) > 100 {
		t.Errorf("a macro that holds itself is %q", got)
	}
}

func TestIsRuntime(t *testing.T) {
	for text, want := range map[string]string{"$[ eq(1, 1) ]": "eq(1, 1)", "$[a[0]]": "a[0]"} {
		if got, ok := expression.IsRuntime(text); !ok || got != want {
			t.Errorf("%s: %q %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "$(a)", "x$[a]", "$[a] b"} {
		if _, ok := expression.IsRuntime(text); ok {
			t.Errorf("%s is no runtime expression", text)
		}
	}
}

// Every value equals itself as a text, and ne is the opposite of eq.
func TestEqualityProperties(t *testing.T) {
	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
	rapid.Check(t, func(t *rapid.T) {
		a, b := quote(rapid.StringN(0, 20, 80).Draw(t, "a")), quote(rapid.StringN(0, 20, 80).Draw(t, "b"))
		is := func(expr string) bool {
			v, err := expression.Evaluate(expr, context)
			if err != nil {
				t.Fatalf("%s: %v", expr, err)
			}
			return expression.Truth(v)
		}
		if !is("eq(" + a + "," + a + ")") {
			t.Fatalf("%s does not equal itself", a)
		}
		if is("eq("+a+","+b+")") == is("ne("+a+","+b+")") {
			t.Fatalf("eq and ne agree on %s and %s", a, b)
		}
		if is("le("+a+","+b+")") == is("gt("+a+","+b+")") {
			t.Fatalf("le and gt agree on %s and %s", a, b)
		}
		if is("eq("+a+","+b+")") != is("in("+a+","+b+")") {
			t.Fatalf("eq and in differ on %s and %s", a, b)
		}
	})
}

func FuzzEvaluate(f *testing.F) {
	for _, seed := range []string{
		"and(succeeded(), eq(variables['Build.Reason'], 'Manual'))", "dependencies.*.outputs['step.x']", "format('{0}{1}', 1, '')",
		"iif(true,1.2.3,'')", "convertToJson(parameters)", "parameters.list[*].x[0].y", "join('a', split('b', ''))", "counter('', 1)",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := expression.Parse(text)
		if err != nil {
			return
		}
		v, err := e.Evaluate(context)
		if err != nil {
			return
		}
		again, err := e.Evaluate(context)
		if err != nil || expression.String(again) != expression.String(v) {
			t.Fatalf("%q is %q once and %q again (%v)", text, expression.String(v), expression.String(again), err)
		}
	})
}
