package terraform

import "github.com/cloister-ml/cloister/arm"

var groupKinds = map[string]kind{
	"azurerm_resource_group": {
		arm: arm.TypeResourceGroup,
		id:  func(v view) arm.ID { return arm.GroupID(v.subscription, v.symbol("name")) },
	},
}
