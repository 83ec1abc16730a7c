package sandbox

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"
)

// Spec describes a process tree.
type Spec struct {
	Name     string   // unique in the runtime: letters, digits, '.', '_' and '-', at most 100
	Layers   []string // folders that make up the root, lowest first; never written to
	Upper    string   // folder that keeps what the sandbox writes; "" for one that goes with the sandbox
	NetNS    string   // path of a network namespace; "" for one without any interface but loopback
	Hostname string
	Args     []string
	Env      []string // NAME=value; PATH and HOME have defaults
	Cwd      string   // default /
	UID, GID uint32   // of the process; a writable mount's source is given to them
	Mounts   []Mount
	Files    map[string]File // laid into the root before the start, by absolute path
	Limits   Limits
	// Machine gives the process what an operating system's own init and services
	// need (changing owners and users, low ports, a writable /run); a job has no
	// capability at all.
	Machine        bool
	Stdout, Stderr io.Writer // nil discards
}

// Mount binds a host file or folder into the root.
type Mount struct {
	Source, Target string
	ReadOnly       bool
}

// File is a file's content and permission bits.
type File struct {
	Data []byte
	Mode uint32
}

// Limits bound a process tree; zero means no limit of that kind.
type Limits struct {
	CPUs   float64 // cores
	Memory int64   // bytes
	PIDs   int64
}

var validName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}$`)

func (s Spec) validate() error {
	if !validName.MatchString(s.Name) {
		return fmt.Errorf("%q is not a sandbox name", s.Name)
	}
	if len(s.Args) == 0 {
		return errors.New("no command to run")
	}
	if len(s.Layers) == 0 {
		return errors.New("no root: a sandbox needs at least one layer")
	}
	for _, l := range s.Layers {
		if !mountable(l) {
			return fmt.Errorf("the layer %q must be an absolute path without ':', ',' or '\\'", l)
		}
	}
	if s.Upper != "" && !mountable(s.Upper) {
		return fmt.Errorf("the upper folder %q must be an absolute path without ':', ',' or '\\'", s.Upper)
	}
	for _, m := range s.Mounts {
		if !filepath.IsAbs(m.Source) || !inRoot(m.Target) {
			return fmt.Errorf("the mount of %q at %q must have absolute, clean paths", m.Source, m.Target)
		}
	}
	for path := range s.Files {
		if !inRoot(path) {
			return fmt.Errorf("the file %q must have an absolute, clean path", path)
		}
	}
	return nil
}

// mountable reports whether a folder can be named in an overlay's options, in which
// some characters have a meaning.
func mountable(path string) bool { return filepath.IsAbs(path) && !strings.ContainsAny(path, ":,\\") }

// inRoot reports whether path is absolute and stays below the root.
func inRoot(path string) bool {
	return filepath.IsAbs(path) && filepath.Clean(path) == path && path != "/"
}
