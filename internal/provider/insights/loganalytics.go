package insights

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/durable"
)

// Names of Log Analytics.
const (
	LogAnalyticsNamespace = "Microsoft.OperationalInsights"
	TypeLogAnalytics      = LogAnalyticsNamespace + "/workspaces"
)

// LogAnalytics makes the provider of Log Analytics workspaces.
func LogAnalytics(host cloud.Host) cloud.Provider {
	k := &workspaceKeys{dir: host.Dir("loganalytics")}
	return cloud.Provider{
		Namespace: LogAnalyticsNamespace,
		Types: []cloud.Type{{
			Name:    TypeLogAnalytics,
			Prepare: prepareWorkspace,
			Remove:  func(_ context.Context, r arm.Resource) error { return k.remove(r.ID) },
			Actions: map[string]cloud.Action{"sharedkeys": k.list, "regeneratesharedkey": k.regenerate},
		}},
	}
}

var workspaceName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9-]{2,61}[a-zA-Z0-9]$`)

func prepareWorkspace(_ cloud.View, old *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if !workspaceName.MatchString(r.Name) {
		return r, cloud.Errorf(http.StatusBadRequest, "InvalidResourceName",
			"%q is not a workspace's name: it must have 4 to 63 letters, digits and hyphens, and begin and end with a letter or digit", r.Name)
	}
	if r.Properties = arm.Clone(r.Properties); r.Properties == nil {
		r.Properties = arm.Object{}
	}
	p := r.Properties
	fill(p, map[string]any{
		"sku": arm.Object{"name": "PerGB2018"}, "retentionInDays": 30.0, "publicNetworkAccessForIngestion": "Enabled",
		"publicNetworkAccessForQuery": "Enabled", "workspaceCapping": arm.Object{"dailyQuotaGb": -1.0},
		"features": arm.Object{"enableLogAccessUsingOnlyResourcePermissions": true},
	})
	if arm.Int(p, "retentionInDays", 30) == 0 {
		p["retentionInDays"] = 30.0 // what clients send who leave it to Azure
	}
	if days := arm.Int(p, "retentionInDays", 30); days < 7 || days > 730 {
		return r, cloud.Errorf(http.StatusBadRequest, "InvalidParameter", "properties.retentionInDays %d is not from 7 to 730", days)
	}
	p["customerId"] = arm.StableGUID(r.ID, "customerId")
	created(p, old, "createdDate")
	return r, nil
}

// created sets the time of creation, and keeps it afterwards.
func created(p arm.Object, old *arm.Resource, name string) {
	p[name] = time.Now().UTC().Format(time.RFC3339)
	if old != nil {
		if made := arm.String(old.Properties, name); made != "" {
			p[name] = made
		}
	}
}

// workspaceKeys are the workspaces' shared keys, a private file each.
type workspaceKeys struct{ dir string }

type sharedKeys struct {
	Primary   string `json:"primarySharedKey"`
	Secondary string `json:"secondarySharedKey"`
}

func newSharedKeys() sharedKeys {
	one := func() string {
		key := make([]byte, 64)
		_, _ = rand.Read(key) // never fails
		return base64.StdEncoding.EncodeToString(key)
	}
	return sharedKeys{Primary: one(), Secondary: one()}
}

func (k *workspaceKeys) file(id arm.ID) string {
	return filepath.Join(k.dir, durable.NameOf(id.Key())+".json")
}

func (k *workspaceKeys) list(_ context.Context, r arm.Resource, _ json.RawMessage) (any, error) {
	data, err := durable.ReadOrCreate(k.file(r.ID), func() ([]byte, error) { return json.Marshal(newSharedKeys()) })
	if err != nil {
		return nil, err
	}
	var out sharedKeys
	return &out, json.Unmarshal(data, &out)
}

func (k *workspaceKeys) regenerate(_ context.Context, r arm.Resource, _ json.RawMessage) (any, error) {
	keys := newSharedKeys()
	data, err := json.Marshal(keys)
	if err != nil {
		return nil, err
	}
	return keys, durable.WriteFile(k.file(r.ID), data)
}

func (k *workspaceKeys) remove(id arm.ID) error {
	if err := os.Remove(k.file(id)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
