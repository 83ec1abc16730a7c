package funcs

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"unicode/utf8"

	yaml "github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty/function"
	"golang.org/x/text/encoding/ianaindex"
)

func encoding() map[string]function.Function {
	return map[string]function.Function{
		"base64encode":     toString(func(a []string) (string, error) { return base64.StdEncoding.EncodeToString([]byte(a[0])), nil }, "str"),
		"base64decode":     toString(func(a []string) (string, error) { return decodeBase64(a[0]) }, "str"),
		"base64gzip":       toString(base64gzip, "str"),
		"textencodebase64": toString(textEncode, "str", "encoding"),
		"textdecodebase64": toString(textDecode, "str", "encoding"),
		"yamldecode":       yaml.YAMLDecodeFunc,
		"yamlencode":       yaml.YAMLEncodeFunc,
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
	// Terraform flushes too, which shows in the bytes.
	if err := errors.Join(w.Flush(), w.Close()); err != nil {
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
