package terraform

import (
	"strconv"
	"strings"
)

// currentRelease is the major release of azurerm whose schema and defaults apply
// where a configuration does not hold to an earlier one.
const currentRelease = 5

// release is the major release of the provider that the configuration's version
// constraints lead to: the newest that they allow. Defaults differ by it.
func (v view) release() int {
	for major := currentRelease; major > 1; major-- {
		if allowed(v.r.Constraints, major) {
			return major
		}
	}
	return currentRelease
}

// allowed reports whether every constraint leaves room for a release of a major
// version.
//
// Source: Terraform, "Version constraints".
func allowed(constraints []string, major int) bool {
	for _, c := range constraints {
		for _, term := range strings.Split(c, ",") {
			if !permits(strings.TrimSpace(term), major) {
				return false
			}
		}
	}
	return true
}

func permits(term string, major int) bool {
	version := strings.TrimLeft(term, "=!<>~ ")
	op := strings.TrimSpace(strings.TrimSuffix(term, version))
	number, rest, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(number)
	if err != nil {
		return true // nothing that can be held against it
	}
	switch op {
	case "", "=", "~>":
		return major == n
	case "<":
		return major < n || major == n && strings.Trim(rest, "0.") != ""
	case "<=":
		return major <= n
	case ">", ">=":
		return major >= n
	}
	return true
}
