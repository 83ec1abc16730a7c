package sshd

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/cloister-ml/cloister/internal/rootless"
)

// account is an entry of /etc/passwd.
type account struct {
	name     string
	uid, gid uint32
	home     string
	shell    string
}

// accounts are those of a machine, in the files below its /etc.
type accounts struct {
	root string // "" is the machine's own
	mu   sync.Mutex
}

// firstUID is where the accounts begin that are made here.
const firstUID = 2000

// need finds an account, and makes it where there is none: Azure's login extension
// does so too at a caller's first login.
func (a *accounts) need(name string) (account, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	passwd := a.root + "/etc/passwd"
	all, err := readAccounts(passwd)
	if err != nil {
		return account{}, err
	}
	next := uint32(firstUID)
	for _, one := range all {
		if one.name == name {
			return one, nil
		}
		if one.uid >= next && one.uid < 60000 {
			next = one.uid + 1
		}
	}
	if n, err := rootless.IDs(); err == nil && uint64(next) >= n {
		next = 0 // a machine with one user id: everybody is its root, as `cloister up` has said
	}
	made := account{name: name, uid: next, gid: next, home: "/home/" + name, shell: a.shell()}
	home := filepath.Join(a.root, made.home)
	if err := os.MkdirAll(filepath.Dir(home), 0o755); err != nil {
		return account{}, err
	}
	if err := os.Mkdir(home, 0o700); err != nil && !os.IsExist(err) {
		return account{}, err
	}
	if err := os.Lchown(home, int(made.uid), int(made.gid)); err != nil {
		return account{}, fmt.Errorf("giving %s its home: %w", name, err)
	}
	if err := appendLine(a.root+"/etc/group", fmt.Sprintf("%s:x:%d:", name, made.gid)); err != nil {
		return account{}, err
	}
	return made, appendLine(passwd, fmt.Sprintf("%s:x:%d:%d::%s:%s", name, made.uid, made.gid, made.home, made.shell))
}

func (a *accounts) shell() string {
	if _, err := os.Stat(a.root + "/bin/bash"); err == nil {
		return "/bin/bash"
	}
	return "/bin/sh"
}

func readAccounts(path string) ([]account, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []account
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Split(lines.Text(), ":")
		if len(fields) != 7 {
			continue
		}
		uid, err1 := strconv.ParseUint(fields[2], 10, 32)
		gid, err2 := strconv.ParseUint(fields[3], 10, 32)
		if err1 != nil || err2 != nil {
			continue
		}
		out = append(out, account{name: fields[0], uid: uint32(uid), gid: uint32(gid), home: fields[5], shell: fields[6]})
	}
	return out, lines.Err()
}

// appendLine adds a line to a file that ends with a newline, or is empty.
func appendLine(path, line string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(line + "\n")
	return err
}

// credential makes a process the account's; nil for who runs the server anyway.
func (u account) credential() *syscall.Credential {
	if int(u.uid) == os.Geteuid() {
		return nil
	}
	return &syscall.Credential{Uid: u.uid, Gid: u.gid, Groups: []uint32{u.gid}}
}

func (u account) environment() []string {
	return []string{
		"HOME=" + u.home, "USER=" + u.name, "LOGNAME=" + u.name, "SHELL=" + u.shell,
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
	}
}

// folder is where the account's processes begin.
func (u account) folder() string {
	if info, err := os.Stat(u.home); err == nil && info.IsDir() {
		return u.home
	}
	return "/"
}
