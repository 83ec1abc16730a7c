package fabric

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
)

// hasIPv6 reports whether this host's kernel has IPv6.
func hasIPv6() bool {
	_, err := os.Stat("/proc/sys/net/ipv6/conf")
	return err == nil
}

// withoutSix is a plan of IPv4 alone, for a kernel that has no other.
func (p Plan) withoutSix() Plan {
	dual := false
	for i, s := range p.Spaces {
		dual = dual || s.Filter6 != nil
		p.Spaces[i].Filter6, p.Spaces[i].gates6 = nil, nil
		p.Spaces[i].Routes = keep(s.Routes, func(r Route) bool { return r.Dst.Addr().Is4() })
		p.Spaces[i].Rules = keep(s.Rules, func(r Rule) bool { return !r.isSix() })
	}
	for i, l := range p.Links {
		p.Links[i].A.Addrs, p.Links[i].B.Addrs = keep(l.A.Addrs, netip.Addr.Is4), keep(l.B.Addrs, netip.Addr.Is4)
	}
	if dual {
		p.Notes = append(slices.Clip(p.Notes), "the networks are built without IPv6: this host's kernel has none (CONFIG_IPV6, or ipv6.disable on its command line)")
	}
	return p
}

// keep is a list with what is wanted of it.
func keep[T any](list []T, want func(T) bool) []T {
	return slices.DeleteFunc(slices.Clone(list), func(one T) bool { return !want(one) })
}

// speaks6 reports whether addresses are wanted of which some are of IPv6.
func (s *space) speaks6(want []string) bool {
	return slices.ContainsFunc(want, func(text string) bool { return strings.Contains(text, ":") })
}

// version6 switches IPv6 on where the plan has addresses of it, and off where it
// has none any more: what is not built must not carry packets.
func (s *space) version6(want map[string][]string, have []netlink.Addr, done *recorder) error {
	had := map[string]bool{}
	for _, a := range have {
		for name, l := range s.links {
			if a.IP.To4() == nil && l.Attrs().Index == a.LinkIndex && s.owns(l) {
				had[name], s.hadSix = true, true
			}
		}
	}
	values := map[string]string{}
	for name := range s.links {
		switch wants := s.speaks6(want[name]); {
		case wants:
			s.six = true
			if !had[name] {
				values[name] = "0"
			}
		case had[name]:
			values[name] = "1"
		}
	}
	if s.six && !s.hadSix {
		values["lo"] = "0"
	}
	if len(values) == 0 {
		return nil
	}
	return within(s.fd, func() error {
		for name, value := range values {
			path := "ipv6/conf/" + name + "/disable_ipv6"
			got, err := os.ReadFile("/proc/sys/net/" + path)
			if err != nil || string(got) == value+"\n" {
				if err != nil && !errors.Is(err, os.ErrNotExist) {
					return fmt.Errorf("reading net/%s: %w", path, err)
				}
				continue
			}
			if err := writeSettings([]setting{{path, value}}); err != nil {
				return err
			}
			done.add(false, "setting", s.full, path+"="+value)
		}
		return nil
	})
}

func (r Rule) isSix() bool { return r.Six || r.From.IsValid() && r.From.Addr().Is6() }
