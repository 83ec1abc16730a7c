package mlclient

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// always are never part of a folder's code.
var always = []string{".git/", "__pycache__/", ".ipynb_checkpoints/", ".amlignore"}

// ignore says which files of a folder are left out, by the rules of .gitignore.
type ignore struct{ rules []rule }

type rule struct {
	negate, dirOnly bool
	parts           []string // of the pattern; "**" matches any number of names
}

// readIgnore reads a folder's .amlignore, or its .gitignore.
func readIgnore(dir string) (ignore, error) {
	var ig ignore
	for _, line := range always {
		ig.add(line)
	}
	for _, name := range []string{".amlignore", ".gitignore"} {
		f, err := os.Open(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return ig, err
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			ig.add(lines.Text())
		}
		return ig, lines.Err()
	}
	return ig, nil
}

// add reads one line.
func (ig *ignore) add(line string) {
	line = strings.TrimRight(line, "\r")
	for strings.HasSuffix(line, " ") && !strings.HasSuffix(line, `\ `) {
		line = line[:len(line)-1]
	}
	if line == "" || line[0] == '#' {
		return
	}
	var r rule
	if line[0] == '!' {
		r.negate, line = true, line[1:]
	}
	line = strings.TrimPrefix(line, `\`)
	if strings.HasSuffix(line, "/") {
		r.dirOnly, line = true, strings.TrimSuffix(line, "/")
	}
	anchored := strings.Contains(line, "/")
	line = strings.TrimPrefix(line, "/")
	if line == "" {
		return
	}
	r.parts = strings.Split(line, "/")
	if !anchored {
		r.parts = append([]string{"**"}, r.parts...)
	}
	ig.rules = append(ig.rules, r)
}

// ignored reports whether a file (a slash-separated path) is left out: by itself,
// or with a folder that it is in.
func (ig ignore) ignored(file string) bool {
	names := strings.Split(file, "/")
	for n := 1; n <= len(names); n++ {
		if ig.one(names[:n], n < len(names)) {
			return true // what is below a folder that is left out cannot be taken back in
		}
	}
	return false
}

// one decides about one path; the last rule that matches wins.
func (ig ignore) one(names []string, dir bool) bool {
	out := false
	for _, r := range ig.rules {
		if r.dirOnly && !dir {
			continue
		}
		if matchParts(r.parts, names) {
			out = !r.negate
		}
	}
	return out
}

func matchParts(pattern, names []string) bool {
	for len(pattern) > 0 {
		if pattern[0] == "**" {
			if len(pattern) == 1 {
				return len(names) > 0
			}
			for i := range names {
				if matchParts(pattern[1:], names[i:]) {
					return true
				}
			}
			return false
		}
		if len(names) == 0 {
			return false
		}
		if ok, err := path.Match(pattern[0], names[0]); err != nil || !ok {
			return false
		}
		pattern, names = pattern[1:], names[1:]
	}
	return len(names) == 0
}
