package funcs

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	ctyjson "github.com/zclconf/go-cty/cty/json"
	"go.yaml.in/yaml/v4"
	"golang.org/x/text/encoding/ianaindex"
)

func encoding() map[string]function.Function {
	return map[string]function.Function{
		"base64encode":     toString(func(a []string) (string, error) { return base64.StdEncoding.EncodeToString([]byte(a[0])), nil }, "str"),
		"base64decode":     toString(func(a []string) (string, error) { return decodeBase64(a[0]) }, "str"),
		"base64gzip":       toString(base64gzip, "str"),
		"textencodebase64": toString(textEncode, "str", "encoding"),
		"textdecodebase64": toString(textDecode, "str", "encoding"),
		"yamldecode":       yamlDecode,
		"yamlencode":       yamlEncode,
	}
}

func decodeBase64(s string) (string, error) {
	out, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return "", errors.New("the string is not base64")
	}
	if !utf8.Valid(out) {
		return "", errors.New("the decoded bytes are not UTF-8 text")
	}
	return string(out), nil
}

func base64gzip(a []string) (string, error) {
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write([]byte(a[0])); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(buf.Bytes()), nil
}

func textEncode(a []string) (string, error) {
	enc, err := ianaindex.IANA.Encoding(a[1])
	if err != nil || enc == nil {
		return "", fmt.Errorf("%q is not a character encoding that IANA lists", a[1])
	}
	out, err := enc.NewEncoder().String(a[0])
	return base64.StdEncoding.EncodeToString([]byte(out)), err
}

func textDecode(a []string) (string, error) {
	enc, err := ianaindex.IANA.Encoding(a[1])
	if err != nil || enc == nil {
		return "", fmt.Errorf("%q is not a character encoding that IANA lists", a[1])
	}
	raw, err := base64.StdEncoding.DecodeString(a[0])
	if err != nil {
		return "", errors.New("the string is not base64")
	}
	out, err := enc.NewDecoder().Bytes(raw)
	return string(out), err
}

// YAML passes through JSON on both ways: what has no JSON form has no value in
// the language either.
var yamlDecode = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "src", Type: cty.String}},
	Type:   function.StaticReturnType(cty.DynamicPseudoType),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		var v any
		if err := yaml.Unmarshal([]byte(args[0].AsString()), &v); err != nil {
			return cty.NilVal, fmt.Errorf("the YAML does not parse: %w", err)
		}
		raw, err := json.Marshal(v)
		if err != nil {
			return cty.NilVal, fmt.Errorf("the YAML has a part without a JSON form: %w", err)
		}
		t, err := ctyjson.ImpliedType(raw)
		if err != nil {
			return cty.NilVal, err
		}
		return ctyjson.Unmarshal(raw, t)
	},
})

var yamlEncode = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowDynamicType: true, AllowNull: true}},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if !args[0].IsWhollyKnown() {
			return cty.UnknownVal(cty.String), nil
		}
		raw, err := ctyjson.Marshal(args[0], args[0].Type())
		if err != nil {
			return cty.NilVal, err
		}
		var v any
		if err := json.Unmarshal(raw, &v); err != nil {
			return cty.NilVal, err
		}
		out, err := yaml.Marshal(v)
		return cty.StringVal(string(out)), err
	},
})
