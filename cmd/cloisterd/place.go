package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/internal/daemon"
	"github.com/cloister-ml/cloister/internal/mission"
)

// place says which cloud a command is about.
type place struct {
	name string
	data string
}

// flags adds --name and --data to a command.
func (p *place) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.name, "name", envOr("CLOISTER_NAME", "cloister"), "which cloud: 1 to 16 lower-case letters and digits (CLOISTER_NAME)")
	cmd.Flags().StringVar(&p.data, "data", os.Getenv("CLOISTER_DATA"), "folder that keeps the cloud (CLOISTER_DATA; /var/lib/cloister/NAME, without root ~/.local/share/cloister/NAME)")
}

var cloudName = regexp.MustCompile(`^[a-z0-9]{1,16}$`)

// check refuses a name that the kernel's objects cannot bear.
func (p place) check() error {
	if !cloudName.MatchString(p.name) {
		return fmt.Errorf("%q cannot name a cloud: use 1 to 16 lower-case letters and digits (--name)", p.name)
	}
	return nil
}

// dir is the cloud's folder.
func (p place) dir() string {
	if p.data != "" {
		if abs, err := filepath.Abs(p.data); err == nil {
			return abs
		}
		return p.data
	}
	return filepath.Join(mission.Clouds(), p.name)
}

// cache is where roots and layers are kept, for all clouds.
func cacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding a folder for downloads (set XDG_CACHE_HOME): %w", err)
	}
	return filepath.Join(dir, "cloister"), nil
}

// dial finds the running cloud.
func (p place) dial() (*daemon.Client, error) {
	c, err := daemon.Dial(p.dir())
	if errors.Is(err, daemon.ErrNotRunning) {
		return nil, fmt.Errorf("%w in %s: start one with `cloister up DIR`, or name its folder with --data", err, p.dir())
	}
	return c, err
}

func envOr(name, def string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return def
}
