package funcs

import (
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// Provides reports whether the functions of the provider that a name belongs to
// are all here, so that another name of that provider is a mistake.
func Provides(name string) bool {
	for _, provider := range []string{"azurerm", "time", "terraform"} {
		if strings.HasPrefix(name, "provider::"+provider+"::") {
			return true
		}
	}
	return false
}

// Unknown is a function of which nothing is known: whatever it is given, it
// answers what unknown makes of its call.
func Unknown(name string, unknown func(call string) cty.Value) function.Function {
	return function.New(&function.Spec{
		VarParam: &function.Parameter{Name: "arguments", Type: cty.DynamicPseudoType, AllowNull: true, AllowUnknown: true, AllowDynamicType: true},
		Type:     function.StaticReturnType(cty.DynamicPseudoType),
		Impl:     func([]cty.Value, cty.Type) (cty.Value, error) { return unknown(name + "()"), nil },
	})
}
