package machinelearning

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/cloister-ml/cloister/internal/durable"
)

// seal signs what the service gives out and encrypts what it keeps, with keys
// that follow from one secret in a file that only its user reads.
type seal struct {
	mac  []byte
	aead cipher.AEAD
}

var errSeal = errors.New("not made by this service")

func openSeal(path string) (*seal, error) {
	secret, err := durable.ReadOrCreate(path, func() ([]byte, error) {
		b := make([]byte, 32)
		_, err := rand.Read(b)
		return b, err
	})
	if err != nil {
		return nil, err
	}
	if len(secret) < 32 {
		return nil, errors.New(path + " is damaged: it is too short to be a key")
	}
	mac, err := hkdf.Key(sha256.New, secret, nil, "signatures", 32)
	if err != nil {
		return nil, err
	}
	key, err := hkdf.Key(sha256.New, secret, nil, "encryption", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return &seal{mac: mac, aead: aead}, err
}

func (s *seal) signature(purpose, text string) string {
	h := hmac.New(sha256.New, s.mac)
	h.Write([]byte(purpose + "\x00" + text))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// sign gives text with a signature, fit for a URL and a header.
func (s *seal) sign(purpose string, text []byte) string {
	body := base64.RawURLEncoding.EncodeToString(text)
	return body + "." + s.signature(purpose, body)
}

// open checks what sign made for the same purpose.
func (s *seal) open(purpose, signed string) ([]byte, error) {
	body, sig, ok := strings.Cut(signed, ".")
	if !ok || len(signed) > 8192 || !hmac.Equal([]byte(sig), []byte(s.signature(purpose, body))) {
		return nil, errSeal
	}
	return base64.RawURLEncoding.DecodeString(body)
}

// encrypt hides a secret; where is bound to it, so that it cannot be put elsewhere.
func (s *seal) encrypt(where string, secret []byte) []byte {
	return s.aead.Seal(nil, nil, secret, []byte(where))
}

func (s *seal) decrypt(where string, box []byte) ([]byte, error) {
	return s.aead.Open(nil, nil, box, []byte(where))
}

// shortHash names a folder after what is in it.
func shortHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:12])
}
