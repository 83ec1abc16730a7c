package storage

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/durable"
	"github.com/cloister-ml/cloister/internal/provider/storage/blobstore"
)

// accounts are the storage accounts' data.
type accounts struct{ folders *durable.Folders[*account] }

// account is one account's blobs and keys.
type account struct {
	dir   string
	blobs *blobstore.Store

	mu   sync.RWMutex
	keys keys
}

// keys are an account's secrets.
type keys struct {
	Key1       []byte    `json:"key1"`
	Key2       []byte    `json:"key2"`
	Delegation []byte    `json:"delegation"` // user delegation keys are made of it
	Made1      time.Time `json:"made1"`
	Made2      time.Time `json:"made2"`
}

func newAccounts(host cloud.Host) *accounts {
	return &accounts{durable.NewFolders[*account](host.Dir("storage"))}
}

func (a *accounts) get(id arm.ID) (*account, error) {
	acc, err := a.folders.Get(id.Key(), openAccount)
	if err != nil {
		return nil, fmt.Errorf("opening the storage account %s: %w", id.Name(), err)
	}
	return acc, nil
}

func openAccount(dir string) (*account, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	data, err := durable.ReadOrCreate(filepath.Join(dir, "keys.json"), func() ([]byte, error) {
		now := time.Now().UTC()
		return json.Marshal(keys{Key1: randomKey(), Key2: randomKey(), Delegation: randomKey(), Made1: now, Made2: now})
	})
	if err != nil {
		return nil, err
	}
	acc := &account{dir: dir}
	if err := json.Unmarshal(data, &acc.keys); err != nil {
		return nil, fmt.Errorf("reading its keys: %w", err)
	}
	acc.blobs, err = blobstore.Open(filepath.Join(dir, "blob"))
	return acc, err
}

func randomKey() []byte {
	key := make([]byte, 64)
	_, _ = rand.Read(key) // never fails
	return key
}

// remove deletes an account's data.
func (a *accounts) remove(id arm.ID) error {
	if err := a.folders.Remove(id.Key()); err != nil {
		return fmt.Errorf("removing the storage account %s: %w", id.Name(), err)
	}
	return nil
}

// Close ends the open account.
func (acc *account) Close() error { return acc.blobs.Close() }

// secrets is a copy of the account's keys.
func (acc *account) secrets() keys {
	acc.mu.RLock()
	defer acc.mu.RUnlock()
	return acc.keys
}

// listKeys answers POST listKeys.
func (a *accounts) listKeys(_ context.Context, r arm.Resource, _ json.RawMessage) (any, error) {
	acc, err := a.get(r.ID)
	if err != nil {
		return nil, err
	}
	return presentKeys(acc.secrets()), nil
}

func presentKeys(k keys) any {
	one := func(name string, key []byte, made time.Time) map[string]any {
		return map[string]any{
			"keyName": name, "value": base64.StdEncoding.EncodeToString(key), "permissions": "FULL",
			"creationTime": made.Format(time.RFC3339Nano),
		}
	}
	return map[string]any{"keys": []any{one("key1", k.Key1, k.Made1), one("key2", k.Key2, k.Made2)}}
}

// regenerateKey answers POST regenerateKey.
func (a *accounts) regenerateKey(_ context.Context, r arm.Resource, body json.RawMessage) (any, error) {
	var in struct {
		KeyName string `json:"keyName"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, cloud.Errorf(http.StatusBadRequest, "InvalidRequestContent", "the body is not {\"keyName\": \"key1\"}")
	}
	acc, err := a.get(r.ID)
	if err != nil {
		return nil, err
	}
	acc.mu.Lock()
	defer acc.mu.Unlock()
	next, now := acc.keys, time.Now().UTC()
	switch strings.ToLower(in.KeyName) {
	case "key1":
		next.Key1, next.Made1 = randomKey(), now
	case "key2":
		next.Key2, next.Made2 = randomKey(), now
	default:
		return nil, cloud.Errorf(http.StatusBadRequest, "InvalidValuesForRequestParameters", "keyName %q is not key1 or key2", in.KeyName)
	}
	data, err := json.Marshal(next)
	if err != nil {
		return nil, err
	}
	if err := durable.WriteFile(filepath.Join(acc.dir, "keys.json"), data); err != nil {
		return nil, fmt.Errorf("keeping the new key: %w", err)
	}
	acc.keys = next
	return presentKeys(next), nil
}
