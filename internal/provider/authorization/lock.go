package authorization

import (
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
)

// maxNotes is how long a lock's notes may be.
const maxNotes = 512

// prepareLock checks a management lock, which the control plane itself holds to.
func prepareLock(_ cloud.View, _ *arm.Resource, r arm.Resource) (arm.Resource, error) {
	level := ""
	for _, known := range []string{"CanNotDelete", "ReadOnly"} {
		if strings.EqualFold(arm.String(r.Properties, "level"), known) {
			level = known
		}
	}
	if level == "" {
		return r, refuse("InvalidLockLevel", "The lock '%s' has the level '%s': it must be CanNotDelete or ReadOnly.", r.Name, arm.String(r.Properties, "level"))
	}
	notes := arm.String(r.Properties, "notes")
	if len(notes) > maxNotes {
		return r, refuse("InvalidLockNotes", "The notes of the lock '%s' have more than %d characters.", r.Name, maxNotes)
	}
	properties := arm.Object{"level": level}
	if notes != "" {
		properties["notes"] = notes
	}
	if owners := arm.List(r.Properties, "owners"); len(owners) > 0 {
		properties["owners"] = owners
	}
	r.Properties, r.Location = properties, ""
	return r, nil
}
