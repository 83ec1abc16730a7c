package machine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// ServicesDir is where a machine's services are written down, one a file.
const ServicesDir = "/etc/cloister/services.d"

// Service is a program that runs as long as the machine does.
type Service struct {
	Name string   `json:"name"`
	Args []string `json:"args"`
	Env  []string `json:"env,omitempty"` // NAME=VALUE, beside the machine's own
	Cwd  string   `json:"cwd,omitempty"`
	User string   `json:"user,omitempty"` // root when empty
}

var serviceName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._@-]{0,63}$`)

func (s Service) validate() error {
	switch {
	case !serviceName.MatchString(s.Name):
		return fmt.Errorf("%q cannot be the name of a service", s.Name)
	case len(s.Args) == 0 || !filepath.IsAbs(s.Args[0]):
		return fmt.Errorf("service %s: args must begin with the absolute path of a program", s.Name)
	case s.Cwd != "" && !filepath.IsAbs(s.Cwd):
		return fmt.Errorf("service %s: cwd must be an absolute path", s.Name)
	}
	return nil
}

// Install writes a service down in a folder. The machine starts it when it is told
// to look again.
func Install(dir string, s Service) error {
	if err := s.validate(); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	temp := filepath.Join(dir, "."+s.Name+".new")
	if err := os.WriteFile(temp, append(text, '\n'), 0o600); err != nil { // its environment may hold secrets
		return err
	}
	return os.Rename(temp, servicePath(dir, s.Name))
}

// Uninstall removes a service from a folder.
func Uninstall(dir, name string) error {
	err := os.Remove(servicePath(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func servicePath(dir, name string) string { return filepath.Join(dir, name+".json") }

const maxServiceFile = 1 << 20

// readServices reads all services of a folder. A file that cannot be read is an
// error that does not keep the others from starting.
func readServices(dir string) (services []Service, errs []error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, []error{err}
	}
	seen := map[string]bool{}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || !strings.HasSuffix(e.Name(), ".json") {
			continue
		}
		s, err := readService(filepath.Join(dir, e.Name()))
		if err == nil && seen[s.Name] {
			err = fmt.Errorf("there are two services %s", s.Name)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", e.Name(), err))
			continue
		}
		seen[s.Name] = true
		services = append(services, s)
	}
	return services, errs
}

func readService(path string) (Service, error) {
	var s Service
	info, err := os.Stat(path)
	if err != nil {
		return s, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxServiceFile {
		return s, errors.New("not a file of a service")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, err
	}
	return s, s.validate()
}

// same says that a service is as it was.
func (s Service) same(other Service) bool {
	return s.Name == other.Name && s.Cwd == other.Cwd && s.User == other.User &&
		slices.Equal(s.Args, other.Args) && slices.Equal(s.Env, other.Env)
}
