package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/durable"
	"github.com/cloister-ml/cloister/internal/rootless"
)

// State is what a running daemon says of itself in daemon.json.
type State struct {
	Name    string    `json:"name"`
	PID     int       `json:"pid"`
	User    string    `json:"user,omitempty"` // id on the host of the ordinary user who runs it in namespaces
	Started time.Time `json:"started"`
	Binary  string    `json:"binary"` // what identifies the program that runs
	Listen  string    `json:"listen"` // address of the control plane on the host
	Proxy   string    `json:"proxy"`  // address on the host that leads to the cloud's public names
	CA      string    `json:"ca"`     // file of the cloud's certificate
	Bundle  string    `json:"bundle"` // file of the system's certificates and the cloud's
}

// Paths below a cloud's folder.
func stateFile(dir string) string  { return filepath.Join(dir, "daemon.json") }
func ownerFile(dir string) string  { return filepath.Join(dir, "owner.json") }
func socketFile(dir string) string { return filepath.Join(dir, "cloister.sock") }

func packagesFile(dir string) string { return filepath.Join(dir, "packages.json") }

func (d *Daemon) bundleFile() string { return filepath.Join(d.options.Dir, "trusted.pem") }

// writeState says that the daemon runs, and keeps the owner's credentials where
// only the user may read them.
func (d *Daemon) writeState(ctx context.Context, listen, proxy string) error {
	if err := d.keepOwner(ctx); err != nil {
		return err
	}
	binary, err := BinaryID()
	if err != nil {
		return err
	}
	user, _ := rootless.User()
	data, err := json.Marshal(State{
		Name: d.options.Name, PID: os.Getpid(), User: user, Started: time.Now(), Binary: binary,
		Listen: listen, Proxy: proxy, CA: d.cloud.CA().File(), Bundle: d.bundleFile(),
	})
	if err != nil {
		return err
	}
	return durable.WriteFile(stateFile(d.options.Dir), data)
}

func (d *Daemon) removeState() error {
	return errors.Join(ignoreMissing(os.Remove(stateFile(d.options.Dir))), ignoreMissing(os.Remove(socketFile(d.options.Dir))))
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// keepOwner writes the owner's credentials, new ones where a process that made
// the cloud was killed before it had.
func (d *Daemon) keepOwner(ctx context.Context) error {
	credentials, first := d.cloud.FirstStart()
	if !first {
		if _, err := os.Stat(ownerFile(d.options.Dir)); err == nil {
			return nil
		}
		var err error
		if credentials, err = d.cloud.RenewOwner(ctx); err != nil {
			return err
		}
	}
	data, err := json.Marshal(credentials)
	if err != nil {
		return err
	}
	return durable.WriteFile(ownerFile(d.options.Dir), data)
}

// ReadOwner reads the owner's credentials of the cloud in dir.
func ReadOwner(dir string) (cloud.Credentials, error) {
	var c cloud.Credentials
	data, err := os.ReadFile(ownerFile(dir))
	if err != nil {
		return c, fmt.Errorf("reading the owner's credentials: %w", err)
	}
	return c, json.Unmarshal(data, &c)
}

// BinaryID identifies this program: a daemon of another build is to be restarted.
func BinaryID() (string, error) {
	info, err := os.Stat("/proc/self/exe")
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d-%d", info.Size(), info.ModTime().UnixNano()), nil
}

// machinePackages are the pip packages of the machines' root.
func (d *Daemon) machinePackages() ([]string, error) {
	data, err := os.ReadFile(packagesFile(d.options.Dir))
	if err != nil {
		return nil, ignoreMissing(err)
	}
	var out []string
	return out, json.Unmarshal(data, &out)
}

// SetPackages settles which pip packages the machines of the cloud in dir have
// that are started from now on.
func SetPackages(dir string, packages []string) error {
	data, err := json.Marshal(packages)
	if err != nil {
		return err
	}
	return durable.WriteFile(packagesFile(dir), data)
}
