package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"syscall"

	"github.com/cloister-ml/cloister/internal/machine"
)

// InstallService makes the agent of a home a service of this machine, when the
// machine's first process is Cloister's, and says what was done, or what to do
// where it is another.
func InstallService(home, user string) (string, error) {
	home, err := filepath.Abs(home)
	if err != nil {
		return "", err
	}
	settings, err := Load(home)
	if err != nil {
		return "", err
	}
	exe, err := os.Executable()
	if err != nil {
		return "", err
	}
	return install(machine.ServicesDir, machine.Marker, machine.Service{
		Name: serviceName(settings), Args: []string{exe, "agent", "run", "--home", home}, Cwd: home, User: user,
	})
}

// UninstallService undoes InstallService.
func UninstallService(home string) error {
	s, err := Load(home)
	if err != nil {
		return err
	}
	if err := machine.Uninstall(machine.ServicesDir, serviceName(s)); err != nil {
		return err
	}
	if !isOurInit(machine.Marker) {
		return nil
	}
	return syscall.Kill(1, syscall.SIGHUP)
}

var notServiceName = regexp.MustCompile(`[^a-zA-Z0-9._@-]`)

func serviceName(s Settings) string {
	name := "agent-" + notServiceName.ReplaceAllString(s.AgentName, "-")
	return name[:min(len(name), 64)]
}

func install(dir, marker string, s machine.Service) (string, error) {
	if !isOurInit(marker) {
		return fmt.Sprintf("this machine's first process is not Cloister's: let its own supervisor keep running\n  %s agent run --home %s", s.Args[0], s.Cwd), nil
	}
	if err := machine.Install(dir, s); err != nil {
		return "", err
	}
	if err := syscall.Kill(1, syscall.SIGHUP); err != nil {
		return "", errors.Join(errors.New("the machine's first process could not be told"), err)
	}
	return fmt.Sprintf("service %s runs; its output is in /var/log/%s.log", s.Name, s.Name), nil
}

// isOurInit says whether the first process of the machine is Cloister's: it runs
// the same file as this one, or says so.
func isOurInit(marker string) bool {
	if _, err := os.Stat(marker); err == nil {
		return true
	}
	first, err1 := os.Readlink("/proc/1/exe")
	own, err2 := os.Executable()
	return err1 == nil && err2 == nil && first == own
}
