package containerregistry

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/cloister-ml/cloister/arm"
)

// included is how many bytes the tiers store at their price.
//
// Source: Microsoft Learn, "Azure Container Registry SKU features and limits".
var included = map[string]int64{"Basic": 10 << 30, "Standard": 100 << 30, "Premium": 500 << 30}

// usages says how much a registry stores.
func (rs *registries) usages(_ context.Context, r arm.Resource) (any, error) {
	reg, err := rs.get(r.ID)
	if err != nil {
		return nil, err
	}
	var stored int64
	err = filepath.WalkDir(filepath.Join(reg.dir, "images"), func(_ string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // deleted meanwhile
		}
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		if info, err := e.Info(); err == nil {
			stored += info.Size()
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("measuring the registry %s: %w", r.Name, err)
	}
	return arm.Object{"value": []arm.Object{{
		"name": "Size", "limit": included[arm.String(r.SKU, "name")], "currentValue": stored, "unit": "Bytes",
	}}}, nil
}
