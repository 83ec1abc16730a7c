package storage

import (
	"net/http"
	"regexp"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
)

// kept says that a type's documents are checked and kept, and not run: there are no
// file, queue and table services here.
func kept(arm.Resource) bool { return false }

var shareName = regexp.MustCompile(`^[a-z0-9](-?[a-z0-9])*$`)

const (
	defaultQuota = 5120   // GiB
	maxQuota     = 102400 // of a large file share
)

// prepareShare checks a file share.
//
// Source: Microsoft Learn, "Naming and referencing shares, directories, files, and
// metadata"; Azure REST API reference, "File Shares - Create".
func prepareShare(_ cloud.View, _ *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if len(r.Name) < 3 || len(r.Name) > 63 || !shareName.MatchString(r.Name) {
		return r, cloud.Errorf(http.StatusBadRequest, "InvalidResourceName", "The share's name '%s' is invalid: it has 3 to 63 lower-case letters, digits and single hyphens.", r.Name)
	}
	quota := arm.Int(r.Properties, "shareQuota", defaultQuota)
	if quota < 1 || quota > maxQuota {
		return r, cloud.Errorf(http.StatusBadRequest, "InvalidHeaderValue", "The quota of the share '%s' is %d GiB, and not from 1 to %d.", r.Name, quota, maxQuota)
	}
	for field, value := range map[string]any{"shareQuota": float64(quota), "enabledProtocols": "SMB", "accessTier": "TransactionOptimized", "leaseStatus": "unlocked", "leaseState": "available"} {
		if _, ok := arm.Lookup(r.Properties, field); !ok {
			r.Properties[field] = value
		}
	}
	r.Location = ""
	return r, nil
}
