package funcs

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
)

// rsaDecrypt opens a text that was sealed for a private key in PEM, with the
// padding of RFC 8017, section 7.2 (PKCS #1 v1.5).
func rsaDecrypt(a []string) (string, error) {
	sealed, err := base64.StdEncoding.DecodeString(a[0])
	if err != nil {
		return "", errors.New("the ciphertext is not base64")
	}
	key, err := privateKey([]byte(a[1]))
	if err != nil {
		return "", err
	}
	out, err := rsa.DecryptPKCS1v15(nil, key, sealed) //nolint:staticcheck // Terraform defines rsadecrypt by this padding
	if err != nil {
		return "", errors.New("the ciphertext does not open with this key")
	}
	return string(out), nil
}

// privateKey reads a key of RFC 8017 or of RFC 5958, without a passphrase.
func privateKey(text []byte) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("the private key is not in PEM")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("the private key does not parse")
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("the private key is not one of RSA")
	}
	return key, nil
}
