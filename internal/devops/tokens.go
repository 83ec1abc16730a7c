package devops

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Scope is what a personal access token may do.
type Scope string

const (
	// ScopeAdmin may do everything.
	ScopeAdmin Scope = "admin"
	// ScopeAgentPools may see pools and register and remove agents: what an agent
	// is configured with.
	ScopeAgentPools Scope = "agentPools"
)

const agentTokenLifetime = time.Hour

// CreateToken makes a personal access token. A token of the same name is replaced.
// The token itself is not kept and is never shown again.
func (s *Server) CreateToken(ctx context.Context, name string, scope Scope) (string, error) {
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return "", err
	}
	token := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw))
	return token, s.SetToken(ctx, name, scope, token)
}

// SetToken makes a personal access token of a value that the caller chose: at
// least 20 characters that cannot be guessed.
func (s *Server) SetToken(ctx context.Context, name string, scope Scope, token string) error {
	if scope != ScopeAdmin && scope != ScopeAgentPools {
		return fmt.Errorf("%q is not the scope of a token", scope)
	}
	if name == "" || len(token) < 20 {
		return errors.New("a token needs a name and at least 20 characters")
	}
	hash := sha256.Sum256([]byte(token))
	return s.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO token (name, scope, hash, created) VALUES (?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET scope = excluded.scope, hash = excluded.hash, created = excluded.created`,
			name, string(scope), hash[:], millis(time.Now()))
		return err
	})
}

// RevokeToken ends a personal access token.
func (s *Server) RevokeToken(ctx context.Context, name string) error {
	return s.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`DELETE FROM token WHERE name = ?`, name)
		return err
	})
}

// tokenScope finds the scope of a personal access token. Every token is compared,
// each in constant time.
func (s *Server) tokenScope(token string) (name string, scope Scope, err error) {
	type row struct {
		name  string
		scope Scope
		hash  []byte
	}
	rows, err := collect(s.db, func(r scanner) (row, error) {
		var v row
		return v, r.Scan(&v.name, &v.scope, &v.hash)
	}, `SELECT name, scope, hash FROM token`)
	if err != nil {
		return "", "", err
	}
	hash := sha256.Sum256([]byte(token))
	for _, r := range rows {
		if subtle.ConstantTimeCompare(hash[:], r.hash) == 1 {
			name, scope = r.name, r.scope
		}
	}
	return name, scope, nil
}

func (s *Server) signingKey(ctx context.Context) ([]byte, error) {
	var key []byte
	err := s.update(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRow(`SELECT value FROM setting WHERE key = 'signing'`).Scan(&key)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		key = make([]byte, 32)
		if _, err := rand.Read(key); err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO setting (key, value) VALUES ('signing', ?)`, key)
		return err
	})
	return key, err
}

// Tokens of agents and jobs are claims with a signature:
//
//	agent.CLIENT.EXPIRES.SIGNATURE  until the agent is replaced or removed
//	job.REQUEST.SIGNATURE           while the request is open

func (s *Server) sign(claims string) string {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(claims))
	return claims + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (s *Server) agentToken(clientID string, now time.Time) string {
	return s.sign(fmt.Sprintf("agent.%s.%d", clientID, now.Add(agentTokenLifetime).Unix()))
}

func (s *Server) jobToken(request int64) string { return s.sign(fmt.Sprintf("job.%d", request)) }

// verify checks a signature and gives the claims.
func (s *Server) verify(token string) (claims []string, ok bool) {
	end := strings.LastIndexByte(token, '.')
	if end < 0 || len(token) > 256 {
		return nil, false
	}
	if subtle.ConstantTimeCompare([]byte(s.sign(token[:end])), []byte(token)) != 1 {
		return nil, false
	}
	return strings.Split(token[:end], "."), true
}

// bearer is who a bearer token is of.
func (s *Server) bearer(token string, now time.Time) (principal, bool) {
	claims, ok := s.verify(token)
	if !ok {
		return principal{}, false
	}
	switch {
	case len(claims) == 3 && claims[0] == "agent":
		expires, _ := strconv.ParseInt(claims[2], 10, 64)
		p := principal{role: roleAgent}
		err := s.db.QueryRow(`SELECT id, name FROM agent WHERE client_id = ?`, claims[1]).Scan(&p.agent, &p.name)
		return p, err == nil && now.Unix() < expires
	case len(claims) == 2 && claims[0] == "job":
		request, _ := strconv.ParseInt(claims[1], 10, 64)
		p := principal{role: roleJob, request: request, name: "job"}
		err := s.db.QueryRow(`SELECT r.run_id, r.job_id, p.project_id, run.plan_id
			FROM request r JOIN run ON run.id = r.run_id JOIN pipeline p ON p.id = run.pipeline_id
			WHERE r.id = ? AND r.state IN ('assigned', 'running')`, request).Scan(&p.run, &p.job, &p.project, &p.plan)
		return p, err == nil
	}
	return principal{}, false
}
