package sshd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"

	"golang.org/x/crypto/ssh"
)

// ConfigFile is where a machine finds its server's configuration.
const ConfigFile = "/etc/cloister/ssh.json"

// Config is what a server must know. It holds a private key: its file is for root
// alone.
type Config struct {
	HostKey   string              `json:"hostKey"`             // PEM, OpenSSH's format
	Machine   string              `json:"machine"`             // that certificates must name
	Authority string              `json:"authority,omitempty"` // public key that signs certificates, in authorized_keys format
	Keys      map[string][]string `json:"keys,omitempty"`      // public keys of each account, likewise
}

// maxConfig bounds a configuration file.
const maxConfig = 1 << 20

// ReadConfig reads a configuration file.
func ReadConfig(path string) (Config, error) {
	var c Config
	f, err := os.Open(path)
	if err != nil {
		return c, fmt.Errorf("reading the SSH server's configuration: %w", err)
	}
	defer f.Close()
	if err := json.NewDecoder(io.LimitReader(f, maxConfig)).Decode(&c); err != nil {
		return c, fmt.Errorf("reading %s: %w", path, err)
	}
	return c, nil
}

// Principal is what a certificate must name to be good for an account of a machine.
func Principal(account, machine string) string { return account + "@" + machine }

// account names are those that useradd takes.
var accountName = regexp.MustCompile(`^[a-z_][a-z0-9_-]{0,31}$`)

// ValidAccount reports whether an account may have this name.
func ValidAccount(name string) bool { return accountName.MatchString(name) }

// door is a configuration as the handshake needs it.
type door struct {
	machine   string
	authority ssh.PublicKey // nil for none
	keys      map[string]map[string]bool
	host      ssh.Signer
}

func (c Config) door() (door, error) {
	d := door{machine: c.Machine, keys: map[string]map[string]bool{}}
	var err error
	if d.host, err = ssh.ParsePrivateKey([]byte(c.HostKey)); err != nil {
		return d, errors.New("the SSH server's host key cannot be read") // the library's words might hold a part of it
	}
	if c.Authority != "" {
		if d.authority, err = parseKey(c.Authority); err != nil {
			return d, fmt.Errorf("the key of the certificates' authority: %w", err)
		}
	}
	for account, lines := range c.Keys {
		if !ValidAccount(account) {
			return d, fmt.Errorf("%q cannot be the name of an account", account)
		}
		d.keys[account] = map[string]bool{}
		for _, line := range lines {
			key, err := parseKey(line)
			if err != nil {
				return d, fmt.Errorf("a public key of %s: %w", account, err)
			}
			d.keys[account][string(key.Marshal())] = true
		}
	}
	return d, nil
}

func parseKey(line string) (ssh.PublicKey, error) {
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
	return key, err
}

var errRefused = errors.New("this key may not log in")

// admit says who a key is: the label goes to the log.
func (d door) admit(account string, key ssh.PublicKey) (label string, err error) {
	if !ValidAccount(account) {
		return "", errRefused
	}
	cert, ok := key.(*ssh.Certificate)
	if !ok {
		if d.keys[account][string(key.Marshal())] {
			return "key " + ssh.FingerprintSHA256(key), nil
		}
		return "", errRefused
	}
	if d.authority == nil || cert.CertType != ssh.UserCert || string(cert.SignatureKey.Marshal()) != string(d.authority.Marshal()) {
		return "", errRefused
	}
	// CheckCert alone takes a certificate without principals for anybody's.
	if len(cert.ValidPrincipals) == 0 {
		return "", errRefused
	}
	checker := ssh.CertChecker{IsUserAuthority: func(k ssh.PublicKey) bool { return string(k.Marshal()) == string(d.authority.Marshal()) }}
	if err := checker.CheckCert(Principal(account, d.machine), cert); err != nil {
		return "", fmt.Errorf("%w: %w", errRefused, err)
	}
	return "certificate of " + cert.KeyId, nil
}
