package funcs

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// Bounds on what a function reads: a configuration names files of its own size,
// not disks.
const (
	maxFile  = 16 << 20
	maxMatch = 10_000
)

// files are the functions that read. What lies in the home of whoever runs
// Terraform is no part of the configuration: its content is not known.
func files(set Setting) map[string]function.Function {
	locate, unknown := set.locate, set.Unknown
	read := func(name string) ([]byte, error) { return set.read(name) }
	table := map[string]function.Function{
		"abspath":  toString(func(a []string) (string, error) { return filepath.Abs(locate(a[0])) }, "path"),
		"basename": toString(func(a []string) (string, error) { return path.Base(a[0]), nil }, "path"),
		"dirname":  toString(func(a []string) (string, error) { return path.Dir(a[0]), nil }, "path"),
		"pathexpand": toString(func(a []string) (string, error) {
			return a[0], nil // whose home it is depends on who runs Terraform
		}, "path"),
		"file": ofProject("file", unknown, func(a []string) (string, error) {
			b, err := read(a[0])
			if err != nil {
				return "", err
			}
			if !utf8.Valid(b) {
				return "", fmt.Errorf("%s is not UTF-8 text: filebase64 reads any file", a[0])
			}
			return string(b), nil
		}),
		"filebase64": ofProject("filebase64", unknown, func(a []string) (string, error) {
			b, err := read(a[0])
			return base64.StdEncoding.EncodeToString(b), err
		}),
		"fileexists": fromStrings(func(a []string) (bool, error) {
			at := locate(a[0])
			if err := set.Allowed(at); err != nil {
				return false, err
			}
			info, err := os.Stat(at)
			return err == nil && info.Mode().IsRegular(), nil
		}, cty.Bool, cty.BoolVal, "path"),
		"fileset": function.New(&function.Spec{
			Params: []function.Parameter{{Name: "path", Type: cty.String}, {Name: "pattern", Type: cty.String}},
			Type:   function.StaticReturnType(cty.Set(cty.String)),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				at, pattern, prefix := locate(args[0].AsString()), path.Clean(args[1].AsString()), ""
				for strings.HasPrefix(pattern, "../") {
					at, pattern, prefix = filepath.Dir(at), pattern[len("../"):], prefix+"../"
				}
				if err := set.Allowed(at); err != nil {
					return cty.NilVal, err
				}
				return fileSet(at, pattern, prefix)
			},
		}),
	}
	for name := range digests {
		of := "file" + name
		table[of] = ofProject(of, unknown, func(a []string) (string, error) {
			b, err := read(a[0])
			if err != nil {
				return "", err
			}
			return digest(name, b), nil
		})
	}
	return table
}

// ofProject is a function of a file's path.
func ofProject(name string, unknown func(string, cty.Type) cty.Value, read func([]string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			path := args[0].AsString()
			if strings.HasPrefix(path, "~") {
				return unknown(fmt.Sprintf("%s(%q)", name, path), cty.String), nil
			}
			s, err := read([]string{path})
			if err != nil {
				return cty.UnknownVal(cty.String), err
			}
			return cty.StringVal(s), nil
		},
	})
}

// locate is where a path leads.
func (set Setting) locate(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(set.Dir, name)
}

// read reads a file that the configuration names.
func (set Setting) read(name string) ([]byte, error) {
	at := set.locate(name)
	if err := set.Allowed(at); err != nil {
		return nil, err
	}
	return readFile(at, name)
}

func readFile(at, shown string) ([]byte, error) {
	info, err := os.Stat(at)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no file %s; a path is taken from the folder of the root module, so begin a module's own with ${path.module}/", shown)
	case err != nil:
		return nil, fmt.Errorf("%s cannot be read: %w", shown, errors.Unwrap(err))
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file", shown)
	}
	f, err := os.Open(at)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", shown, errors.Unwrap(err))
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", shown, err)
	}
	if len(b) > maxFile {
		return nil, fmt.Errorf("%s is larger than %d MiB", shown, maxFile>>20)
	}
	return b, nil
}

// fileSet are the files under dir that match a pattern, in which ** stands for
// any number of folders and {a,b} for either, each with the prefix.
func fileSet(dir, pattern, prefix string) (cty.Value, error) {
	var patterns [][]string
	for _, p := range alternatives(pattern, maxAlternatives) {
		if _, err := path.Match(p, ""); err != nil {
			return cty.NilVal, fmt.Errorf("%q is not a pattern", pattern)
		}
		patterns = append(patterns, strings.Split(p, "/"))
	}
	var out []cty.Value
	seen := 0
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // what cannot be read does not match, as in Terraform
		}
		if seen++; seen > 10*maxMatch || len(out) > maxMatch {
			return errors.New("too many files")
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		name := strings.Split(filepath.ToSlash(rel), "/")
		if slices.ContainsFunc(patterns, func(p []string) bool { return matchPath(p, name) }) {
			out = append(out, cty.StringVal(prefix+filepath.ToSlash(rel)))
		}
		return nil
	})
	if err != nil {
		return cty.NilVal, err
	}
	if len(out) == 0 {
		return cty.SetValEmpty(cty.String), nil
	}
	return cty.SetVal(out), nil
}

// maxAlternatives bounds what the braces of one pattern may stand for.
const maxAlternatives = 256

// alternatives are the patterns without braces that a pattern stands for. Braces
// that do not close are letters.
func alternatives(pattern string, limit int) []string {
	open := strings.IndexByte(pattern, '{')
	if open < 0 {
		return []string{pattern}
	}
	var choices []string
	depth, from := 0, open+1
	for i := open; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '{':
			depth++
		case c == ',' && depth == 1:
			choices, from = append(choices, pattern[from:i]), i+1
		case c == '}':
			if depth--; depth > 0 {
				continue
			}
			var out []string
			for _, choice := range append(choices, pattern[from:i]) {
				out = append(out, alternatives(pattern[:open]+choice+pattern[i+1:], limit-len(out))...)
				if len(out) >= limit {
					break
				}
			}
			return out
		}
	}
	return []string{pattern}
}

func matchPath(pattern, name []string) bool {
	if len(pattern) == 0 {
		return len(name) == 0
	}
	if pattern[0] == "**" {
		for i := 0; i <= len(name); i++ {
			if matchPath(pattern[1:], name[i:]) {
				return true
			}
		}
		return false
	}
	if len(name) == 0 {
		return false
	}
	ok, _ := path.Match(pattern[0], name[0])
	return ok && matchPath(pattern[1:], name[1:])
}
