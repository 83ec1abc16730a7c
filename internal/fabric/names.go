package fabric

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

// Names of namespaces that every plan has, without the cloud's prefix.
const (
	internetSpace = "internet"
	outsiderSpace = "outsider"
)

// Names of interfaces. The prefixes tell the packet filter what is behind one.
const (
	internetLink  = "inet"     // in a router, towards the internet
	outsiderLink  = "outsider" // in the internet namespace, towards the outsider
	guestPrefix   = "n-"       // in a router, towards a network interface of a machine or an endpoint
	peeringPrefix = "p-"       // in a router, towards a peered router
	relayPrefix   = "a-"       // in a router, to or from an appliance of a peered network
	routerPrefix  = "v-"       // in the internet namespace, towards a router
	machineLink   = "eth"      // in a machine, with its number
)

// Addresses in the internet namespace beside those of the services (RFC 5737).
var (
	outsiderGateway  = netip.MustParseAddr("192.0.2.1")
	internetResolver = netip.MustParseAddr("192.0.2.53")
)

// digest shortens a name to n hexadecimal digits.
func digest(s string, n int) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])[:n]
}

// spaceName is a namespace's name: what it is, the resource's own name as far as
// it may be part of a file's, and a digest that makes it the resource's alone.
func spaceName(kind, name string, id arm.ID) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' {
			b.WriteRune(r)
		}
		if b.Len() == 24 {
			break
		}
	}
	return kind + "-" + strings.Trim(b.String(), "-") + "-" + digest(id.Key(), 8)
}

// linkName fits the 15 characters of an interface's name.
func linkName(prefix string, id arm.ID) string { return prefix + digest(id.Key(), 12) }

// pool hands out link-local addresses (RFC 3927) for the fabric's own use. An
// address follows from what it is for, so that it stays while others come and go.
type pool map[netip.Addr]string

func (p pool) address(purpose string) netip.Addr {
	sum := sha256.Sum256([]byte(purpose))
	a := netip.AddrFrom4([4]byte{169, 254, sum[0], sum[1]})
	for {
		b := a.As4()
		taken, ok := p[a]
		if b[2] > 0 && b[2] < 255 && a != service.Metadata && (!ok || taken == purpose) {
			p[a] = purpose
			return a
		}
		a = a.Next()
		if b[2] == 255 {
			a = netip.AddrFrom4([4]byte{169, 254, 1, 0})
		}
	}
}

// tables hands out numbers for routing tables, which are packet marks too.
type tables map[int]string

func (t tables) number(subnet arm.ID) int {
	sum := sha256.Sum256([]byte(subnet.Key()))
	n := 0x10000 + (int(sum[0])<<16|int(sum[1])<<8|int(sum[2]))&0x7fffff
	for {
		taken, ok := t[n]
		if !ok || taken == subnet.Key() {
			t[n] = subnet.Key()
			return n
		}
		n++
	}
}
