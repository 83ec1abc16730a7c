package privatedns

import (
	"fmt"
	"strings"

	"golang.org/x/net/idna"
)

// Limits of RFC 1035 on a name and on one of its labels.
const (
	maxName  = 253
	maxLabel = 63
)

// international writes names of other scripts in the letters that DNS has (RFC
// 5891), and leaves underscores and wildcards alone.
var international = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false))

// normalise gives a name the form that names are compared in: lower case, no
// trailing dot, other scripts as Punycode. It refuses what cannot be asked on the
// wire.
func normalise(name string) (string, error) {
	if len(name) > maxName+1 {
		return "", fmt.Errorf("a name has at most %d characters, this one %d", maxName, len(name))
	}
	n := strings.ToLower(strings.TrimSuffix(name, "."))
	if !ascii(n) {
		var err error
		if n, err = international.ToASCII(n); err != nil {
			return "", fmt.Errorf("the name cannot be written in the letters of DNS: %w", err)
		}
		n = strings.ToLower(strings.TrimSuffix(n, "."))
	}
	if n == "" {
		return "", fmt.Errorf("the name is empty")
	}
	if len(n) > maxName {
		return "", fmt.Errorf("a name has at most %d characters, this one %d", maxName, len(n))
	}
	for label := range strings.SplitSeq(n, ".") {
		if label == "" || len(label) > maxLabel {
			return "", fmt.Errorf("a label has 1 to %d characters, one of %q has %d", maxLabel, n, len(label))
		}
	}
	return n, nil
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// under reports whether name is zone or a name below it.
func under(name, zone string) bool {
	return name == zone || strings.HasSuffix(name, "."+zone)
}

// parentName is the name without its first label, or "".
func parentName(name string) string {
	_, rest, _ := strings.Cut(name, ".")
	return rest
}

// absolute is the full name of a record set: "@" is the zone itself.
func absolute(record, zone string) string {
	record = strings.ToLower(strings.TrimSuffix(record, "."))
	if record == "@" || record == "" {
		return zone
	}
	return record + "." + zone
}
