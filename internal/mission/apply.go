package mission

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/access"
	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/client"
	"github.com/cloister-ml/cloister/internal/cloud/store"
	"github.com/cloister-ml/cloister/internal/durable"
	"github.com/cloister-ml/cloister/internal/provider/compute"
	"github.com/cloister-ml/cloister/service"
)

// applied is what was accepted at the last time: the hash of each document, by
// its id, in the order in which it was written.
type applied struct {
	Order  []arm.ID          `json:"order"`
	Hashes map[string]string `json:"hashes"`
}

func appliedFile(dir string) string { return filepath.Join(dir, "applied.json") }

func readApplied(dir string) (applied, error) {
	a := applied{Hashes: map[string]string{}}
	data, err := os.ReadFile(appliedFile(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return a, nil
	}
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal(data, &a)
}

func (a applied) write(dir string) error {
	data, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return durable.WriteFile(appliedFile(dir), data)
}

// changes says what an apply did.
type changes struct{ written, deleted, kept int }

// apply makes the control plane hold the estate: documents that are new, changed
// or gone from the cloud are written, those that the project no longer has are
// deleted. What a document gives up goes from its users first: a prefix of IPv6 from
// network interfaces, then subnets, then their network. All are accepted when it
// returns; they become real after that.
func apply(ctx context.Context, c *client.Client, dir string, e *arm.Estate, shown *progress) (changes, error) {
	var did changes
	last, err := readApplied(dir)
	if err != nil {
		return did, fmt.Errorf("reading what was applied before: %w", err)
	}
	next := applied{Hashes: map[string]string{}}
	var later []arm.Resource
	for i, r := range scriptsLast(e.InOrder(identities(e)...)) {
		shown.count(i, e.Len(), "accepted: "+r.Name)
		hash, err := hashOf(r)
		if err != nil {
			return did, err
		}
		next.Order, next.Hashes[r.ID.Key()] = append(next.Order, r.ID), hash
		if last.Hashes[r.ID.Key()] == hash && there(ctx, c, r.ID) {
			did.kept++
			continue
		}
		err = put(ctx, c, r)
		if inUse(err) {
			later = append(later, r)
			continue
		}
		if err != nil {
			return did, fmt.Errorf("%s (%s): %w", r.Source.Address, r.Source, err)
		}
		did.written++
	}
	if later, err = again(ctx, c, later, &did); err != nil {
		return did, err
	}
	for _, id := range slices.Backward(last.Order) {
		if _, wanted := next.Hashes[id.Key()]; wanted {
			continue
		}
		if err := c.Delete(ctx, id); err != nil {
			return did, fmt.Errorf("deleting %s: %w", id, err)
		}
		did.deleted++
	}
	if later, err = again(ctx, c, later, &did); err != nil {
		return did, err
	}
	if len(later) > 0 { // it says why
		r := later[0]
		if err := put(ctx, c, r); err != nil {
			return did, fmt.Errorf("%s (%s): %w", r.Source.Address, r.Source, err)
		}
	}
	return did, next.write(dir)
}

// inUse reports that a document cannot give something up that another still uses, as
// a network a prefix of its address space: what uses it is to give it up first.
func inUse(err error) bool {
	var refused *client.Error
	return errors.As(err, &refused) && strings.HasPrefix(refused.Code, "InUse")
}

// again writes documents that could not give something up, the users before the used,
// and returns those that still cannot.
func again(ctx context.Context, c *client.Client, later []arm.Resource, did *changes) ([]arm.Resource, error) {
	var left []arm.Resource
	for _, r := range slices.Backward(later) {
		err := put(ctx, c, r)
		switch {
		case inUse(err):
			left = append(left, r)
		case err != nil:
			return left, fmt.Errorf("%s (%s): %w", r.Source.Address, r.Source, err)
		default:
			did.written++
		}
	}
	slices.Reverse(left)
	return left, nil
}

// identities lead from role assignments to the documents that bring the identities
// which they name: a directory must know whom it gives a role.
func identities(e *arm.Estate) []arm.Edge {
	const at = "principalId"
	model := access.FromEstate(e)
	var out []arm.Edge
	for _, r := range e.OfType("Microsoft.Authorization/roleAssignments") {
		if p, ok := model.Principal(arm.String(r.Properties, at)); ok {
			if _, here := e.Get(p.Resource); here {
				out = append(out, arm.Edge{From: r.ID, To: p.Resource, Path: "properties." + at})
			}
		}
	}
	return out
}

// put writes a document. A vault whose name a deleted one has is recovered, as
// Terraform's provider does by default.
func put(ctx context.Context, c *client.Client, r arm.Resource) error {
	_, err := c.BeginPut(ctx, r)
	var refused *client.Error
	if !errors.As(err, &refused) || refused.Code != "ConflictError" || !r.IsType(service.TypeKeyVault) {
		return err
	}
	r.Properties = arm.Clone(r.Properties)
	r.Properties["createMode"] = "recover"
	_, err = c.BeginPut(ctx, r)
	return err
}

// there reports a document that the cloud has, and has not failed to make real:
// what failed is written again, which tries it again.
func there(ctx context.Context, c *client.Client, id arm.ID) bool {
	r, err := c.Get(ctx, id)
	return err == nil && arm.String(r.Properties, "provisioningState") != string(store.Failed)
}

// scriptsLast has the scripts that machines run come when the networks are accepted
// that they may need.
func scriptsLast(in []arm.Resource) []arm.Resource {
	rest, scripts := []arm.Resource{}, []arm.Resource(nil)
	for _, r := range in {
		if r.IsType(compute.TypeExtension) {
			scripts = append(scripts, r)
			continue
		}
		rest = append(rest, r)
	}
	return append(rest, scripts...)
}

func hashOf(r arm.Resource) (string, error) {
	data, err := json.Marshal(r) // maps are written in the order of their keys
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", r.ID, err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}
