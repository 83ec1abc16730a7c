package machinelearning

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/durable"
)

// keys are an endpoint's two keys. They are kept encrypted, a file an endpoint.
type keys struct{ Primary, Secondary string }

func (s *Service) keyFile(endpoint arm.ID) string {
	return filepath.Join(s.dir, "keys", arm.StableGUID(endpoint, "keys"))
}

// endpointKeys are an endpoint's keys, which are made the first time.
func (s *Service) endpointKeys(endpoint arm.ID) (keys, error) {
	s.keyMu.Lock()
	defer s.keyMu.Unlock()
	return s.readKeys(endpoint)
}

func (s *Service) readKeys(endpoint arm.ID) (keys, error) {
	box, err := durable.ReadOrCreate(s.keyFile(endpoint), func() ([]byte, error) {
		primary, err := newKey()
		if err != nil {
			return nil, err
		}
		secondary, err := newKey()
		if err != nil {
			return nil, err
		}
		return s.sealKeys(endpoint, keys{primary, secondary})
	})
	if err != nil {
		return keys{}, fmt.Errorf("reading the keys of %s: %w", endpoint.Name(), err)
	}
	raw, err := s.seal.decrypt(endpoint.Key(), box)
	if err != nil {
		return keys{}, fmt.Errorf("reading the keys of %s: %w", endpoint.Name(), err)
	}
	var k keys
	return k, json.Unmarshal(raw, &k)
}

func (s *Service) sealKeys(endpoint arm.ID, k keys) ([]byte, error) {
	raw, err := json.Marshal(k)
	if err != nil {
		return nil, err
	}
	return s.seal.encrypt(endpoint.Key(), raw), nil
}

func newKey() (string, error) {
	b := make([]byte, 24)
	_, err := rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b), err
}

func (s *Service) renewKey(endpoint arm.ID, secondary bool) error {
	s.keyMu.Lock()
	defer s.keyMu.Unlock()
	k, err := s.readKeys(endpoint)
	if err != nil {
		return err
	}
	fresh, err := newKey()
	if err != nil {
		return err
	}
	if secondary {
		k.Secondary = fresh
	} else {
		k.Primary = fresh
	}
	box, err := s.sealKeys(endpoint, k)
	if err != nil {
		return err
	}
	return durable.WriteFile(s.keyFile(endpoint), box)
}

func (s *Service) dropKeys(endpoint arm.ID) error {
	s.keyMu.Lock()
	defer s.keyMu.Unlock()
	if err := os.Remove(s.keyFile(endpoint)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// match reports whether a text is one of the keys, in a time that does not tell
// how much of it is right.
func (k keys) match(text string) bool {
	given := sha256.Sum256([]byte(text))
	primary, secondary := sha256.Sum256([]byte(k.Primary)), sha256.Sum256([]byte(k.Secondary))
	return subtle.ConstantTimeCompare(given[:], primary[:])|subtle.ConstantTimeCompare(given[:], secondary[:]) == 1
}

const tokenLife = time.Hour

// endpointClaims are what a token of the endpoint says.
type endpointClaims struct {
	Endpoint string `json:"e"`
	Expires  int64  `json:"x"`
}

// endpointToken gives out a token for scoring, for an hour. Whoever may do this
// action may score.
func (s *Service) endpointToken(_ context.Context, r arm.Resource, _ json.RawMessage) (any, error) {
	mode, _ := authMode(arm.String(r.Properties, "authMode"))
	if mode != authToken {
		return nil, cloud.Errorf(http.StatusBadRequest, "UserError", "The endpoint %s gives out no tokens: its authMode is %s.", r.Name, mode)
	}
	until := time.Now().Add(tokenLife)
	raw, err := json.Marshal(endpointClaims{r.ID.Key(), until.Unix()})
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"accessToken": s.seal.sign("endpoint", raw), "tokenType": "Bearer", "expiryTimeUtc": until.Unix(), "refreshAfterTimeUtc": until.Add(-tokenLife / 2).Unix(),
	}, nil
}

// checkToken says whether a text is a token that endpointToken gave out for the endpoint.
func (s *Service) checkToken(endpoint arm.ID, text string) bool {
	var c endpointClaims
	raw, err := s.seal.open("endpoint", text)
	return err == nil && json.Unmarshal(raw, &c) == nil && c.Endpoint == endpoint.Key() && time.Now().Unix() < c.Expires
}
