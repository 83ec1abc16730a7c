package store

import (
	"context"
	"errors"
	"time"

	"github.com/cloister-ml/cloister/arm"
)

// ErrConflict is returned by Commit when a row is no longer at the version that
// the change was made from.
var ErrConflict = errors.New("the document was changed by someone else")

// State is a document's provisioning state, in ARM's words.
type State string

const (
	Creating  State = "Creating"
	Updating  State = "Updating"
	Deleting  State = "Deleting"
	Succeeded State = "Succeeded"
	Failed    State = "Failed"
)

// Condition is one thing that is known about how far a document is real.
type Condition struct {
	Type    string    `json:"type"` // Ready
	Status  bool      `json:"status"`
	Reason  string    `json:"reason,omitempty"` // an error code
	Message string    `json:"message,omitempty"`
	Since   time.Time `json:"since"`
}

// Row is one document and what the control plane knows of it.
type Row struct {
	Resource   arm.Resource
	Extra      arm.Object // top-level fields that arm.Resource has no place for, as zones
	Version    int64      // of the last accepted change; grows over the whole store, so it is never used twice
	Applied    int64      // the Version that was last made real
	State      State
	Conditions []Condition
	Created    time.Time
	CreatedBy  string // object id of the principal
	Changed    time.Time
	ChangedBy  string
}

// Key is what the row is found by.
func (r *Row) Key() string { return r.Resource.ID.Key() }

// Change writes one row, or deletes it where Row is nil.
type Change struct {
	Key string
	Was int64 // the Version it must have now; 0: it must not exist
	Row *Row
}

// Entry is one line of the activity log.
type Entry struct {
	Time        time.Time `json:"time"`
	Caller      string    `json:"caller"` // object id
	App         string    `json:"app,omitempty"`
	Action      string    `json:"action"` // Microsoft.Network/virtualNetworks/write
	Scope       arm.ID    `json:"scope"`
	Allowed     bool      `json:"allowed"`
	Status      int       `json:"status"` // HTTP status that was answered
	Correlation string    `json:"correlation"`
	Source      string    `json:"source,omitempty"` // client address
	Reason      string    `json:"reason,omitempty"` // of a refusal
}

// Principal is an application with a secret of its own. Only the secret's hash
// is kept.
type Principal struct {
	AppID    string
	ObjectID string
	Name     string
	Hash     []byte // SHA-256 of the secret, which has 256 random bits
	Owner    bool   // the cloud's first principal: Owner at /
	Created  time.Time
}

// Batch is committed as a whole or not at all.
type Batch struct {
	Changes []Change
	Log     []Entry
}

// Store is durable. Its methods may be called from several goroutines.
type Store interface {
	// Load reads every row, in no order.
	Load(ctx context.Context) ([]*Row, error)
	// Commit writes a batch; when it returns nil the batch is on disk.
	Commit(ctx context.Context, b Batch) error
	// Log are the latest entries within scope, newest first, at most limit.
	Log(ctx context.Context, scope arm.ID, limit int) ([]Entry, error)
	// Principals are the applications.
	Principals(ctx context.Context) ([]Principal, error)
	// PutPrincipal creates an application or replaces the one of the same AppID.
	PutPrincipal(ctx context.Context, p Principal) error
	// Setting is a value of the cloud itself, as its tenant; "" where there is none.
	Setting(ctx context.Context, name string) (string, error)
	// Set writes a setting.
	Set(ctx context.Context, name, value string) error
	// Objects are the directory's entries of one kind, by id.
	Objects(ctx context.Context, kind string) (map[string][]byte, error)
	// WriteObjects writes entries of the directory, all or none; a nil value deletes.
	WriteObjects(ctx context.Context, list ...Object) error
	Close() error
}

// Object is an entry of the tenant's directory: a user, a group, a session.
type Object struct {
	Kind, ID string
	Value    []byte // nil: there is none
}
