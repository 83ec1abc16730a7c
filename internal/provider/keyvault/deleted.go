package keyvault

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/durable"
)

// A vault that is deleted is kept, with what is in it, until it is purged or its
// time is over; until then its name is taken, and it can be recovered ("Azure Key
// Vault soft-delete overview").

// graveyard holds the records of deleted vaults, one file for each name.
type graveyard struct {
	dir string
	mu  sync.Mutex
}

// deletedVault is the record of one.
type deletedVault struct {
	Vault     arm.Resource `json:"vault"`
	Deleted   time.Time    `json:"deleted"`
	Purge     time.Time    `json:"purge"` // when it goes for good
	Protected bool         `json:"protected,omitempty"`
}

func (g *graveyard) file(name string) string {
	return filepath.Join(g.dir, durable.NameOf(strings.ToLower(name))+".json")
}

// bury notes that a vault is deleted.
func (g *graveyard) bury(r arm.Resource, now time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := os.MkdirAll(g.dir, 0o700); err != nil {
		return err
	}
	days := arm.Int(r.Properties, "softDeleteRetentionInDays", defaultRetention)
	data, err := json.Marshal(deletedVault{
		Vault: r, Deleted: now.UTC(), Purge: now.UTC().AddDate(0, 0, days), Protected: arm.Bool(r.Properties, "enablePurgeProtection", false),
	})
	if err != nil {
		return err
	}
	return durable.WriteFile(g.file(r.Name), data)
}

// find is the record of a deleted vault.
func (g *graveyard) find(name string) (deletedVault, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return readDeleted(g.file(name))
}

func readDeleted(path string) (deletedVault, bool) {
	var d deletedVault
	data, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(data, &d) != nil {
		return d, false
	}
	return d, true
}

// all are the records.
func (g *graveyard) all() []deletedVault {
	g.mu.Lock()
	defer g.mu.Unlock()
	entries, err := os.ReadDir(g.dir)
	if err != nil {
		return nil // none was ever deleted
	}
	var out []deletedVault
	for _, e := range entries {
		if d, ok := readDeleted(filepath.Join(g.dir, e.Name())); ok {
			out = append(out, d)
		}
	}
	return out
}

// forget takes the record away.
func (g *graveyard) forget(name string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	err := os.Remove(g.file(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// purgeDue purges the vaults whose time is over.
func (vs *vaults) purgeDue(now time.Time) error {
	for _, d := range vs.deleted.all() {
		if now.After(d.Purge) {
			if err := vs.purge(d); err != nil {
				return err
			}
		}
	}
	return nil
}

// purge takes a deleted vault and all that is in it away for good. The record goes
// last: a purge that is cut short is done again.
func (vs *vaults) purge(d deletedVault) error {
	if err := vs.remove(d.Vault.ID); err != nil {
		return err
	}
	return vs.deleted.forget(d.Vault.Name)
}

// checkDeleted refuses a new vault with the name of a deleted one, unless it is
// to be that one again.
func (vs *vaults) checkDeleted(r arm.Resource) error {
	d, ok := vs.deleted.find(r.Name)
	recover := strings.EqualFold(arm.String(r.Properties, "createMode"), "recover")
	switch {
	case ok && recover && d.Vault.ID.Equal(r.ID), !ok && !recover:
		return nil
	case recover:
		return cloud.Errorf(http.StatusNotFound, "DeletedVaultNotFound", "there is no deleted vault %s to recover at %s", r.Name, r.ID)
	}
	return cloud.Errorf(http.StatusConflict, "ConflictError",
		"a vault named %s exists in deleted state, at %s: recover it (createMode recover) or purge it first", r.Name, d.Vault.ID)
}

// serveDeleted answers for the deleted vaults of the subscription: their list, one
// of a location, and its purge.
func (vs *vaults) serveDeleted(w http.ResponseWriter, r *http.Request) {
	if err := vs.purgeDue(time.Now()); err != nil {
		cloud.WriteError(w, err)
		return
	}
	id := string(cloud.IDFrom(r.Context()))
	_, path, _ := strings.Cut(strings.ToLower(id), strings.ToLower("/providers/"+Namespace+"/"))
	parts := strings.Split(path, "/") // deletedvaults, or locations/L/deletedvaults/N[/purge]
	subscription, _, _ := strings.Cut(id, "/providers/")
	switch {
	case r.Method == http.MethodGet && len(parts) == 1 && parts[0] == "deletedvaults":
		value := []arm.Object{}
		for _, d := range vs.deleted.all() {
			value = append(value, d.show(subscription))
		}
		cloud.WriteJSON(w, http.StatusOK, arm.Object{"value": value})
	case len(parts) >= 4 && parts[0] == "locations" && parts[2] == "deletedvaults":
		vs.serveOneDeleted(w, r, subscription, parts)
	default:
		cloud.WriteError(w, cloud.Errorf(http.StatusNotFound, "InvalidRequestUri", "There is nothing at this address."))
	}
}

func (vs *vaults) serveOneDeleted(w http.ResponseWriter, r *http.Request, subscription string, parts []string) {
	d, ok := vs.deleted.find(parts[3])
	switch {
	case !ok || !strings.EqualFold(d.Vault.Location, parts[1]):
		cloud.WriteError(w, cloud.Errorf(http.StatusNotFound, "DeletedVaultNotFound", "there is no deleted vault %s in %s", parts[3], parts[1]))
	case r.Method == http.MethodGet && len(parts) == 4:
		cloud.WriteJSON(w, http.StatusOK, d.show(subscription))
	case r.Method == http.MethodPost && len(parts) == 5 && parts[4] == "purge" && d.Protected:
		cloud.WriteError(w, cloud.Errorf(http.StatusConflict, "MethodNotAllowed", "the deleted vault %s is protected from being purged until %s", d.Vault.Name, d.Purge.Format(time.RFC3339)))
	case r.Method == http.MethodPost && len(parts) == 5 && parts[4] == "purge":
		if err := vs.purge(d); err != nil {
			cloud.WriteError(w, fmt.Errorf("purging the vault %s: %w", d.Vault.Name, err))
			return
		}
		cloud.WriteEnded(w, r, d.id(subscription))
	default:
		cloud.WriteError(w, cloud.Errorf(http.StatusMethodNotAllowed, "MethodNotAllowed", "The HTTP method %s is not supported at this address.", r.Method))
	}
}

// id is that of a deleted vault, which is no longer in a group.
func (d deletedVault) id(subscription string) arm.ID {
	return arm.ID(fmt.Sprintf("%s/providers/%s/locations/%s/deletedVaults/%s", subscription, Namespace, d.Vault.Location, d.Vault.Name))
}

// show is the document of a deleted vault.
func (d deletedVault) show(subscription string) arm.Object {
	return arm.Object{
		"id":   string(d.id(subscription)),
		"name": d.Vault.Name, "type": Namespace + "/deletedVaults",
		"properties": arm.Object{
			"vaultId": string(d.Vault.ID), "location": d.Vault.Location, "tags": d.Vault.Tags,
			"deletionDate": d.Deleted.Format(time.RFC3339), "scheduledPurgeDate": d.Purge.Format(time.RFC3339), "purgeProtectionEnabled": d.Protected,
		},
	}
}
