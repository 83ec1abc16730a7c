package eval_test

import (
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/source/template/internal/eval"
	"github.com/cloister-ml/cloister/source/template/internal/jsontext"
	"github.com/cloister-ml/cloister/source/template/internal/value"
)

// alone is a host that knows one function: unknown(name), whose value is not known.
type alone struct{}

func (alone) Function(s *eval.Scope, c eval.Call) (any, bool, error) {
	if c.Name != "unknown" {
		return nil, false, nil
	}
	return value.NewUnknown(c.Args[0].(string), s.File(), c.At.Line), true, nil
}

// evaluate is the value of an expression in a template.
func evaluate(t testing.TB, template, expression string) (any, error) {
	t.Helper()
	root, err := jsontext.Parse([]byte(template))
	if err != nil {
		t.Fatal(err)
	}
	s, err := eval.New(eval.NewShared(), root, eval.Options{File: "main.json", Host: alone{}})
	if err != nil {
		return nil, err
	}
	return s.Eval(&jsontext.Node{Kind: jsontext.String, Text: "[" + expression + "]", Pos: jsontext.Pos{Line: 1, Column: 1}})
}

// Most are the examples of the documentation of each function with the values
// that it says they have (Microsoft Learn, "ARM template functions").
var functionCases = map[string]string{
	// Array functions.
	`array(1)`:                   `[1]`,
	`array('efgh')`:              `["efgh"]`,
	`array(createArray(1))`:      `[1]`,
	`concat('prefix', '-', 'x')`: `"prefix-x"`,
	`concat('a', 1, true())`:     `"a1True"`,
	`concat(createArray('1-1'), createArray('2-1', '2-2'))`:   `["1-1","2-1","2-2"]`,
	`contains('OneTwoThree', 'e')`:                            `true`,
	`contains('OneTwoThree', 'z')`:                            `false`,
	`contains(json('{"one":"a"}'), 'ONE')`:                    `true`,
	`contains(json('{"one":"a"}'), 'a')`:                      `false`,
	`contains(createArray('one','two'), 'two')`:               `true`,
	`contains(createArray('one','two'), 'Two')`:               `false`,
	`createArray(1, 'a', createArray())`:                      `[1,"a",[]]`,
	`empty(createArray())`:                                    `true`,
	`empty('')`:                                               `true`,
	`empty(json('{}'))`:                                       `true`,
	`empty(null())`:                                           `true`,
	`empty('a')`:                                              `false`,
	`first(createArray('one','two'))`:                         `"one"`,
	`first('One Two Three')`:                                  `"O"`,
	`first('')`:                                               `""`,
	`last(createArray('one','two','three'))`:                  `"three"`,
	`last('One Two Three')`:                                   `"e"`,
	`last(createArray())`:                                     `null`,
	`flatten(createArray(createArray(1, 2), createArray(3)))`: `[1,2,3]`,
	`indexFromEnd(createArray('a','b','c'), 1)`:               `"c"`,
	`tryIndexFromEnd(createArray('a'), 2)`:                    `null`,
	`intersection(createArray('one','two','three'), createArray('two','three'))`:                         `["two","three"]`,
	`intersection(json('{"one":"a","two":"b","three":"c"}'), json('{"one":"a","two":"z","three":"c"}'))`: `{"one":"a","three":"c"}`,
	`length(createArray('one','two','three'))`:                                                           `3`,
	`length('One Two Three')`:                   `13`,
	`length(json('{"a":1,"b":2}'))`:             `2`,
	`max(createArray(0, 3, 2, 5, 4))`:           `5`,
	`max(0, 3, 2, 5, 4)`:                        `5`,
	`min(createArray(0, 3, 2, 5, 4))`:           `0`,
	`range(5, 3)`:                               `[5,6,7]`,
	`range(0, 0)`:                               `[]`,
	`skip(createArray('one','two','three'), 2)`: `["three"]`,
	`skip('one two three', 4)`:                  `"two three"`,
	`skip('one', -1)`:                           `"one"`,
	`take(createArray('one','two','three'), 2)`: `["one","two"]`,
	`take('one two three', 2)`:                  `"on"`,
	`take('ab', 10)`:                            `"ab"`,
	`union(createArray('one','two','three'), createArray('three','four'))`:                                                             `["one","two","three","four"]`,
	`union(json('{"one":"a","three":"c1"}'), json('{"three":"c2","five":"e"}'))`:                                                       `{"five":"e","one":"a","three":"c2"}`,
	`union(json('{"p":{"a":1},"l":[1,2]}'), json('{"p":{"b":2},"l":[3,4]}'))`:                                                          `{"l":[3,4],"p":{"a":1,"b":2}}`,
	`union(createArray(createArray('one','two'), createArray('three')), createArray(createArray('three'), createArray('four','two')))`: `[["one","two"],["three"],["four","two"]]`,
	`distinct(createArray(1, 2, 1))`: `[1,2]`,

	// CIDR functions.
	`parseCidr('10.144.0.0/20')`:         `{"broadcast":"10.144.15.255","cidr":20,"firstUsable":"10.144.0.1","lastUsable":"10.144.15.254","netmask":"255.255.240.0","network":"10.144.0.0"}`,
	`cidrSubnet('10.144.0.0/20', 24, 0)`: `"10.144.0.0/24"`,
	`cidrSubnet('10.144.0.0/20', 24, 4)`: `"10.144.4.0/24"`,
	`cidrSubnet('fd12::/48', 64, 1)`:     `"fd12:0:0:1::/64"`,
	`cidrHost('10.144.3.0/24', 0)`:       `"10.144.3.1"`,
	`cidrHost('10.144.3.0/24', 4)`:       `"10.144.3.5"`,

	// Comparison functions.
	`coalesce(null(), null(), 'fallback')`: `"fallback"`,
	`coalesce(null())`:                     `null`,
	`equals(1, 1)`:                         `true`,
	`equals('a', 'A')`:                     `false`,
	`equals(createArray('a','b'), createArray('a','b'))`: `true`,
	`equals(json('{"a":"b"}'), json('{"a":"c"}'))`:       `false`,
	`equals(null(), '')`:                                 `false`,
	`greater(1, 2)`:                                      `false`,
	`greater('A', 'a')`:                                  `false`,
	`greaterOrEquals(2, 2)`:                              `true`,
	`less(1, 2)`:                                         `true`,
	`lessOrEquals('A', 'a')`:                             `true`,

	// Date functions.
	`dateTimeAdd('2020-04-07 14:53:14Z', 'P3Y')`:              `"4/7/2023 2:53:14 PM"`,
	`dateTimeAdd('2020-04-07 14:53:14Z', '-P9D')`:             `"3/29/2020 2:53:14 PM"`,
	`dateTimeAdd('2020-04-07 14:53:14Z', 'PT1H')`:             `"4/7/2020 3:53:14 PM"`,
	`dateTimeAdd('20200407T145314Z', 'P1M', 'yyyy-MM')`:       `"2020-05"`,
	`dateTimeFromEpoch(1683040573)`:                           `"2023-05-02T15:16:13Z"`,
	`dateTimeToEpoch('2023-05-02T15:16:13Z')`:                 `1683040573`,
	`dateTimeToEpoch(dateTimeAdd('20230502T151613Z', 'P1D'))`: `1683126973`,

	// Lambda functions, with the four dogs of the documentation.
	`filter(variables('dogs'), lambda('dog', greaterOrEquals(lambdaVariables('dog').age, 5)))[0].name`:                                                          `"Evie"`,
	`filter(range(0, 10), lambda('i', greater(lambdaVariables('i'), 5)))`:                                                                                       `[6,7,8,9]`,
	`filter(createArray('a','b'), lambda('v', 'i', equals(lambdaVariables('i'), 1)))`:                                                                           `["b"]`,
	`map(variables('dogs'), lambda('dog', lambdaVariables('dog').name))`:                                                                                        `["Evie","Casper","Indy","Kira"]`,
	`map(range(0, 3), lambda('i', mul(lambdaVariables('i'), lambdaVariables('i'))))`:                                                                            `[0,1,4]`,
	`map(createArray('a'), lambda('v', 'i', format('{0}{1}', lambdaVariables('v'), lambdaVariables('i'))))`:                                                     `["a0"]`,
	`reduce(map(variables('dogs'), lambda('dog', lambdaVariables('dog').age)), 0, lambda('cur', 'next', add(lambdaVariables('cur'), lambdaVariables('next'))))`: `18`,
	`reduce(createArray(5, 5), 0, lambda('c', 'n', 'i', add(lambdaVariables('c'), mul(lambdaVariables('n'), lambdaVariables('i')))))`:                           `5`,
	`map(sort(variables('dogs'), lambda('a', 'b', less(lambdaVariables('a').age, lambdaVariables('b').age))), lambda('d', lambdaVariables('d').name))`:          `["Indy","Casper","Evie","Kira"]`,
	`toObject(variables('dogs'), lambda('d', lambdaVariables('d').name), lambda('d', lambdaVariables('d').age))`:                                                `{"Casper":3,"Evie":5,"Indy":2,"Kira":8}`,
	`groupBy(createArray('foo', 'bar', 'baz'), lambda('x', substring(lambdaVariables('x'), 0, 1)))`:                                                             `{"b":["bar","baz"],"f":["foo"]}`,
	`groupBy(createArray('foo', 'bar'), lambda('x', 'k'), lambda('x', toUpper(lambdaVariables('x'))))`:                                                          `{"k":["FOO","BAR"]}`,
	`mapValues(json('{"a":1,"b":2}'), lambda('v', mul(lambdaVariables('v'), 2)))`:                                                                               `{"a":2,"b":4}`,
	`map(createArray(1), lambda('x', map(createArray(2), lambda('y', add(lambdaVariables('x'), lambdaVariables('y'))))))`:                                       `[[3]]`,

	// Logical functions.
	`and(true(), false())`:         `false`,
	`or(false(), false(), true())`: `true`,
	`not(false())`:                 `true`,
	`bool('true')`:                 `true`,
	`bool(0)`:                      `false`,
	`if(equals('a', 'a'), 'yes', fail('no'))`: `"yes"`,
	`and(false(), fail('not evaluated'))`:     `false`,

	// Numeric functions.
	`add(5, 3)`:  `8`,
	`sub(7, 3)`:  `4`,
	`mul(5, 3)`:  `15`,
	`div(8, 3)`:  `2`,
	`mod(7, 3)`:  `1`,
	`div(-8, 3)`: `-2`,
	`int('4')`:   `4`,
	`float('3')`: `3`,

	// Object functions.
	`createObject('intProp', 1, 'objectProp', createObject('key1', 'value1'))`: `{"intProp":1,"objectProp":{"key1":"value1"}}`,
	`items(json('{"item002":2,"item001":1}'))`:                                 `[{"key":"item001","value":1},{"key":"item002","value":2}]`,
	`objectKeys(json('{"a":1,"b":2}'))`:                                        `["a","b"]`,
	`shallowMerge(createArray(json('{"p":{"a":1}}'), json('{"p":{"b":2}}')))`:  `{"p":{"b":2}}`,
	`tryGet(json('{"a":{"b":1}}'), 'a', 'b')`:                                  `1`,
	`tryGet(json('{"a":1}'), 'z')`:                                             `null`,
	`tryGet(createArray('x'), 3)`:                                              `null`,
	`json('null')`:                                                             `null`,
	`json('3')`:                                                                `3`,
	`json('"test"')`:                                                           `"test"`,
	`json(concat('{"a":"', 'demo value', '"}'))`:                               `{"a":"demo value"}`,
	`json('{''one'': ''a''}')`:                                                 `{"one":"a"}`,

	// String functions.
	`base64('one, two, three')`:                                                    `"b25lLCB0d28sIHRocmVl"`,
	`base64ToString('b25lLCB0d28sIHRocmVl')`:                                       `"one, two, three"`,
	`base64ToJson(base64('{''one'': ''a'', ''two'': ''b''}'))`:                     `{"one":"a","two":"b"}`,
	`dataUri('Hello')`:                                                             `"data:text/plain;charset=utf8;base64,SGVsbG8="`,
	`dataUriToString('data:;base64,SGVsbG8sIFdvcmxkIQ==')`:                         `"Hello, World!"`,
	`endsWith('abcdef', 'EF')`:                                                     `true`,
	`startsWith('abcdef', 'AB')`:                                                   `true`,
	`startsWith('abcdef', 'e')`:                                                    `false`,
	`format('{0}, {1}. Formatted number: {2:N0}', 'Hello', 'User', 8175133)`:       `"Hello, User. Formatted number: 8,175,133"`,
	`format('{0:D3}|{0:X}|{0:x4}|{0,5}|{0,-4}|{0:F1}|{0:000.0}|{{}}', 42)`:         `"042|2A|002a|   42|42  |42.0|042.0|{}"`,
	`format('{1}{0}', 'a', true())`:                                                `"Truea"`,
	`guid('a', 'b')`:                                                               `"` + uuid5("a-b") + `"`,
	`indexOf('test', 't')`:                                                         `0`,
	`indexOf('abcdef', 'CD')`:                                                      `2`,
	`indexOf('abcdef', 'z')`:                                                       `-1`,
	`indexOf(createArray('one','two'), 'two')`:                                     `1`,
	`lastIndexOf('test', 't')`:                                                     `3`,
	`join(createArray('one','two','three'), ',')`:                                  `"one,two,three"`,
	`join(createArray(1, 2), ';')`:                                                 `"1;2"`,
	`padLeft('123', 10, '0')`:                                                      `"0000000123"`,
	`padLeft(7, 3)`:                                                                `"  7"`,
	`replace('123-123-1234', '-', '')`:                                             `"1231231234"`,
	`replace('123-123-1234', '1234', 'xxxx')`:                                      `"123-123-xxxx"`,
	`split('one,two,three', ',')`:                                                  `["one","two","three"]`,
	`split('one;two,three', createArray(';', ','))`:                                `["one","two","three"]`,
	`string(json('{"valueA":10,"valueB":"Example Text"}'))`:                        `"{\"valueA\":10,\"valueB\":\"Example Text\"}"`,
	`string(createArray('a','b'))`:                                                 `"[\"a\",\"b\"]"`,
	`string(5)`:                                                                    `"5"`,
	`substring('one two three', 4, 3)`:                                             `"two"`,
	`substring('abc', 1)`:                                                          `"bc"`,
	`toUpper('One')`:                                                               `"ONE"`,
	`toLower('One')`:                                                               `"one"`,
	`trim('    one two three   ')`:                                                 `"one two three"`,
	`uniqueString('tyeth')`:                                                        `"zcztcwvu6iyg6"`,
	`uniqueString('hello', 'world')`:                                               `"a7wkljktk6wne"`,
	`uri('http://contoso.com/resources/', 'nested/azuredeploy.json')`:              `"http://contoso.com/resources/nested/azuredeploy.json"`,
	`uri('http://contoso.com/azuredeploy.json', 'nested.json')`:                    `"http://contoso.com/nested.json"`,
	`uriComponent('http://contoso.com/resources/nested/azuredeploy.json')`:         `"http%3A%2F%2Fcontoso.com%2Fresources%2Fnested%2Fazuredeploy.json"`,
	`uriComponentToString('http%3A%2F%2Fcontoso.com')`:                             `"http://contoso.com"`,
	`parseUri('https://a.example:8443/p?q=1').port`:                                `8443`,
	`buildUri(createObject('scheme', 'https', 'host', 'a.example', 'path', '/p'))`: `"https://a.example/p"`,
	`like('subnet-01', 'SUBNET-*')`:                                                `true`,

	// Syntax.
	`'it''s'`:                        `"it's"`,
	`-5`:                             `-5`,
	`json('{"a":[{"b":1}]}').a[0].b`: `1`,
	`json('{"Name":1}').name`:        `1`,
	`json('{"a-b":1}')['a-b']`:       `1`,
	`json('{}').?a`:                  `null`,
	`json('{}').?a.?b`:               `null`,
	`createArray(1)[?5]`:             `null`,
	" concat ( 'a' , \n 'b' ) ":      `"ab"`,
	`sys.concat('a')`:                `"a"`,
	`contoso.unique('x')`:            `"x-fixed"`,
	`variables('made')`:              `[{"n":0},{"n":2}]`,
	`variables('inner').list`:        `["v0","v1"]`,
	`variables('escaped')`:           `"[literal]"`,
	`parameters('sized')`:            `3`,
}

const functionTemplate = `{
  // a comment
  "parameters": { "sized": { "type": "int", "defaultValue": "[length(variables('made2'))]" } },
  "functions": [{ "namespace": "contoso", "members": { "unique": {
    "parameters": [{ "name": "a", "type": "string" }],
    "output": { "type": "string", "value": "[concat(parameters('a'), '-fixed')]" } } } }],
  "variables": {
    "copy": [ { "name": "made", "count": 2, "input": { "n": "[mul(copyIndex('made'), 2)]" } } ],
    "made2": "[range(0, 3)]",
    "inner": { "copy": [ { "name": "list", "count": 2, "input": "[format('v{0}', copyIndex('list'))]" } ] },
    "escaped": "[[literal]",
    "dogs": [
      { "name": "Evie", "age": 5 }, { "name": "Casper", "age": 3 }, { "name": "Indy", "age": 2 }, { "name": "Kira", "age": 8 }
    ]
  }
}`

func TestFunctions(t *testing.T) {
	for expression, want := range functionCases {
		v, err := evaluate(t, functionTemplate, expression)
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		if got := value.JSON(v); got != want {
			t.Errorf("%s\n  is     %s\n  and not %s", expression, got, want)
		}
	}
}

// What is not known is kept to what it decides.
func TestUnknown(t *testing.T) {
	for expression, want := range map[string]string{
		`concat('kv-', unknown('p'))`:                                     "kv-{p}",
		`format('{0}-{1}', unknown('p'), 'x')`:                            "{p}-x",
		`toLower(concat('KV-', unknown('P')))`:                            "kv-{p}",
		`if(unknown('p'), 'same', 'same')`:                                "same",
		`if(unknown('p'), 'a', 'b')`:                                      "{if(unknown('p'),'a','b')}",
		`and(false(), unknown('p'))`:                                      "False",
		`or(unknown('p'), true())`:                                        "True",
		`contains(createArray(unknown('p'), 'b'), 'b')`:                   "True",
		`equals(createArray(1, unknown('p')), createArray(2, 2))`:         "False",
		`equals(unknown('p'), unknown('p'))`:                              "True",
		`length(createArray(unknown('p'), unknown('q')))`:                 "2",
		`createObject('a', 1, 'b', unknown('p')).a`:                       "1",
		`empty(concat('a', unknown('p')))`:                                "False",
		`coalesce(null(), unknown('p'))`:                                  "{p}",
		`last(split(concat('/subscriptions/', unknown('p'), '/x'), '/'))`: "x",
		`unknown('p').a`:                                                  "{p.a}",
	} {
		v, err := evaluate(t, `{}`, expression)
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		if got := value.Symbol(v); got != want {
			t.Errorf("%s is %s, and should be %s", expression, got, want)
		}
	}
	v, err := evaluate(t, `{}`, `concat('kv-', unknown('p'))`)
	if u, ok := v.(value.Unknown); err != nil || !ok || u.Expression != "p" || u.File != "main.json" {
		t.Errorf("an unknown value says that it comes from %v", v)
	}
}

func TestErrors(t *testing.T) {
	for expression, want := range map[string]string{
		``:                             "the expression ends where a value should be",
		`concat('a'`:                   "there should be a ',' or a ')' here",
		`'open`:                        "has no end",
		`concat`:                       "is not a function call",
		`concat('a') 'b'`:              "should end before",
		`nosuch()`:                     "There is no function nosuch",
		`add(1)`:                       "it takes 2 arguments, not 1",
		`add(1, 'a')`:                  "argument 2 should be a whole number and is a string",
		`div(1, 0)`:                    "it divides by 0",
		`mul(9223372036854775807, 2)`:  "more than 64 bits",
		`99999999999999999999`:         "not a whole number of 64 bits",
		`1.5`:                          "whole numbers only",
		`substring('abc', 2, 5)`:       "the string has 3",
		`range(0, 10001)`:              "between 0 and 10000",
		`json('{')`:                    "not JSON",
		`json('{}').a`:                 "has no a",
		`createArray(1)[1]`:            "has no 1",
		`variables('made3')`:           "Did you mean made?",
		`parameters('nope')`:           "declares no parameter nope",
		`variables('a')`:               "made of itself",
		`contoso.again()`:              "do not recur",
		`contoso.none()`:               "defines no function",
		`if('yes', 1, 2)`:              "condition should be a boolean",
		`copyIndex()`:                  "not within a copy loop",
		`lambdaVariables('x')`:         "no lambda around",
		`cidrHost('10.0.0.0/30', 2)`:   "no host with the index 2",
		`format('{1}', 'a')`:           "not there",
		`padLeft('a', 2000000000)`:     "4 MB",
		`dateTimeAdd('soon', 'P1D')`:   "not a date",
		strings.Repeat("concat(", 300): "nested more than 200 deep",
		strings.Repeat("a", 25000):     "24576",
		`reduce(range(0, 400), createArray(), lambda('a', 'b', createArray(lambdaVariables('a'))))`:                        "nested more than 150 deep",
		`reduce(range(0, 40), 'abcdefgh', lambda('a', 'b', concat(lambdaVariables('a'), lambdaVariables('a'))))`:           "4 MB",
		`reduce(range(0, 100), createArray(1), lambda('a', 'b', createArray(lambdaVariables('a'), lambdaVariables('a'))))`: "more work than is allowed",
		`map(range(0, 10000), lambda('i', map(range(0, 10000), lambda('j', 1))))`:                                          "more work than is allowed",
	} {
		_, err := evaluate(t, `{
		  "functions": [{ "namespace": "contoso", "members": { "again": { "output": { "value": "[contoso.again()]" } } } }],
		  "variables": { "made": 1, "a": "[variables('b')]", "b": "[variables('a')]" }
		}`, expression)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s gives %v, and should say %q", expression, err, want)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "main.json:") {
			t.Errorf("%.80s: the error has no place: %v", expression, err)
		}
	}
}
