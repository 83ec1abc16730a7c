package function

import (
	"errors"
	"fmt"
	"math/big"
	"net/netip"

	"github.com/cloister-ml/cloister/source/template/internal/value"
)

var addresses = map[string]function{
	"parseCidr":  {min: 1, max: 1, call: parseCIDR},
	"cidrSubnet": {min: 3, max: 3, call: cidrSubnet},
	"cidrHost":   {min: 2, max: 2, call: cidrHost},
}

func prefix(args []any) (netip.Prefix, error) {
	s, err := text(args, 0)
	if err != nil {
		return netip.Prefix{}, err
	}
	p, err := netip.ParsePrefix(s)
	if err != nil || p.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("%q is not an address range as 10.0.0.0/16", clipped(s))
	}
	return p.Masked(), nil
}

// add is the address that is n after a; invalid past the last.
func add(a netip.Addr, n *big.Int) netip.Addr {
	sum := new(big.Int).Add(new(big.Int).SetBytes(a.AsSlice()), n)
	if sum.Sign() < 0 || sum.BitLen() > a.BitLen() {
		return netip.Addr{}
	}
	raw := make([]byte, a.BitLen()/8)
	out, _ := netip.AddrFromSlice(sum.FillBytes(raw))
	return out
}

// size is the number of addresses in a prefix.
func size(p netip.Prefix) *big.Int {
	return new(big.Int).Lsh(big.NewInt(1), uint(p.Addr().BitLen()-p.Bits()))
}

func lastOf(p netip.Prefix) netip.Addr {
	return add(p.Addr(), new(big.Int).Sub(size(p), big.NewInt(1)))
}

func parseCIDR(args []any) (any, error) {
	p, err := prefix(args)
	if err != nil {
		return nil, err
	}
	first, last := p.Addr(), lastOf(p)
	out := value.Object{"network": first.String(), "cidr": int64(p.Bits())}
	if first.Is4() {
		mask := netip.PrefixFrom(netip.MustParseAddr("255.255.255.255"), p.Bits()).Masked()
		out["netmask"], out["broadcast"] = mask.Addr().String(), last.String()
		if p.Bits() < 31 {
			first, last = first.Next(), last.Prev()
		}
	} else {
		all := netip.MustParsePrefix("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128")
		out["netmask"] = netip.PrefixFrom(all.Addr(), p.Bits()).Masked().Addr().String()
	}
	out["firstUsable"], out["lastUsable"] = first.String(), last.String()
	return out, nil
}

func cidrSubnet(args []any) (any, error) {
	p, err := prefix(args)
	if err != nil {
		return nil, err
	}
	bits, err := whole(args, 1)
	if err != nil {
		return nil, err
	}
	n, err := whole(args, 2)
	switch {
	case err != nil:
		return nil, err
	case bits < int64(p.Bits()) || bits > int64(p.Addr().BitLen()):
		return nil, fmt.Errorf("the new prefix length is %d, and %s takes from %d to %d", bits, p, p.Bits(), p.Addr().BitLen())
	case n < 0:
		return nil, errors.New("the index is negative")
	}
	step := size(netip.PrefixFrom(p.Addr(), int(bits)))
	at := add(p.Addr(), new(big.Int).Mul(step, big.NewInt(n)))
	if !at.IsValid() || !p.Contains(at) {
		return nil, fmt.Errorf("%s has no subnet of /%d with the index %d", p, bits, n)
	}
	return netip.PrefixFrom(at, int(bits)).String(), nil
}

// cidrHost is a usable address by its index: of IPv4 the first one after the
// network's own has the index 0.
func cidrHost(args []any) (any, error) {
	p, err := prefix(args)
	if err != nil {
		return nil, err
	}
	n, err := whole(args, 1)
	if err != nil {
		return nil, err
	}
	offset := big.NewInt(n)
	if p.Addr().Is4() && p.Bits() < 31 {
		offset.Add(offset, big.NewInt(1))
	}
	at := add(p.Addr(), offset)
	if n < 0 || !at.IsValid() || !p.Contains(at) || p.Addr().Is4() && p.Bits() < 31 && at == lastOf(p) {
		return nil, fmt.Errorf("%s has no host with the index %d", p, n)
	}
	return at.String(), nil
}
