package function

import (
	"encoding/binary"
	"math/bits"
	"strings"

	"github.com/google/uuid"
)

var hashes = map[string]function{
	"guid":         {min: 1, max: -1, call: func(args []any) (any, error) { s, err := dashed(args); return guid(s), err }},
	"uniqueString": {min: 1, max: -1, call: func(args []any) (any, error) { s, err := dashed(args); return uniqueString(s), err }},
}

// dashed joins the arguments of a hash.
func dashed(args []any) (string, error) {
	parts := make([]string, len(args))
	for i := range args {
		var err error
		if parts[i], err = text(args, i); err != nil {
			return "", err
		}
	}
	return strings.Join(parts, "-"), nil
}

// guids is the namespace of guid(), a UUID of version 5.
//
// Source: Microsoft Learn, "Bicep functions - string", guid; RFC 9562, section 5.5.
var guids = uuid.MustParse("11fb06fb-712d-4ddd-98c7-e71bbd588830")

func guid(s string) string { return uuid.NewSHA1(guids, []byte(s)).String() }

// uniqueString is 64 bits of hash in base 32. The hash is Microsoft's variant of
// MurmurHash3, which public tables of values and the values that templates are
// deployed with attest.
func uniqueString(s string) string {
	const alphabet = "abcdefghijklmnopqrstuvwxyz234567"
	h := murmur64([]byte(s))
	out := make([]byte, 13)
	for i := range out {
		out[i] = alphabet[h>>59]
		h <<= 5
	}
	return string(out)
}

func murmur64(data []byte) uint64 {
	const c1, c2 = 0x239b961b, 0xab0e9789
	size := uint32(len(data))
	var h1, h2 uint32
	first := func(k uint32) uint32 { return bits.RotateLeft32(k*c1, 15) * c2 }
	second := func(k uint32) uint32 { return bits.RotateLeft32(k*c2, 17) * c1 }
	for ; len(data) >= 8; data = data[8:] {
		h1 ^= first(binary.LittleEndian.Uint32(data))
		h1 = (bits.RotateLeft32(h1, 19)+h2)*5 + 0x561ccd1b
		h2 ^= second(binary.LittleEndian.Uint32(data[4:]))
		h2 = (bits.RotateLeft32(h2, 13)+h1)*5 + 0x0bcaa747
	}
	if len(data) > 0 {
		var tail [8]byte
		copy(tail[:], data)
		h1 ^= first(binary.LittleEndian.Uint32(tail[:]))
		if len(data) > 4 {
			h2 ^= second(binary.LittleEndian.Uint32(tail[4:]))
		}
	}
	h1, h2 = h1^size, h2^size
	h1 += h2
	h2 += h1
	h1, h2 = mix(h1), mix(h2)
	h1 += h2
	h2 += h1
	return uint64(h2)<<32 | uint64(h1)
}

func mix(h uint32) uint32 {
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}
