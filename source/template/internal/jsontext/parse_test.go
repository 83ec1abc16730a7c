package jsontext_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"github.com/cloister-ml/cloister/source/template/internal/jsontext"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]any{
		`{"a": [1, -2.5, true, null, "x"],}`:                    map[string]any{"a": []any{int64(1), -2.5, true, nil, "x"}},
		"\xef\xbb\xbf// before\n{/* in */ \"a\" // after\n: 1}": map[string]any{"a": int64(1)},
		"\"two\nlines\"":             "two\nlines",
		`"\u00e9\ud83d\ude00\n\"\/"`: "é😀\n\"/",
		`1e3`:                        int64(1000),
		`9223372036854775807`:        int64(9223372036854775807),
		`[[], {},]`:                  []any{[]any{}, map[string]any{}},
	} {
		n, err := jsontext.Parse([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := n.Value(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %#v", text, got)
		}
	}
}

func TestPlaces(t *testing.T) {
	n, err := jsontext.Parse([]byte("{\n  \"a\": \"x\ny\",\n  \"B\": [\n 1 ]\n}"))
	if err != nil {
		t.Fatal(err)
	}
	b, _ := n.Member("b")
	if b.Pos != (jsontext.Pos{Line: 4, Column: 3}) || b.Value.Items[0].Pos != (jsontext.Pos{Line: 5, Column: 2}) {
		t.Errorf("the member is at %v, its element at %v", b.Pos, b.Value.Items[0].Pos)
	}
}

func TestRefused(t *testing.T) {
	for text, want := range map[string]string{
		``:              "line 1, column 1: the file ends where a value should be",
		"{\n\"a\" 1}":   `line 2, column 5: there should be a ':' after the name "a"`,
		`{'a': 1}`:      "line 1, column 2: a member's name should be here, in double quotes",
		`[1 2]`:         "line 1, column 4: there should be a ',' or a ']' here",
		"{\n\"a\": \"x": "line 2, column 6: the string that begins here has no end",
		`/* `:           "line 1, column 1: the comment that begins here has no end",
		`"\x"`:          `line 1, column 2: \x is no escape: a backslash in a string is written \\`,
		`01x`:           "line 1, column 3: there is more after the end of the value",
		`-`:             "line 1, column 1: this is not a number",
		`nul`:           "line 1, column 1: a value should be here, not 'n'",
	} {
		if _, err := jsontext.Parse([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q gives %v, and should give %s", text, err, want)
		}
	}
}

// FuzzParse holds that what encoding/json takes is taken, with the same value.
func FuzzParse(f *testing.F) {
	f.Add(`{"a": [1, -2.5e3, true, null, "\u00e9"]}`)
	f.Add("{// c\n\"a\": \"x\ny\",}")
	f.Fuzz(func(t *testing.T, text string) {
		n, err := jsontext.Parse([]byte(text))
		if err != nil {
			var bad *jsontext.Error
			if !errors.As(err, &bad) || bad.Pos.Line < 1 || bad.Pos.Column < 1 {
				t.Fatalf("%#v", err)
			}
			return
		}
		again, err := json.Marshal(n.Value())
		if err != nil {
			t.Fatal(err)
		}
		m, err := jsontext.Parse(again)
		if err != nil || !reflect.DeepEqual(n.Value(), m.Value()) {
			t.Fatalf("%s is read again as %v, %v", again, m.Value(), err)
		}
	})
}
