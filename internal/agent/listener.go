package agent

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/internal/devops/wire"
)

// Options say how an agent runs.
type Options struct {
	Home string
	Once bool // end after one job
	Log  *slog.Logger
}

// Run connects the agent of a home to its organisation and runs its jobs until ctx
// ends. A job that runs then is canceled and reported.
func Run(ctx context.Context, o Options) error {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	home, err := filepath.Abs(o.Home)
	if err != nil {
		return err
	}
	settings, err := Load(home)
	if err != nil {
		return err
	}
	c, key, err := loadCredentials(home)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(settings.WorkFolder, 0o755); err != nil {
		return err
	}
	release, err := lockWork(settings.WorkFolder)
	if err != nil {
		return err
	}
	defer release()
	tokens := &assertion{credentials: c, key: key, http: newHTTPClient()}
	l := &listener{
		settings: settings, home: home, once: o.Once, log: o.Log, key: key, tokens: tokens,
		api: &client{base: settings.ServerURL, http: tokens.http, token: tokens.authorization},
	}
	l.recover(ctx)
	return l.listen(ctx)
}

type listener struct {
	settings Settings
	home     string
	once     bool
	log      *slog.Logger
	key      *rsa.PrivateKey
	tokens   *assertion
	api      *client

	session string
	aes     []byte
	last    int64 // id of the last message
}

func (l *listener) pool(format string, args ...any) string {
	return fmt.Sprintf("/_apis/distributedtask/pools/%d", l.settings.PoolID) + fmt.Sprintf(format, args...)
}

// listen polls for messages, with growing pauses while the organisation cannot be
// reached.
func (l *listener) listen(ctx context.Context) error {
	defer l.endSession()
	pause := time.Second
	for ctx.Err() == nil {
		m, err := l.next(ctx)
		switch {
		case err == nil && m == nil:
			pause = time.Second
			continue
		case err == nil:
			pause = time.Second
			if ran := l.handle(ctx, m); ran && l.once {
				return nil
			}
			continue
		case ctx.Err() != nil:
			return nil
		case gone(err):
			return fmt.Errorf("the organisation does not know this agent any more: %w", err)
		}
		l.log.Warn("the organisation cannot be reached", "url", l.settings.ServerURL, "again in", pause.String(), "error", err)
		sleep(ctx, pause)
		pause = min(2*pause, 30*time.Second)
	}
	return nil
}

// errOtherKey says that the agent was configured again meanwhile, with another key.
var errOtherKey = errors.New("the agent's key is not the one that it is known by")

// gone says that the agent was removed or replaced: its key is not accepted.
func gone(err error) bool {
	var e *serverError
	return errors.As(err, &e) && e.Type == "invalid_client" || errors.Is(err, errOtherKey)
}

// next is the next message, nil when there is none yet.
func (l *listener) next(ctx context.Context) (*wire.Message, error) {
	if l.session == "" {
		if err := l.startSession(ctx); err != nil {
			return nil, err
		}
	}
	query := "?sessionId=" + url.QueryEscape(l.session)
	if l.last > 0 {
		query += "&lastMessageId=" + strconv.FormatInt(l.last, 10)
	}
	var m wire.Message
	found, err := l.api.call(ctx, pollTimeout, http.MethodGet, l.pool("/messages%s", query), nil, &m)
	switch {
	case isStatus(err, http.StatusNotFound):
		l.session = "" // it has ended: the next call makes another
		return nil, nil
	case isStatus(err, http.StatusUnauthorized):
		l.tokens.forget()
		return nil, err
	case err != nil || !found:
		return nil, err
	}
	l.last = m.MessageID
	m.Body, err = decrypt(m, l.aes)
	return &m, err
}

func (l *listener) startSession(ctx context.Context) error {
	host, _ := os.Hostname()
	in := wire.Session{OwnerName: host, UseFIPSEncryption: true,
		Agent: wire.Agent{ID: l.settings.AgentID, Name: l.settings.AgentName, Version: Version(), OSDescription: osDescription()}}
	var out wire.Session
	if _, err := l.api.call(ctx, requestTimeout, http.MethodPost, l.pool("/sessions"), in, &out); err != nil {
		if isStatus(err, http.StatusUnauthorized) {
			l.tokens.forget()
		}
		return err
	}
	if out.EncryptionKey == nil {
		return errors.New("the session has no key")
	}
	key := out.EncryptionKey.Value
	if out.EncryptionKey.Encrypted {
		var err error
		if key, err = rsa.DecryptOAEP(sha256.New(), rand.Reader, l.key, key, nil); err != nil {
			return errOtherKey
		}
	}
	l.session, l.aes, l.last = out.SessionID, key, 0
	l.log.Info("waiting for jobs", "organisation", l.settings.ServerURL, "pool", l.settings.PoolName, "agent", l.settings.AgentName)
	return nil
}

func (l *listener) endSession() {
	if l.session == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if _, err := l.api.call(ctx, requestTimeout, http.MethodDelete, l.pool("/sessions/%s", l.session), nil, nil); err != nil {
		l.log.Warn("the session could not be ended", "error", err)
	}
}

func decrypt(m wire.Message, key []byte) (string, error) {
	if len(m.IV) == 0 {
		return m.Body, nil
	}
	text, err := base64.StdEncoding.DecodeString(m.Body)
	if err != nil {
		return "", err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return "", err
	}
	if len(m.IV) != aes.BlockSize || len(text) == 0 || len(text)%aes.BlockSize != 0 {
		return "", errors.New("the message cannot be decrypted")
	}
	cipher.NewCBCDecrypter(block, m.IV).CryptBlocks(text, text)
	pad := int(text[len(text)-1])
	if pad == 0 || pad > aes.BlockSize || pad > len(text) {
		return "", errors.New("the message cannot be decrypted")
	}
	return string(text[:len(text)-pad]), nil
}

// handle carries out a message; it reports whether it was a job.
func (l *listener) handle(ctx context.Context, m *wire.Message) bool {
	if m.MessageType != wire.MessageJob {
		l.deleteMessage(ctx, m) // a cancel without its job, or something unknown
		return false
	}
	var job wire.Job
	if err := json.Unmarshal([]byte(m.Body), &job); err != nil {
		l.log.Error("a job's message cannot be read", "error", err)
		l.deleteMessage(ctx, m)
		return false
	}
	if err := writeJSON(l.journal(), journal{Job: job.JobID, Request: job.RequestID, Plan: job.Plan, Timeline: job.Timeline, Token: accessTokenOf(job)}); err != nil {
		l.log.Error("the job cannot be noted, and so not be run", "error", err)
		return false
	}
	l.deleteMessage(ctx, m)
	l.log.Info("a job begins", "job", job.JobDisplayName, "request", job.RequestID)
	result := l.runJob(ctx, job)
	if err := os.Remove(l.journal()); err != nil {
		l.log.Error("the note of the job cannot be removed", "error", err)
	}
	l.log.Info("a job is done", "job", job.JobDisplayName, "request", job.RequestID, "result", result)
	return true
}

func (l *listener) deleteMessage(ctx context.Context, m *wire.Message) {
	err := retry(ctx, func() error {
		_, err := l.api.call(ctx, requestTimeout, http.MethodDelete, l.pool("/messages/%d?sessionId=%s", m.MessageID, url.QueryEscape(l.session)), nil, nil)
		return err
	})
	if err != nil {
		l.log.Warn("a message could not be acknowledged", "error", err)
	}
}

// jobClient calls as the job.
func (l *listener) jobClient(token string) *client {
	return &client{base: l.settings.ServerURL, http: l.tokens.http, token: func(context.Context) (string, error) { return "Bearer " + token, nil }}
}

func accessTokenOf(job wire.Job) string { return (&jobRun{job: job}).accessToken() }

// parseTimeout reads hh:mm:ss; five minutes when it is something else.
func parseTimeout(text string) time.Duration {
	parts := strings.Split(text, ":")
	if len(parts) == 3 {
		h, err1 := strconv.Atoi(parts[0])
		m, err2 := strconv.Atoi(parts[1])
		s, err3 := strconv.Atoi(parts[2])
		if errors.Join(err1, err2, err3) == nil && h >= 0 && h < 1000 && m >= 0 && s >= 0 {
			return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second
		}
	}
	return 5 * time.Minute
}
