package kept

import (
	"net/http"
	"regexp"

	"github.com/cloister-ml/cloister/arm"
)

// Disks and backups of machines.
//
// Source: Azure's REST API reference, Compute and Recovery Services.
var machines = []kind{
	{name: "Microsoft.Compute/disks", status: http.StatusAccepted, fills: func(r arm.Resource) arm.Object {
		return arm.Object{"diskState": "Unattached", "uniqueId": arm.StableGUID(r.ID, "disk")}
	}},
	{name: "Microsoft.RecoveryServices/vaults", gone: http.StatusNoContent},
	{name: "Microsoft.Monitor/accounts", gone: http.StatusNoContent},
	{name: "Microsoft.RecoveryServices/vaults/replicationVaultSettings", status: http.StatusOK, exists: map[string]func(arm.Resource) arm.Object{
		"default": empty,
	}},
	{name: "Microsoft.RecoveryServices/vaults/backupconfig", status: http.StatusOK, exists: map[string]func(arm.Resource) arm.Object{
		"vaultconfig": fixed(arm.Object{"enhancedSecurityState": "Enabled", "softDeleteFeatureState": "Enabled"}),
	}},
	{name: "Microsoft.RecoveryServices/vaults/backupstorageconfig", status: http.StatusOK, exists: map[string]func(arm.Resource) arm.Object{
		"vaultstorageconfig": fixed(arm.Object{"storageModelType": "GeoRedundant", "storageTypeState": "Unlocked", "crossRegionRestoreFlag": false}),
	}},
	{name: "Microsoft.RecoveryServices/vaults/backupPolicies", status: http.StatusOK, settles: times},
	{name: "Microsoft.RecoveryServices/vaults/backupFabrics", exists: map[string]func(arm.Resource) arm.Object{"azure": empty}},
	{name: "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers", status: http.StatusOK, exists: map[string]func(arm.Resource) arm.Object{"*": empty}},
	{name: "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems", status: http.StatusAccepted, fills: fixed(arm.Object{
		"protectionState": "IRPending", "protectionStatus": "Healthy",
	})},
}

// timeOfDay is a time that clients write without a day.
var timeOfDay = regexp.MustCompile(`^\d\d:\d\d:\d\dZ$`)

// times gives the times of a schedule a day, as Azure does: which one says nothing.
func times(properties arm.Object) {
	for _, v := range properties {
		switch v := v.(type) {
		case arm.Object:
			times(v)
		case []any:
			for i, e := range v {
				if text, ok := e.(string); ok && timeOfDay.MatchString(text) {
					v[i] = "2018-07-30T" + text
				} else if inner, ok := e.(arm.Object); ok {
					times(inner)
				}
			}
		}
	}
}
