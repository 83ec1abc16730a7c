package arm

import (
	"encoding/json"
	"strings"

	"github.com/google/uuid"
)

// Object is a JSON object. Its leaves are string, bool, float64, nil and
// [Unknown]; its inner nodes Object's underlying type, map[string]any, and []any.
type Object = map[string]any

// Resource is one ARM document.
type Resource struct {
	ID         ID                `json:"id"`
	Name       string            `json:"name"`
	Type       string            `json:"type"`
	Location   string            `json:"location,omitempty"`
	Kind       string            `json:"kind,omitempty"`
	Tags       map[string]string `json:"tags,omitempty"`
	SKU        Object            `json:"sku,omitempty"`
	Zones      []string          `json:"zones,omitempty"`
	Plan       Object            `json:"plan,omitempty"` // of a marketplace image or service
	Identity   *Identity         `json:"identity,omitempty"`
	Properties Object            `json:"properties,omitempty"`

	// Source is where the document was declared; it is not part of ARM's shape, and
	// an estate's JSON has it beside the documents.
	Source Source `json:"-"`
	// Parts are where parts of the document were declared that stand elsewhere than
	// Source, by their path: properties.securityRules.2. See [Resource.Place].
	Parts map[string]Source `json:"-"`
}

// Identity is a resource's managed identity block.
type Identity struct {
	Type        string            `json:"type"` // None, SystemAssigned, UserAssigned, "SystemAssigned, UserAssigned"
	PrincipalID string            `json:"principalId,omitempty"`
	TenantID    string            `json:"tenantId,omitempty"`
	User        map[string]Object `json:"userAssignedIdentities,omitempty"`
}

// SystemAssigned reports whether the resource has an identity of its own.
func (i *Identity) SystemAssigned() bool {
	return i != nil && strings.Contains(strings.ToLower(i.Type), "systemassigned")
}

// Source is a place in the user's files.
type Source struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Address string `json:"address,omitempty"` // as the reader's language names it, e.g. azurerm_subnet.training
}

// IsType compares types without regard to case.
func (r Resource) IsType(typ string) bool { return strings.EqualFold(r.Type, typ) }

// Unknown stands for a value that is not known before deployment.
type Unknown struct {
	Expression string `json:"expression"` // as random_password.admin.result
	File       string `json:"file,omitempty"`
	Line       int    `json:"line,omitempty"`
}

// MarshalJSON writes {"$unknown": {...}}, which [Decode] reads back.
func (u Unknown) MarshalJSON() ([]byte, error) {
	type plain Unknown
	return json.Marshal(map[string]plain{"$unknown": plain(u)})
}

func (u Unknown) String() string { return "unknown until deployment: " + u.Expression }

// namespace keeps the ids that the cloud itself gives out apart from others.
var namespace = uuid.MustParse("5b0a31a9-7b0f-5c66-9a5e-3f1d3c0a6d11")

// StableGUID is the GUID that stands for something which Azure would choose at
// deployment. Readers and the control plane both use it, so that an estate read
// and the same estate deployed are equal.
func StableGUID(id ID, what string) string {
	return uuid.NewSHA1(namespace, []byte(id.Key()+"#"+what)).String()
}

// PrincipalID is the object id of a resource's system-assigned identity, or of a
// user-assigned identity resource.
func PrincipalID(id ID) string { return StableGUID(id, "principalId") }
