package directory

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// The cost of a hash: RFC 9106, section 4, the second recommended option.
const (
	hashPasses  = 3
	hashMemory  = 64 << 10 // KiB
	hashThreads = 4
	hashSalt    = 16
	hashLength  = 32
)

// Bounds of a password, in bytes. Entra's own are 8 and 256.
const (
	minPassword = 8
	maxPassword = 256
)

// hashing bounds how many hashes are worked out at a time, and so their memory.
type hashing chan struct{}

func newHashing() hashing { return make(hashing, 2) }

func (h hashing) key(password string, salt []byte) []byte {
	h <- struct{}{}
	defer func() { <-h }()
	return argon2.IDKey([]byte(password), salt, hashPasses, hashMemory, hashThreads, hashLength)
}

// hash is a password's hash in the PHC string format.
func (h hashing) hash(password string) string {
	salt := make([]byte, hashSalt)
	rand.Read(salt) // does not fail
	return fmt.Sprintf("%s%s$%s", prefix, base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(h.key(password, salt)))
}

var prefix = fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$", argon2.Version, hashMemory, hashPasses, hashThreads)

// matches takes as long where there is nothing to match.
func (h hashing) matches(hash, password string) bool {
	salt, want, err := parseHash(hash)
	if err != nil {
		salt, want = make([]byte, hashSalt), nil
	}
	return subtle.ConstantTimeCompare(h.key(password, salt), want) == 1
}

func parseHash(hash string) (salt, key []byte, err error) {
	rest, ok := strings.CutPrefix(hash, prefix)
	if !ok {
		return nil, nil, errors.New("the hash is of another kind")
	}
	first, second, _ := strings.Cut(rest, "$")
	salt, err1 := base64.RawStdEncoding.DecodeString(first)
	key, err2 := base64.RawStdEncoding.DecodeString(second)
	if err := errors.Join(err1, err2); err != nil || len(key) != hashLength {
		return nil, nil, errors.Join(errors.New("the hash cannot be read"), err)
	}
	return salt, key, nil
}

// CheckPassword refuses a password that is too short or too long.
func CheckPassword(password string) error {
	if len(password) < minPassword || len(password) > maxPassword {
		return fmt.Errorf("%w: a password has %d to %d bytes", ErrBad, minPassword, maxPassword)
	}
	return nil
}
