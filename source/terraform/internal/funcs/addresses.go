package funcs

import (
	"errors"
	"fmt"
	"math/big"
	"net/netip"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/gocty"
)

func addresses() map[string]function.Function {
	prefix := function.Parameter{Name: "prefix", Type: cty.String}
	return map[string]function.Function{
		"cidrhost": function.New(&function.Spec{
			Params: []function.Parameter{prefix, {Name: "hostnum", Type: cty.Number}},
			Type:   function.StaticReturnType(cty.String),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				p, err := parsePrefix(args[0].AsString())
				if err != nil {
					return cty.NilVal, err
				}
				n, acc := args[1].AsBigFloat().Int(nil)
				if acc != big.Exact {
					return cty.NilVal, errors.New("the host number must be whole")
				}
				a, err := host(p, n)
				return cty.StringVal(a.String()), err
			},
		}),
		"cidrnetmask": toString(netmask, "prefix"),
		"cidrsubnet": function.New(&function.Spec{
			Params: []function.Parameter{prefix, {Name: "newbits", Type: cty.Number}, {Name: "netnum", Type: cty.Number}},
			Type:   function.StaticReturnType(cty.String),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				p, err := parsePrefix(args[0].AsString())
				if err != nil {
					return cty.NilVal, err
				}
				var bits int
				if err := gocty.FromCtyValue(args[1], &bits); err != nil {
					return cty.NilVal, err
				}
				n, acc := args[2].AsBigFloat().Int(nil)
				if acc != big.Exact {
					return cty.NilVal, errors.New("the network number must be whole")
				}
				s, err := subnet(p, bits, n)
				return cty.StringVal(s.String()), err
			},
		}),
		"cidrsubnets": function.New(&function.Spec{
			Params:   []function.Parameter{prefix},
			VarParam: &function.Parameter{Name: "newbits", Type: cty.Number},
			Type:     function.StaticReturnType(cty.List(cty.String)),
			Impl:     cidrSubnets,
		}),
	}
}

// parsePrefix reads a prefix and clears its host bits, as Terraform does.
func parsePrefix(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is not a prefix in CIDR notation, as 10.0.0.0/16 is", s)
	}
	return p.Masked(), nil
}

// host is the n-th address of p, from the end when n is negative.
func host(p netip.Prefix, n *big.Int) (netip.Addr, error) {
	free := p.Addr().BitLen() - p.Bits()
	size := new(big.Int).Lsh(big.NewInt(1), uint(free))
	at := new(big.Int).Set(n)
	if at.Sign() < 0 {
		at.Add(at, size)
	}
	if at.Sign() < 0 || at.Cmp(size) >= 0 {
		return netip.Addr{}, fmt.Errorf("%s has no host number %s: it has %s addresses", p, n, size)
	}
	return add(p.Addr(), at), nil
}

// subnet is the n-th of the networks that are bits longer than p.
func subnet(p netip.Prefix, bits int, n *big.Int) (netip.Prefix, error) {
	long := p.Bits() + bits
	if bits < 0 || long > p.Addr().BitLen() {
		return netip.Prefix{}, fmt.Errorf("%s cannot be made %d bits longer: an address has %d", p, bits, p.Addr().BitLen())
	}
	count := new(big.Int).Lsh(big.NewInt(1), uint(bits))
	if n.Sign() < 0 || n.Cmp(count) >= 0 {
		return netip.Prefix{}, fmt.Errorf("%s has no network number %s with %d bits more: it has %s", p, n, bits, count)
	}
	offset := new(big.Int).Lsh(n, uint(p.Addr().BitLen()-long))
	return netip.PrefixFrom(add(p.Addr(), offset), long), nil
}

func add(a netip.Addr, n *big.Int) netip.Addr {
	sum := new(big.Int).SetBytes(a.AsSlice())
	sum.Add(sum, n)
	out, _ := netip.AddrFromSlice(sum.FillBytes(make([]byte, a.BitLen()/8)))
	return out
}

func netmask(a []string) (string, error) {
	p, err := parsePrefix(a[0])
	if err != nil {
		return "", err
	}
	if !p.Addr().Is4() {
		return "", fmt.Errorf("%s is not an IPv4 prefix: only those have a netmask", p)
	}
	mask := ^uint32(0) << (32 - p.Bits())
	if p.Bits() == 0 {
		mask = 0
	}
	return netip.AddrFrom4([4]byte{byte(mask >> 24), byte(mask >> 16), byte(mask >> 8), byte(mask)}).String(), nil
}

// cidrSubnets lays networks of the given lengths one after the other, each at the
// next place where it is aligned.
func cidrSubnets(args []cty.Value, t cty.Type) (cty.Value, error) {
	p, err := parsePrefix(args[0].AsString())
	if err != nil {
		return cty.NilVal, err
	}
	if len(args) == 1 {
		return cty.ListValEmpty(t.ElementType()), nil
	}
	next := new(big.Int) // first free address, counted from p's first
	var out []cty.Value
	for _, arg := range args[1:] {
		var bits int
		if err := gocty.FromCtyValue(arg, &bits); err != nil {
			return cty.NilVal, err
		}
		long := p.Bits() + bits
		if bits < 1 || long > p.Addr().BitLen() {
			return cty.NilVal, fmt.Errorf("%s cannot be made %d bits longer", p, bits)
		}
		size := new(big.Int).Lsh(big.NewInt(1), uint(p.Addr().BitLen()-long))
		n := new(big.Int).Add(next, new(big.Int).Sub(size, big.NewInt(1)))
		n.Div(n, size)
		s, err := subnet(p, bits, n)
		if err != nil {
			return cty.NilVal, fmt.Errorf("%s is too small for all of these networks", p)
		}
		next.Mul(n.Add(n, big.NewInt(1)), size)
		out = append(out, cty.StringVal(s.String()))
	}
	return cty.ListVal(out), nil
}
