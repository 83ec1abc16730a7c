package daemon

import (
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/bastion"
	"github.com/cloister-ml/cloister/internal/machine"
	"github.com/cloister-ml/cloister/internal/sandbox"
	"github.com/cloister-ml/cloister/internal/sshd"
)

// authority is the private key that signs certificates for logins.
func (d *Daemon) authority() ([]byte, error) {
	d.mu.Lock() // one makes it
	defer d.mu.Unlock()
	return bastion.KeptKey(filepath.Join(d.options.Dir, "ssh_authority"))
}

// hostKey is the private key by which a machine is known, as long as its disk.
func (d *Daemon) hostKey(vm arm.ID) ([]byte, error) {
	dir := filepath.Dir(d.disk(vm))
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return nil, err
	}
	return bastion.KeptKey(filepath.Join(dir, "ssh_host_key"))
}

// sshFiles are a virtual machine's SSH server: that it runs, and whom it lets in.
func (d *Daemon) sshFiles(vm arm.Resource) (map[string]sandbox.File, error) {
	host, err := d.hostKey(vm.ID)
	if err != nil {
		return nil, err
	}
	authority, err := d.authority()
	if err != nil {
		return nil, err
	}
	config := sshd.Config{HostKey: string(host), Machine: vm.ID.Key(), Keys: d.publicKeys(vm)}
	if config.Authority, err = bastion.PublicLine(authority); err != nil {
		return nil, err
	}
	settings, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	service, err := json.Marshal(machine.Service{Name: "sshd", Args: []string{binaryPath, "machine", "sshd"}})
	if err != nil {
		return nil, err
	}
	return map[string]sandbox.File{
		sshd.ConfigFile: {Data: settings, Mode: 0o600},
		path.Join(machine.ServicesDir, "sshd.json"): {Data: service, Mode: 0o600},
	}, nil
}

// publicKeys are those that the machine's document gives its accounts.
func (d *Daemon) publicKeys(vm arm.Resource) map[string][]string {
	out := map[string][]string{}
	for _, k := range arm.Objects(vm.Properties, "osProfile.linuxConfiguration.ssh.publicKeys") {
		account := accountOf(arm.String(k, "path"))
		if account == "" {
			account = adminOf(vm)
		}
		line := strings.TrimSpace(arm.String(k, "keyData"))
		if _, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line)); err != nil || !sshd.ValidAccount(account) {
			d.log.Warn("a public key of a virtual machine cannot be used", "machine", vm.Name, "account", account, "error", err)
			continue
		}
		out[account] = append(out[account], line)
	}
	return out
}

// accountOf is whose authorized_keys a path is.
func accountOf(path string) string {
	rest, ok := strings.CutPrefix(path, "/home/")
	if !ok {
		return ""
	}
	account, _, _ := strings.Cut(rest, "/")
	return account
}

func adminOf(vm arm.Resource) string { return arm.String(vm.Properties, "osProfile.adminUsername") }
