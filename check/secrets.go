package check

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

const typeScaleSet = "Microsoft.Compute/virtualMachineScaleSets"

// secretsProtected requires that no extension has a secret among its public
// settings, which whoever may read the machine can read, and which stay on its disk.
func secretsProtected(w *world) []Requirement {
	var out []Requirement
	for _, ext := range w.estate.OfType(typeExtension) {
		out = append(out, w.protected(ext, ext.ID.Parent().Name(), ext.Name, ext.Properties))
	}
	for _, set := range w.estate.OfType(typeScaleSet) {
		for _, ext := range arm.Objects(set.Properties, "virtualMachineProfile.extensionProfile.extensions") {
			properties, _ := ext["properties"].(map[string]any)
			name, _ := ext["name"].(string)
			out = append(out, w.protected(set, set.Name, name, properties))
		}
	}
	return out
}

func (w *world) protected(doc arm.Resource, machine, name string, properties arm.Object) Requirement {
	value, reason := verdict.Yes, "its public settings hold no secret"
	settings, _ := arm.Lookup(properties, "settings")
	if what := secretIn(settings, ""); what != "" {
		value, reason = verdict.No, fmt.Sprintf("the public settings of extension %s on %s hold a secret (%s): whoever may read the machine reads it, and it stays in a file on its disk", name, machine, what)
	}
	r := w.configured("secrets-protected", doc, fmt.Sprintf("Extension %s on %s keeps its secrets in its protected settings", name, machine), value, reason,
		"move it from settings to protected_settings: azurerm_virtual_machine_extension")
	r.ID = slug("secrets-protected", machine, name)
	return r
}

// secretOption is an option of a command that is followed by a secret, as the
// agent's own set-up has it.
var secretOption = regexp.MustCompile(`(?i)(?:^|[\s"'])--?(token|pat|password|passwd|secret|accountkey|access[-_]key|sas[-_]token)(?:[\s=]+)(\S+)`)

// secretAssignment is a variable of a script that is given a secret.
var secretAssignment = regexp.MustCompile(`(?i)\b(\w*(?:azp_token|_pat|pat_token|password|secret|access_key))\s*=\s*['"]?([^\s'";]+)`)

// secretNames are parts of the names of values that are secrets.
var secretNames = []string{"token", "password", "passwd", "secret", "personal_access", "personalaccess", "sas_key", "account_key", "access_key", "accesskey", "accountkey"}

// secretIn names a secret in a value; key is what the value is called.
func secretIn(v any, key string) string {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if what := secretIn(v[k], k); what != "" {
				return what
			}
		}
	case []any:
		for _, e := range v {
			if what := secretIn(e, key); what != "" {
				return what
			}
		}
	case arm.Unknown:
		if namedSecret(key) || namedSecret(v.Expression) {
			return v.Expression
		}
	case string:
		if v != "" && namedSecret(key) {
			return key
		}
		for _, text := range []string{v, decoded(v)} {
			if m := secretOption.FindStringSubmatch(text); m != nil && !fromEnvironment(m[2]) {
				return "the option " + strings.ToLower(m[1]) + " of a command"
			}
			if m := secretAssignment.FindStringSubmatch(text); m != nil && !fromEnvironment(m[2]) {
				return "the value of " + m[1]
			}
		}
	}
	return ""
}

// fromEnvironment reports a value that a script takes from elsewhere.
func fromEnvironment(value string) bool {
	value = strings.Trim(value, `"'`)
	return strings.HasPrefix(value, "$") || strings.HasPrefix(value, "`") || strings.HasPrefix(value, "<")
}

// namedSecret reports whether a name is that of a secret. A path or address of one
// is none.
func namedSecret(name string) bool {
	name = strings.ToLower(name)
	for _, harmless := range []string{"_uri", "_url", "_id", "secret_name", "token_file"} {
		if strings.HasSuffix(name, harmless) {
			return false
		}
	}
	if name == "pat" || strings.HasSuffix(name, "_pat") || strings.HasSuffix(name, ".pat") || name == "pattoken" {
		return true
	}
	return slices.ContainsFunc(secretNames, func(s string) bool { return strings.Contains(name, s) })
}
