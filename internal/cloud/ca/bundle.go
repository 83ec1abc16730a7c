package ca

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"os"

	"github.com/cloister-ml/cloister/internal/durable"
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
	if _, err := durable.WriteFrom(file, &bundle, 0o644); err != nil {
		return fmt.Errorf("writing the trust bundle: %w", err)
	}
	return nil
}

func writePEM(file, kind string, der []byte, mode os.FileMode) error {
	_, err := durable.WriteFrom(file, bytes.NewReader(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})), mode)
	return err
}
