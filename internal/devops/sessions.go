package devops

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" // RSA-OAEP with SHA-1 is the protocol's default; agents of ours ask for SHA-256
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/internal/devops/wire"
)

// presence knows which agents poll. It is not stored: an agent polls again within
// seconds of a restart.
type presence struct {
	mu     sync.Mutex
	agents map[int]*present
}

type present struct {
	polls int
	seen  time.Time
	wake  chan struct{}
}

// presenceGrace is how long an agent counts as live after a poll ended.
const presenceGrace = 20 * time.Second

func (p *presence) get(agent int) *present {
	if p.agents == nil {
		p.agents = map[int]*present{}
	}
	one, ok := p.agents[agent]
	if !ok {
		one = &present{wake: make(chan struct{}, 1)}
		p.agents[agent] = one
	}
	return one
}

// enter marks that an agent polls, and gives the channel on which it is woken.
func (p *presence) enter(agent int) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	one := p.get(agent)
	one.polls++
	one.seen = time.Now()
	return one.wake
}

func (p *presence) leave(agent int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if one, ok := p.agents[agent]; ok {
		one.polls = max(0, one.polls-1) // forgotten meanwhile, and here again
		one.seen = time.Now()
	}
}

// polling says that an agent waits for a message at this moment.
func (p *presence) polling(agent int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	one, ok := p.agents[agent]
	return ok && one.polls > 0
}

func (p *presence) live(agent int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	one, ok := p.agents[agent]
	return ok && (one.polls > 0 || time.Since(one.seen) < presenceGrace)
}

func (p *presence) forget(agent int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.agents, agent)
}

func (p *presence) notify(agent int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case p.get(agent).wake <- struct{}{}:
	default:
	}
}

func (p *presence) wakeAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.agents {
		select {
		case one.wake <- struct{}{}:
		default:
		}
	}
}

// postSession begins an agent's presence with a fresh key for its messages.
func (s *Server) postSession(r *http.Request, p principal) (any, error) {
	in, err := body[wire.Session](r)
	if err != nil {
		return nil, err
	}
	if in.Agent.ID != p.agent {
		return nil, forbidden("the session is for another agent")
	}
	// The same machine may begin anew: what still polls there is gone, although its
	// connection may not have been closed.
	if owner := s.sessionOwner(p.agent); s.presence.polling(p.agent) && owner != in.OwnerName {
		return nil, problem(http.StatusConflict, "TaskAgentSessionConflictException", "the agent already has a session, on %s", owner)
	}
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	in.SessionID = uuid.NewString()
	err = s.update(r.Context(), func(tx *sql.Tx) error {
		var public wire.PublicKey
		if err := tx.QueryRow(`SELECT exponent, modulus FROM agent WHERE id = ?`, p.agent).Scan(&public.Exponent, &public.Modulus); err != nil {
			return err
		}
		rsaKey, err := publicKey(public)
		if err != nil {
			return err
		}
		digest := sha1.New
		if in.UseFIPSEncryption {
			digest = sha256.New
		}
		wrapped, err := rsa.EncryptOAEP(digest(), rand.Reader, rsaKey, key, nil)
		if err != nil {
			return err
		}
		in.EncryptionKey = &wire.SessionKey{Encrypted: true, Value: wrapped}
		_, err = tx.Exec(`INSERT INTO session (id, agent_id, owner, key) VALUES (?, ?, ?, ?)
			ON CONFLICT (agent_id) DO UPDATE SET id = excluded.id, owner = excluded.owner, key = excluded.key`,
			in.SessionID, p.agent, in.OwnerName, key)
		return err
	})
	s.presence.notify(p.agent) // a poll of the session before ends
	return in, err
}

func (s *Server) sessionOwner(agent int) string {
	var owner string
	_ = s.db.QueryRow(`SELECT owner FROM session WHERE agent_id = ?`, agent).Scan(&owner) // none: ""
	return owner
}

func (s *Server) deleteSession(r *http.Request, p principal) (any, error) {
	err := s.update(r.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`DELETE FROM session WHERE id = ? AND agent_id = ?`, r.PathValue("session"), p.agent)
		return err
	})
	s.presence.forget(p.agent)
	return nil, err
}

// getMessage waits for a message to the agent; without one there is no content.
func (s *Server) getMessage(r *http.Request, p principal) (any, error) {
	wake := s.presence.enter(p.agent)
	defer s.presence.leave(p.agent)
	s.wake() // the agent may be what a job waits for
	deadline := time.NewTimer(s.opts.PollDuration)
	defer deadline.Stop()
	for {
		key, err := s.sessionKey(r.URL.Query().Get("sessionId"), p.agent)
		if err != nil {
			return nil, err
		}
		m, err := s.nextMessage(p.agent, r.URL.Query().Get("lastMessageId"))
		if err == nil {
			return encrypt(m, key)
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
		select {
		case <-wake:
			if s.closing() {
				return nil, nil
			}
		case <-deadline.C:
			return nil, nil
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
}

func (s *Server) sessionKey(session string, agent int) ([]byte, error) {
	var key []byte
	err := s.db.QueryRow(`SELECT key FROM session WHERE id = ? AND agent_id = ?`, session, agent).Scan(&key)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, problem(http.StatusNotFound, "TaskAgentSessionExpiredException", "the session has ended; create another")
	}
	return key, err
}

// nextMessage is the oldest message after the last one that the agent has seen.
func (s *Server) nextMessage(agent int, last string) (wire.Message, error) {
	var m wire.Message
	var request int64
	err := s.db.QueryRow(`SELECT id, type, request_id FROM message WHERE agent_id = ? AND id > CAST(? AS INTEGER) ORDER BY id LIMIT 1`, agent, last).
		Scan(&m.MessageID, &m.MessageType, &request)
	if err != nil {
		return m, err
	}
	m.Body, err = s.messageBody(m.MessageType, request)
	return m, err
}

func encrypt(m wire.Message, key []byte) (wire.Message, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return m, err
	}
	m.IV = make([]byte, aes.BlockSize)
	if _, err := rand.Read(m.IV); err != nil {
		return m, err
	}
	plain := []byte(m.Body)
	pad := aes.BlockSize - len(plain)%aes.BlockSize
	for range pad {
		plain = append(plain, byte(pad))
	}
	cipher.NewCBCEncrypter(block, m.IV).CryptBlocks(plain, plain)
	m.Body = base64.StdEncoding.EncodeToString(plain)
	return m, nil
}

// deleteMessage acknowledges a message. A job's counts as taken from then on.
func (s *Server) deleteMessage(r *http.Request, p principal) (any, error) {
	id, err := number(r, "message")
	if err != nil {
		return nil, err
	}
	err = s.update(r.Context(), func(tx *sql.Tx) error {
		var request int64
		err := tx.QueryRow(`DELETE FROM message WHERE id = ? AND agent_id = ? RETURNING request_id`, id, p.agent).Scan(&request)
		if errors.Is(err, sql.ErrNoRows) {
			return nil // said twice
		}
		if err != nil {
			return err
		}
		_, err = tx.Exec(`UPDATE request SET state = 'running', locked_until = ? WHERE id = ? AND state = 'assigned'`,
			millis(time.Now().Add(s.opts.LockDuration)), request)
		return err
	})
	s.changed.broadcast()
	return nil, err
}
