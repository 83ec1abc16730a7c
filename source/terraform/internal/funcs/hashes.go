package funcs

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/zclconf/go-cty/cty/function"
)

// digests are the hash functions with the encoding of their results.
var digests = map[string]struct {
	new    func() hash.Hash
	encode func([]byte) string
}{
	"md5":          {md5.New, hex.EncodeToString},
	"sha1":         {sha1.New, hex.EncodeToString},
	"sha256":       {sha256.New, hex.EncodeToString},
	"sha512":       {sha512.New, hex.EncodeToString},
	"base64sha256": {sha256.New, base64.StdEncoding.EncodeToString},
	"base64sha512": {sha512.New, base64.StdEncoding.EncodeToString},
}

func digest(name string, data []byte) string {
	d := digests[name]
	h := d.new()
	h.Write(data)
	return d.encode(h.Sum(nil))
}

func hashes() map[string]function.Function {
	table := map[string]function.Function{"uuidv5": toString(uuidV5, "namespace", "name")}
	for name := range digests {
		table[name] = toString(func(a []string) (string, error) { return digest(name, []byte(a[0])), nil }, "str")
	}
	return table
}

func uuidV5(a []string) (string, error) {
	named := map[string]uuid.UUID{"dns": uuid.NameSpaceDNS, "url": uuid.NameSpaceURL, "oid": uuid.NameSpaceOID, "x500": uuid.NameSpaceX500}
	space, ok := named[a[0]]
	if !ok {
		var err error
		if space, err = uuid.Parse(a[0]); err != nil {
			return "", fmt.Errorf("%q is neither a UUID nor one of %s", a[0], strings.Join(slices.Sorted(maps.Keys(named)), ", "))
		}
	}
	return uuid.NewSHA1(space, []byte(a[1])).String(), nil
}
