package devops

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/internal/devops/wire"
)

// CreatePool makes an agent pool, or finds the one of that name.
func (s *Server) CreatePool(ctx context.Context, name string) (wire.Pool, error) {
	if !validName(name) {
		return wire.Pool{}, badRequest("%q cannot be the name of a pool", name)
	}
	var id int
	err := s.update(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`INSERT INTO pool (name) VALUES (?) ON CONFLICT DO NOTHING`, name); err != nil {
			return err
		}
		return tx.QueryRow(`SELECT id FROM pool WHERE name = ?`, name).Scan(&id)
	})
	return wire.Pool{ID: id, Name: name, PoolType: "automation"}, err
}

// Pools lists the agent pools, or the one of a name.
func (s *Server) Pools(_ context.Context, name string) ([]wire.Pool, error) {
	return collect(s.db, func(r scanner) (wire.Pool, error) {
		p := wire.Pool{PoolType: "automation"}
		return p, r.Scan(&p.ID, &p.Name, &p.Size)
	}, `SELECT id, name, (SELECT count(*) FROM agent WHERE pool_id = pool.id) FROM pool WHERE ? IN ('', name) ORDER BY id`, name)
}

// Agents lists the agents of a pool, or the one of a name.
func (s *Server) Agents(_ context.Context, pool int, name string) ([]wire.Agent, error) {
	agents, err := collect(s.db, scanAgent, `SELECT `+agentColumns+` FROM agent WHERE pool_id = ? AND ? IN ('', name) ORDER BY id`, pool, name)
	if err != nil {
		return nil, err
	}
	for i := range agents {
		s.complete(&agents[i])
	}
	return agents, nil
}

const agentColumns = `id, name, version, os, capabilities, created`

func scanAgent(r scanner) (wire.Agent, error) {
	a := wire.Agent{Enabled: true, MaxParallelism: 1}
	var created int64
	var capabilities string
	if err := r.Scan(&a.ID, &a.Name, &a.Version, &a.OSDescription, &capabilities, &created); err != nil {
		return a, err
	}
	a.CreatedOn = timeOrNil(created)
	var err error
	a.SystemCapabilities, err = decode[map[string]string](capabilities)
	return a, err
}

// complete adds what is not stored.
func (s *Server) complete(a *wire.Agent) {
	a.Status = "offline"
	if s.presence.live(a.ID) {
		a.Status = "online"
	}
}

// requirePool checks that a pool exists.
func (s *Server) requirePool(id int) error {
	var exists bool
	if err := s.db.QueryRow(`SELECT EXISTS (SELECT 1 FROM pool WHERE id = ?)`, id).Scan(&exists); err != nil {
		return err
	}
	if !exists {
		return problem(http.StatusNotFound, "TaskAgentPoolNotFoundException", "there is no agent pool %d", id)
	}
	return nil
}

func (s *Server) getPools(r *http.Request, _ principal) (any, error) {
	pools, err := s.Pools(r.Context(), r.URL.Query().Get("poolName"))
	return wire.Items(pools), err
}

func (s *Server) postPool(r *http.Request, _ principal) (any, error) {
	in, err := body[wire.Pool](r)
	if err != nil {
		return nil, err
	}
	return s.CreatePool(r.Context(), in.Name)
}

func (s *Server) getAgents(r *http.Request, _ principal) (any, error) {
	pool, err := number(r, "pool")
	if err != nil {
		return nil, err
	}
	if err := s.requirePool(pool); err != nil {
		return nil, err
	}
	agents, err := s.Agents(r.Context(), pool, r.URL.Query().Get("agentName"))
	return wire.Items(agents), err
}

func (s *Server) postAgent(r *http.Request, _ principal) (any, error) {
	pool, in, err := s.agentBody(r)
	if err != nil {
		return nil, err
	}
	err = s.update(r.Context(), func(tx *sql.Tx) error {
		var exists bool
		if err := tx.QueryRow(`SELECT EXISTS (SELECT 1 FROM agent WHERE pool_id = ? AND name = ?)`, pool, in.Name).Scan(&exists); err != nil {
			return err
		}
		if exists {
			return problem(http.StatusConflict, "TaskAgentExistsException", "the pool already has an agent %s; configure with --replace to take its place", in.Name)
		}
		in.Authorization.ClientID = uuid.NewString()
		result, err := tx.Exec(`INSERT INTO agent (pool_id, name, client_id, exponent, modulus, version, os, capabilities, created)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, pool, in.Name, in.Authorization.ClientID,
			in.Authorization.PublicKey.Exponent, in.Authorization.PublicKey.Modulus,
			in.Version, in.OSDescription, encode(in.SystemCapabilities), millis(time.Now()))
		if err != nil {
			return err
		}
		id, err := result.LastInsertId()
		in.ID = int(id)
		return err
	})
	return s.registered(in), err
}

// putAgent replaces an agent: a new key, and the old one's sessions end.
func (s *Server) putAgent(r *http.Request, _ principal) (any, error) {
	pool, in, err := s.agentBody(r)
	if err != nil {
		return nil, err
	}
	if in.ID, err = number(r, "agent"); err != nil {
		return nil, err
	}
	err = s.update(r.Context(), func(tx *sql.Tx) error {
		in.Authorization.ClientID = uuid.NewString()
		result, err := tx.Exec(`UPDATE agent SET name = ?, client_id = ?, exponent = ?, modulus = ?, version = ?, os = ?, capabilities = ?
			WHERE id = ? AND pool_id = ?`, in.Name, in.Authorization.ClientID,
			in.Authorization.PublicKey.Exponent, in.Authorization.PublicKey.Modulus,
			in.Version, in.OSDescription, encode(in.SystemCapabilities), in.ID, pool)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return cmpErr(err, notFound("the pool has no agent %d", in.ID))
		}
		_, err = tx.Exec(`DELETE FROM session WHERE agent_id = ?`, in.ID)
		return err
	})
	return s.registered(in), err
}

func cmpErr(err error, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

func (s *Server) agentBody(r *http.Request) (pool int, in wire.Agent, err error) {
	if pool, err = number(r, "pool"); err != nil {
		return pool, in, err
	}
	if err = s.requirePool(pool); err != nil {
		return pool, in, err
	}
	if in, err = body[wire.Agent](r); err != nil {
		return pool, in, err
	}
	if in.Name == "" || len(in.Name) > 64 {
		return pool, in, badRequest("an agent needs a name of 1 to 64 characters")
	}
	if in.Authorization == nil || in.Authorization.PublicKey == nil {
		return pool, in, badRequest("an agent needs a public key")
	}
	if _, err := publicKey(*in.Authorization.PublicKey); err != nil {
		return pool, in, badRequest("the agent's public key: %v", err)
	}
	if len(in.SystemCapabilities) > 500 {
		return pool, in, badRequest("an agent has at most 500 capabilities")
	}
	return pool, in, nil
}

// registered is the answer to a registration.
func (s *Server) registered(a wire.Agent) wire.Agent {
	a.Enabled, a.Status, a.MaxParallelism = true, "offline", 1
	a.Authorization.AuthorizationURL = s.url("/_oauth/token")
	return a
}

func (s *Server) getAgent(r *http.Request, _ principal) (any, error) {
	id, err := number(r, "agent")
	if err != nil {
		return nil, err
	}
	a, err := scanAgent(s.db.QueryRow(`SELECT `+agentColumns+` FROM agent WHERE id = ?`, id))
	if err != nil {
		return nil, orNotFound(err, "there is no agent %d", id)
	}
	s.complete(&a)
	return a, nil
}

func (s *Server) deleteAgent(r *http.Request, _ principal) (any, error) {
	id, err := number(r, "agent")
	if err != nil {
		return nil, err
	}
	err = s.update(r.Context(), func(tx *sql.Tx) error {
		var busy bool
		if err := tx.QueryRow(`SELECT EXISTS (SELECT 1 FROM request WHERE agent_id = ? AND state = 'running')`, id).Scan(&busy); err != nil {
			return err
		}
		if busy {
			return problem(http.StatusConflict, "TaskAgentJobStillRunningException", "the agent is running a job; cancel the run first")
		}
		result, err := tx.Exec(`DELETE FROM agent WHERE id = ?`, id)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return cmpErr(err, notFound("there is no agent %d", id))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.presence.forget(id)
	s.wake()
	return nil, nil
}

func (s *Server) poolByName(q querier, name string) (int, error) {
	var id int
	err := q.QueryRow(`SELECT id FROM pool WHERE name = ?`, name).Scan(&id)
	if err != nil {
		return 0, orNotFound(err, "there is no agent pool %s", name)
	}
	return id, nil
}

func describeAgent(q querier, id int) string {
	var name string
	if err := q.QueryRow(`SELECT name FROM agent WHERE id = ?`, id).Scan(&name); err != nil {
		return fmt.Sprintf("number %d", id)
	}
	return name
}
