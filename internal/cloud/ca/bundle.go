package ca

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// systemBundles are where Linux distributions keep their trusted roots.
var systemBundles = []string{
	"/etc/ssl/certs/ca-certificates.crt", // Debian, Ubuntu, Alpine
	"/etc/pki/tls/certs/ca-bundle.crt",   // Fedora, RHEL
	"/etc/ssl/ca-bundle.pem",             // SUSE
	"/etc/ssl/cert.pem",
}

// WriteBundle writes what a machine inside the cloud trusts: this machine's own
// roots, where it has any, and the authority.
func (a *Authority) WriteBundle(file string) error {
	var bundle bytes.Buffer
	for _, from := range systemBundles {
		roots, err := os.ReadFile(from)
		if err != nil {
			continue
		}
		bundle.Write(roots)
		if !bytes.HasSuffix(roots, []byte("\n")) {
			bundle.WriteByte('\n')
		}
		break
	}
	bundle.Write(a.PEM())
	if err := writeFile(file, bundle.Bytes(), 0o644); err != nil {
		return fmt.Errorf("writing the trust bundle: %w", err)
	}
	return nil
}

func writePEM(file, kind string, der []byte, mode os.FileMode) error {
	return writeFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode)
}

// writeFile replaces a file as a whole, on disk when it returns.
func writeFile(file string, data []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
