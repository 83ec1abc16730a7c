package funcs

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// fromStrings makes a function of n strings.
func fromStrings[T any](f func(args []string) (T, error), result cty.Type, wrap func(T) cty.Value, params ...string) function.Function {
	spec := &function.Spec{Type: function.StaticReturnType(result)}
	for _, name := range params {
		spec.Params = append(spec.Params, function.Parameter{Name: name, Type: cty.String})
	}
	spec.Impl = func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		in := make([]string, len(args))
		for i, a := range args {
			in[i] = a.AsString()
		}
		out, err := f(in)
		if err != nil {
			return cty.UnknownVal(result), err
		}
		return wrap(out), nil
	}
	return function.New(spec)
}

func toString(f func(args []string) (string, error), params ...string) function.Function {
	return fromStrings(f, cty.String, cty.StringVal, params...)
}

func toBool(f func(args []string) bool, params ...string) function.Function {
	return fromStrings(func(args []string) (bool, error) { return f(args), nil }, cty.Bool, cty.BoolVal, params...)
}

func text() map[string]function.Function {
	return map[string]function.Function{
		"endswith":    toBool(func(a []string) bool { return strings.HasSuffix(a[0], a[1]) }, "str", "suffix"),
		"startswith":  toBool(func(a []string) bool { return strings.HasPrefix(a[0], a[1]) }, "str", "prefix"),
		"strcontains": toBool(func(a []string) bool { return strings.Contains(a[0], a[1]) }, "str", "substr"),
		"replace":     toString(replace, "str", "substr", "replacement"),
		"rsadecrypt":  toString(rsaDecrypt, "ciphertext", "privatekey"),
		"urlencode":   toString(func(a []string) (string, error) { return url.QueryEscape(a[0]), nil }, "str"),
		"urldecode":   toString(func(a []string) (string, error) { return url.QueryUnescape(a[0]) }, "str"),
	}
}

// replace takes its second argument as a regular expression when it stands
// between slashes.
func replace(a []string) (string, error) {
	if old := a[1]; len(old) > 1 && strings.HasPrefix(old, "/") && strings.HasSuffix(old, "/") {
		re, err := regexp.Compile(old[1 : len(old)-1])
		if err != nil {
			return "", fmt.Errorf("the pattern does not parse: %w", err)
		}
		return re.ReplaceAllString(a[0], a[2]), nil
	}
	return strings.ReplaceAll(a[0], a[1], a[2]), nil
}
