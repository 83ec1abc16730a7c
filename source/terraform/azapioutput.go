package terraform

import (
	"strings"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/source/terraform/internal/lang"
)

// given are the properties that Azure gives a resource by its own rules, whatever
// the body says.
func given(id arm.ID, typ string) map[string]string {
	name := strings.ToLower(id.Name())
	switch {
	case strings.EqualFold(typ, "Microsoft.ManagedIdentity/userAssignedIdentities"):
		return map[string]string{"principalId": arm.PrincipalID(id), "clientId": clientID(id)}
	case strings.EqualFold(typ, "Microsoft.MachineLearningServices/workspaces"):
		return map[string]string{"workspaceId": service.WorkspaceGUID(id)}
	case strings.EqualFold(typ, typeLogAnalytics):
		return map[string]string{"customerId": arm.StableGUID(id, "customerId")}
	case strings.HasPrefix(name, "{"):
		return nil // a name that is not known makes no host name
	case strings.EqualFold(typ, "Microsoft.ContainerRegistry/registries"):
		return map[string]string{"loginServer": name + ".azurecr.io"}
	case strings.EqualFold(typ, "Microsoft.KeyVault/vaults"):
		return map[string]string{"vaultUri": "https://" + name + ".vault.azure.net/"}
	}
	return nil
}

// azapiOutput is what a resource exports of the answer, where it says what: each
// path from the body or by Azure's rules, or not known. Without that, or with
// everything exported, nothing is decided.
func azapiOutput(v view, id arm.ID) (cty.Value, bool) {
	exports, _, _ := lang.MarksDeep(v.value("response_export_values"))
	if exports.IsNull() || !exports.IsWhollyKnown() || !exports.CanIterateElements() {
		return cty.NilVal, false
	}
	tree := leaf{}
	for it := exports.ElementIterator(); it.Next(); {
		key, path := it.Element()
		if path.Type() != cty.String || path.IsNull() {
			return cty.NilVal, false
		}
		at := path.AsString()
		if at == "*" || strings.ContainsAny(at, "[]|&!`\"'() ") { // all, or an expression of JMESPath
			return cty.NilVal, false
		}
		val := v.exported(id, at)
		if exports.Type().IsObjectType() || exports.Type().IsMapType() {
			tree.put([]string{key.AsString()}, val)
			continue
		}
		tree.put(strings.Split(at, "."), val)
	}
	out := tree.value()
	if !v.azapi1() {
		return out, true
	}
	plain, _, secret := lang.MarksDeep(out)
	if !plain.IsWhollyKnown() || secret {
		return cty.NilVal, false
	}
	text, err := ctyjson.Marshal(plain, plain.Type())
	if err != nil {
		return cty.NilVal, false
	}
	return cty.StringVal(string(text)), true
}

// azapi1 reports whether a resource is written for azapi 1, whose bodies and
// outputs are JSON as text.
func (v view) azapi1() bool {
	if _, ok := v.body.Encoded["body"]; ok {
		return true
	}
	plain, _, _ := lang.Marks(v.value("body"))
	return plain.Type() == cty.String
}

// exported is the value at a path of the document that Azure answers with.
func (v view) exported(id arm.ID, path string) cty.Value {
	facts := map[string]string{"id": string(id), "name": id.Name(), "type": azapiType(v)}
	for k, s := range given(id, azapiType(v)) {
		facts["properties."+k] = s
	}
	if strings.Contains(v.text("identity.type"), "SystemAssigned") {
		facts["identity.principalId"] = arm.PrincipalID(id)
		if path == "identity.tenantId" {
			return v.tenant
		}
	}
	if s, ok := facts[path]; ok {
		return cty.StringVal(s)
	}
	// Of an object the answer has more than the body, which an expression that takes
	// it apart may ask for; that of azapi 1 is text as a whole.
	if val, ok := dig(v.bodyValue(), path); ok && (val.Type().IsPrimitiveType() || v.azapi1()) {
		return val
	}
	return cty.UnknownVal(cty.DynamicPseudoType).Mark(lang.Origin{
		Expression: v.r.Address + ".output." + path, File: v.r.Range.Filename, Line: v.r.Range.Start.Line,
	})
}

// bodyValue is the body as a value, also where it is written as JSON.
func (v view) bodyValue() cty.Value {
	if body, ok := v.body.Encoded["body"]; ok {
		return body
	}
	body := v.value("body")
	plain, marks := body.Unmark()
	if plain.Type() != cty.String || plain.IsNull() || !plain.IsKnown() {
		return body
	}
	typ, err := ctyjson.ImpliedType([]byte(plain.AsString()))
	if err != nil {
		return cty.NullVal(cty.DynamicPseudoType)
	}
	val, err := ctyjson.Unmarshal([]byte(plain.AsString()), typ)
	if err != nil {
		return cty.NullVal(cty.DynamicPseudoType)
	}
	return val.WithMarks(marks)
}

// dig is the value at a dotted path within objects.
func dig(val cty.Value, path string) (cty.Value, bool) {
	for _, key := range strings.Split(path, ".") {
		plain, _, _ := lang.Marks(val)
		if plain.IsNull() || !plain.IsKnown() {
			return cty.NilVal, false
		}
		switch t := plain.Type(); {
		case t.IsObjectType() && t.HasAttribute(key):
			val = val.GetAttr(key)
		case t.IsMapType() && plain.HasIndex(cty.StringVal(key)).True():
			val = val.Index(cty.StringVal(key))
		default:
			return cty.NilVal, false
		}
	}
	return val, true
}

// leaf is a tree of exported values: a value, or what is below.
type leaf struct {
	val   cty.Value
	below map[string]*leaf
}

func (l *leaf) put(path []string, val cty.Value) {
	if len(path) == 0 {
		l.val = val
		return
	}
	if l.below == nil {
		l.below = map[string]*leaf{}
	}
	next := l.below[path[0]]
	if next == nil {
		next = &leaf{}
		l.below[path[0]] = next
	}
	next.put(path[1:], val)
}

func (l *leaf) value() cty.Value {
	if l.below == nil {
		if l.val == cty.NilVal {
			return cty.EmptyObjectVal
		}
		return l.val
	}
	attrs := map[string]cty.Value{}
	for k, next := range l.below {
		attrs[k] = next.value()
	}
	return cty.ObjectVal(attrs)
}
