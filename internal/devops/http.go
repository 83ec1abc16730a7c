package devops

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/internal/devops/wire"
)

// role is what a caller is.
type role int

const (
	roleAdmin     role = 1 << iota // a personal access token of scope admin
	roleAgentPool                  // a personal access token of scope agentPools
	roleAgent                      // a registered agent
	roleJob                        // a job on an agent

	anyone = 0
)

// principal is who calls.
type principal struct {
	role    role
	name    string
	agent   int    // of an agent
	request int64  // of a job, and what follows
	run     int    //
	job     string //
	plan    string //
	project string //
}

// Problem is an error that the API answers with.
type Problem struct {
	Status  int
	Type    string // AgentNotFoundException
	Message string
}

func (p *Problem) Error() string { return p.Message }

func problem(status int, kind, format string, args ...any) *Problem {
	return &Problem{status, kind, fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) *Problem {
	return problem(http.StatusNotFound, "ResourceNotFoundException", format, args...)
}

func badRequest(format string, args ...any) *Problem {
	return problem(http.StatusBadRequest, "InvalidRequestException", format, args...)
}

func forbidden(format string, args ...any) *Problem {
	return problem(http.StatusForbidden, "AccessDeniedException", format, args...)
}

// orNotFound turns the absence of a row into a Problem.
func orNotFound(err error, format string, args ...any) error {
	if errors.Is(err, sql.ErrNoRows) {
		return notFound(format, args...)
	}
	return err
}

// endpoint answers one route; it returns what is written as JSON, nil for no
// content, or an error.
type endpoint func(r *http.Request, p principal) (any, error)

const maxBody = 4 << 20

// serve makes a handler of an endpoint that the roles allowed may call.
func (s *Server) serve(allowed role, do endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p, err := s.admit(r, allowed)
		if err != nil {
			s.writeError(w, r, err)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		out, err := do(r, p)
		switch {
		case err != nil:
			s.writeError(w, r, err)
		case out == nil:
			w.WriteHeader(http.StatusNoContent)
		default:
			writeJSON(w, http.StatusOK, out)
		}
	}
}

// admit authenticates a request and checks that its role is allowed.
func (s *Server) admit(r *http.Request, allowed role) (principal, error) {
	if org := r.PathValue("org"); !strings.EqualFold(org, s.opts.Organization) {
		return principal{}, notFound("there is no organisation %s here", org)
	}
	if allowed == anyone {
		return principal{}, nil
	}
	p, err := s.authenticate(r)
	if err != nil {
		return p, err
	}
	if p.role&allowed == 0 {
		return p, forbidden("the token is not allowed to do this")
	}
	return p, nil
}

func (s *Server) authenticate(r *http.Request) (principal, error) {
	unauthorized := problem(http.StatusUnauthorized, "UnauthorizedRequestException", "a valid token is needed")
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "bearer") {
		if p, ok := s.bearer(strings.TrimSpace(value), time.Now()); ok {
			return p, nil
		}
		return principal{}, unauthorized
	}
	_, token, ok := r.BasicAuth()
	if !ok || token == "" {
		return principal{}, unauthorized
	}
	name, scope, err := s.tokenScope(token)
	if err != nil {
		return principal{}, err
	}
	switch scope {
	case ScopeAdmin:
		return principal{role: roleAdmin, name: name}, nil
	case ScopeAgentPools:
		return principal{role: roleAgentPool, name: name}, nil
	}
	return principal{}, unauthorized
}

func (s *Server) writeError(w http.ResponseWriter, r *http.Request, err error) {
	var p *Problem
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &p):
	case errors.As(err, &large):
		p = problem(http.StatusRequestEntityTooLarge, "RequestTooLargeException", "the body is larger than %d bytes", large.Limit)
	case errors.Is(err, context.Canceled):
		return // the client has gone
	default:
		s.log.Error("devops: a request failed", "method", r.Method, "path", r.URL.Path, "error", err)
		p = problem(http.StatusInternalServerError, "VssServiceException", "the request could not be carried out; see the log of the organisation")
	}
	if p.Status == http.StatusUnauthorized {
		w.Header().Add("WWW-Authenticate", `Bearer authorization_uri="`+s.url("/_oauth/token")+`"`)
		w.Header().Add("WWW-Authenticate", `Basic realm="`+s.opts.URL+`/"`)
	}
	writeJSON(w, p.Status, wire.Problem{ID: "1", Message: p.Message, TypeKey: p.Type})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8; api-version=7.1")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has gone: nothing to be done
}

// body reads a JSON body.
func body[T any](r *http.Request) (T, error) {
	var v T
	if err := json.NewDecoder(r.Body).Decode(&v); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return v, err
		}
		if errors.Is(err, io.EOF) {
			return v, badRequest("a JSON body is needed")
		}
		return v, badRequest("the body is not what was expected: %v", err)
	}
	return v, nil
}

// number reads a whole number of the path.
func number(r *http.Request, name string) (int, error) {
	n, err := strconv.Atoi(r.PathValue(name))
	if err != nil || n < 0 {
		return 0, badRequest("%s must be a whole number, not %q", name, r.PathValue(name))
	}
	return n, nil
}
