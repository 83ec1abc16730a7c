package bastion

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/crypto/ssh"
)

// CertificateTime is how long a certificate may be used to log in; who is logged
// in stays.
const CertificateTime = 5 * time.Minute

// clockSkew is how far a machine's clock may be behind.
const clockSkew = time.Minute

// NewKey makes a key pair of Ed25519 (RFC 8709) in OpenSSH's format, and the line
// for authorized_keys.
func NewKey() (private []byte, public string, err error) {
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, "", err
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		return nil, "", err
	}
	line, err := ssh.NewPublicKey(pub)
	if err != nil {
		return nil, "", err
	}
	return pem.EncodeToMemory(block), string(ssh.MarshalAuthorizedKey(line)), nil
}

// KeptKey reads the private key in a file, and makes one where there is none.
func KeptKey(path string) ([]byte, error) {
	key, err := os.ReadFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if key, _, err = NewKey(); err != nil {
		return nil, err
	}
	return key, os.WriteFile(path, key, 0o600)
}

// PublicLine is the authorized_keys line of a private key.
func PublicLine(private []byte) (string, error) {
	signer, err := ssh.ParsePrivateKey(private)
	if err != nil {
		return "", errors.New("a private key cannot be read") // the library's words might hold a part of it
	}
	return string(ssh.MarshalAuthorizedKey(signer.PublicKey())), nil
}

// Certify signs a public key (an authorized_keys line) as one principal until
// [CertificateTime] from now; label is who it is given to, for the machine's log.
func Certify(authority []byte, public, principal, label string, now time.Time) (string, error) {
	signer, err := ssh.ParsePrivateKey(authority)
	if err != nil {
		return "", errors.New("the authority's private key cannot be read")
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(public))
	if err != nil {
		return "", fmt.Errorf("the public key to certify: %w", err)
	}
	if _, isCert := key.(*ssh.Certificate); isCert {
		return "", errors.New("the public key to certify is a certificate already")
	}
	var serial [8]byte
	if _, err := rand.Read(serial[:]); err != nil {
		return "", err
	}
	cert := &ssh.Certificate{
		Key: key, CertType: ssh.UserCert, KeyId: label, Serial: binary.BigEndian.Uint64(serial[:]), ValidPrincipals: []string{principal},
		ValidAfter: uint64(now.Add(-clockSkew).Unix()), ValidBefore: uint64(now.Add(CertificateTime).Unix()),
		Permissions: ssh.Permissions{Extensions: map[string]string{"permit-pty": "", "permit-port-forwarding": ""}},
	}
	if err := cert.SignCert(rand.Reader, signer); err != nil {
		return "", fmt.Errorf("signing a certificate: %w", err)
	}
	return string(ssh.MarshalAuthorizedKey(cert)), nil
}
