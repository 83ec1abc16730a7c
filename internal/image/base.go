package image

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/internal/rootless"
)

// Cache keeps bases and layers that are made on this machine.
type Cache struct {
	Dir      string            // made when missing
	Progress func(line string) // told what takes long; may be nil
}

// BaseName is how an environment asks for the base root, in place of an image
// from a registry.
const BaseName = "cloister/python"

// basePackages are what machines and environments stand on.
var basePackages = []string{"ca-certificates", "curl", "git", "python3", "iproute2", "iputils-ping"}

// Base is the folder of the base root: the distribution that this machine runs,
// as mmdebstrap builds it, with Python, git, curl and ping.
func (c Cache) Base(ctx context.Context) (string, error) {
	suite, err := codename()
	if err != nil {
		return "", err
	}
	name := "base-" + suite + "-" + key(basePackages)
	dir := filepath.Join(c.Dir, name)
	return dir, c.once(dir, "building the base root ("+suite+", about 20 s)", func(tmp string) error {
		if rootless.Ordinary() {
			return ordinaryBase(ctx, suite, filepath.Join(sharedDir, name+".tar.zst"), tmp)
		}
		if err := runQuiet(mmdebstrap(ctx, "directory", suite, tmp)); err != nil {
			return fmt.Errorf("building the base root with mmdebstrap: %w", err)
		}
		return nil
	})
}

func mmdebstrap(ctx context.Context, format, suite, target string) *exec.Cmd {
	return exec.CommandContext(ctx, "mmdebstrap", "--quiet", "--variant=minbase", "--format="+format,
		"--include="+strings.Join(basePackages, ","),
		"--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
		suite, target)
}

// codename is the distribution's suite, as os-release says.
func codename() (string, error) {
	data, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return "", fmt.Errorf("finding out which distribution this is: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "VERSION_CODENAME="); ok {
			return strings.Trim(name, `"`), nil
		}
	}
	return "", errors.New("this distribution has no VERSION_CODENAME in /etc/os-release: Debian or Ubuntu is needed to build the base root")
}

// Python is the folder of a layer with pip packages for the Python of the base
// root, installed from wheels only: nothing of theirs is run.
func (c Cache) Python(ctx context.Context, base string, requirements []string) (string, error) {
	version, err := pythonVersion(base)
	if err != nil {
		return "", err
	}
	requirements = slices.Sorted(slices.Values(requirements))
	for _, r := range requirements {
		if strings.HasPrefix(r, "-") || strings.ContainsAny(r, "\n\r/@") {
			return "", fmt.Errorf("the requirement %q is not the name and version of a package", r)
		}
	}
	dir := filepath.Join(c.Dir, "python-"+version+"-"+key(requirements))
	return dir, c.once(dir, "installing "+strings.Join(requirements, ", "), func(tmp string) error {
		target := filepath.Join(tmp, "usr/local/lib/python"+version+"/dist-packages")
		if err := os.MkdirAll(target, 0o755); err != nil {
			return err
		}
		args := []string{
			"-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-compile",
			"--target", target, "--only-binary=:all:", "--implementation=cp", "--python-version=" + version,
		}
		cmd := exec.CommandContext(ctx, "python3", append(append(args, platforms()...), requirements...)...)
		if err := runQuiet(cmd); err != nil {
			return fmt.Errorf("installing the Python packages: %w", err)
		}
		return compile(ctx, version, target)
	})
}

// ownPython is the version of this machine's own Python, as 3.12; "" where it has
// none.
func ownPython(ctx context.Context) string {
	out, _ := exec.CommandContext(ctx, "python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])").Output()
	return strings.TrimSpace(string(out))
}

// compile byte-compiles the packages where this machine's Python is of the root's
// version: nothing can be written to a layer later, and importing sources takes
// seconds each time.
func compile(ctx context.Context, version, target string) error {
	if ownPython(ctx) != version {
		return nil
	}
	cmd := exec.CommandContext(ctx, "python3", "-m", "compileall", "-q", "-j0", "--invalidation-mode=unchecked-hash", target)
	if err := runQuiet(cmd); err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) && ctx.Err() == nil {
			return nil // some package has a file for another Python; the rest is compiled
		}
		return fmt.Errorf("compiling the Python packages: %w", err)
	}
	return nil
}

// platforms are the wheel platforms (PEP 600) that the base root's C library runs.
func platforms() []string {
	arch := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	out := []string{"--platform=manylinux2014_" + arch}
	for minor := 17; minor <= 36; minor++ {
		out = append(out, fmt.Sprintf("--platform=manylinux_2_%d_%s", minor, arch))
	}
	return out
}

// pythonVersion is the major and minor version of a root's Python, as 3.11.
func pythonVersion(base string) (string, error) {
	link, err := os.Readlink(filepath.Join(base, "usr/bin/python3"))
	if err != nil {
		return "", fmt.Errorf("finding the base root's Python: %w", err)
	}
	return strings.TrimPrefix(filepath.Base(link), "python"), nil
}

// once makes the folder dir with build, unless it is there.
func (c Cache) once(dir, what string, build func(tmp string) error) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if c.Progress != nil {
		c.Progress(what)
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(c.Dir, ".making-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	if err := build(tmp); err != nil {
		return err
	}
	err = os.Rename(tmp, dir)
	if _, statErr := os.Stat(dir); err != nil && statErr == nil {
		return nil // another process made it meanwhile
	}
	return err
}

func key(parts []string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	return hex.EncodeToString(sum[:6])
}

// runQuiet runs a command and gives the end of what it said when it fails.
func runQuiet(cmd *exec.Cmd) error {
	out := &end{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, out.text())
	}
	return nil
}

// end is what is written to it, of which text tells the end.
type end struct{ bytes.Buffer }

func (e *end) text() string {
	said := strings.TrimSpace(e.String())
	if len(said) > 600 {
		said = "..." + said[len(said)-600:]
	}
	return said
}
