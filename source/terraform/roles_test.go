package terraform

import (
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/access"
)

// The reader and the meaning of roles must name them by the same ids.
func TestRolesAreThoseOfAccess(t *testing.T) {
	common := 0
	for name, guid := range roleGUIDs {
		role, ok := access.RoleByName(name)
		if !ok {
			continue
		}
		common++
		if role.ID != guid {
			t.Errorf("%s is %s here and %s in access", name, guid, role.ID)
		}
	}
	for _, role := range access.Roles() {
		if _, ok := roleGUIDs[strings.ToLower(role.Name)]; !ok {
			t.Errorf("access knows %s, which the reader does not", role.Name)
		}
	}
	if common < 15 {
		t.Errorf("only %d roles are known to both", common)
	}
}
