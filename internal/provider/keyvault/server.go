package keyvault

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/verdict"
)

// vaultService answers at {vault}.vault.azure.net.
type vaultService struct {
	host   cloud.Host
	vaults *vaults
}

// Close ends the open vaults.
func (s *vaultService) Close() error { return s.vaults.folders.Close() }

// request is one call on its way through the handler.
type request struct {
	*http.Request
	w        http.ResponseWriter
	service  *vaultService
	call     cloud.Call
	resource arm.Resource
	caller   cloud.Caller
	vault    *vault
	name     string // of the secret, or ""
	version  string
}

// failure is a refusal in Key Vault's words.
type failure struct {
	status        int
	code, message string
	inner         string
}

func (f *failure) Error() string { return f.code + ": " + f.message }

func fail(status int, code, format string, args ...any) *failure {
	return &failure{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

func (f *failure) because(inner string) *failure {
	f.inner = inner
	return f
}

// ServeHTTP implements http.Handler.
func (s *vaultService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := cloud.CallFrom(r.Context())
	q := &request{Request: r, w: w, service: s, call: call, resource: call.Resource}
	h := w.Header()
	h.Set("x-ms-request-id", uuid.NewString())
	h.Set("x-ms-keyvault-region", call.Resource.Location)
	h.Set("Cache-Control", "no-cache")
	body, err := q.serve()
	if err != nil {
		q.writeFailure(err)
		return
	}
	if body == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	cloud.WriteJSON(w, http.StatusOK, body)
}

func (q *request) serve() (any, error) {
	if err := q.admit(); err != nil {
		return nil, err
	}
	var err error
	if q.caller, err = q.service.host.Authenticate(q.Request, "https://vault.azure.net"); err != nil {
		return nil, q.challenge(err)
	}
	op, err := q.route()
	if err != nil {
		return nil, err
	}
	if err := q.authorize(op.need); err != nil {
		return nil, err
	}
	if q.vault, err = q.service.vaults.get(q.resource.ID); err != nil {
		return nil, err
	}
	return op.do(q)
}

func (q *request) admit() error {
	if q.call.Admission.Value == verdict.Yes {
		return nil
	}
	step := q.call.Admission.Decisive()
	if strings.EqualFold(arm.String(q.resource.Properties, "publicNetworkAccess"), "Disabled") {
		return fail(http.StatusForbidden, "Forbidden",
			"Public network access is disabled and request is not from a trusted service nor via an approved private link. Client address: %s. %s: %s",
			q.call.Source.Addr, step.At, step.Reason).because("ForbiddenByConnection")
	}
	return fail(http.StatusForbidden, "Forbidden", "Client address is not authorized and caller is not a trusted service. Client address: %s. %s: %s",
		q.call.Source.Addr, step.At, step.Reason).because("ForbiddenByFirewall")
}

// challenge tells a client where to get a token, and for what.
func (q *request) challenge(err error) error {
	q.w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer authorization="https://login.microsoftonline.com/%s", resource="https://vault.azure.net"`,
		arm.String(q.resource.Properties, "tenantId")))
	return fail(http.StatusUnauthorized, "Unauthorized", "AKV10000: Request is missing a valid Bearer token. %v", err)
}

// operation is one call of the protocol.
type operation struct {
	need need
	do   func(*request) (any, error)
}

type routeKey struct{ method, pattern string }

var operations = map[routeKey]operation{
	{http.MethodGet, "secrets"}:                      {needList, (*request).list},
	{http.MethodGet, "secrets/NAME"}:                 {needGet, (*request).get},
	{http.MethodGet, "secrets/NAME/versions"}:        {needList, (*request).listVersions},
	{http.MethodGet, "secrets/NAME/VERSION"}:         {needGet, (*request).get},
	{http.MethodPut, "secrets/NAME"}:                 {needSet, (*request).set},
	{http.MethodPatch, "secrets/NAME"}:               {needUpdate, (*request).update},
	{http.MethodPatch, "secrets/NAME/VERSION"}:       {needUpdate, (*request).update},
	{http.MethodDelete, "secrets/NAME"}:              {needDelete, (*request).delete},
	{http.MethodGet, "deletedsecrets"}:               {needList, (*request).listDeleted},
	{http.MethodGet, "deletedsecrets/NAME"}:          {needGetDeleted, (*request).getDeleted},
	{http.MethodPost, "deletedsecrets/NAME/recover"}: {needRecover, (*request).recover},
	{http.MethodDelete, "deletedsecrets/NAME"}:       {needPurge, (*request).purge},
	{http.MethodGet, "certificates/contacts"}:        {need{}, (*request).contacts},
}

var (
	versionOfAPI = regexp.MustCompile(`^(7\.[0-6]|20\d\d-\d\d-\d\d)(-preview(\.\d+)?)?$`)
	secretName   = regexp.MustCompile(`^[0-9a-zA-Z-]{1,127}$`)
	secretVer    = regexp.MustCompile(`^[0-9a-fA-F]{32}$`)
)

// route finds the operation and reads the name and version from the path.
func (q *request) route() (operation, error) {
	path := strings.Trim(q.URL.Path, "/")
	if path == "" {
		return operation{}, notOffered(q.Request)
	}
	if v := q.URL.Query().Get("api-version"); v == "" {
		return operation{}, fail(http.StatusBadRequest, "BadParameter", "api-version must be specified")
	} else if !versionOfAPI.MatchString(v) {
		return operation{}, fail(http.StatusBadRequest, "BadParameter", "The specified version (%s) is not recognized.", v)
	}
	segments := strings.Split(path, "/")
	pattern := strings.ToLower(segments[0])
	if op, ok := operations[routeKey{q.Method, strings.ToLower(path)}]; ok && len(segments) <= 2 {
		return op, nil
	}
	if len(segments) > 1 {
		q.name = segments[1]
		pattern += "/NAME"
	}
	if len(segments) == 3 {
		if op, ok := operations[routeKey{q.Method, pattern + "/" + strings.ToLower(segments[2])}]; ok {
			return op, q.checkName()
		}
		q.version = segments[2]
		pattern += "/VERSION"
	}
	op, ok := operations[routeKey{q.Method, pattern}]
	if !ok || len(segments) > 3 {
		return op, notOffered(q.Request)
	}
	return op, q.checkName()
}

func notOffered(r *http.Request) error {
	return fail(http.StatusNotFound, "NotFound", "%s %s is not offered: this vault has secrets.", r.Method, r.URL.Path)
}

func (q *request) checkName() error {
	if q.name != "" && !secretName.MatchString(q.name) {
		return fail(http.StatusBadRequest, "BadParameter", "The request URI contains an invalid name: %s", q.name)
	}
	if q.version != "" && !secretVer.MatchString(q.version) {
		return fail(http.StatusBadRequest, "BadParameter", "The request URI contains an invalid version: %s", q.version)
	}
	return nil
}

// contacts answers that the vault's certificates have no contacts: it has no certificates.
func (q *request) contacts() (any, error) {
	return nil, fail(http.StatusNotFound, "ContactsNotFound", "Contacts not found")
}

func (q *request) writeFailure(err error) {
	f := &failure{}
	switch {
	case errors.As(err, &f):
	case errors.Is(err, errNotFound):
		f = fail(http.StatusNotFound, "SecretNotFound", "A secret with (name/id) %s was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command.",
			strings.TrimSuffix(q.name+"/"+q.version, "/"))
	case errors.Is(err, errDisabled):
		f = fail(http.StatusForbidden, "Forbidden", "Operation get is not allowed on a disabled secret.").because("SecretDisabled")
	case errors.Is(err, errIsDeleted):
		f = fail(http.StatusConflict, "Conflict", "Secret %s is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged.",
			q.name).because("ObjectIsDeletedButRecoverable")
	default:
		if q.Context().Err() == nil {
			q.service.host.Log().Error("key vault", "vault", q.resource.Name, "method", q.Method, "error", err)
		}
		f = fail(http.StatusInternalServerError, "InternalServerError", "The vault could not carry out the request; see the cloud's log.")
	}
	body := map[string]any{"code": f.code, "message": f.message}
	if f.inner != "" {
		body["innererror"] = map[string]any{"code": f.inner}
	}
	cloud.WriteJSON(q.w, f.status, map[string]any{"error": body})
}

// decode reads a JSON body.
func (q *request) decode(into any) error {
	dec := json.NewDecoder(http.MaxBytesReader(q.w, q.Body, maxBody))
	if err := dec.Decode(into); err != nil {
		return fail(http.StatusBadRequest, "BadParameter", "The request body is not valid JSON of at most %d bytes.", maxBody)
	}
	return nil
}

// maxBody is the largest body: a value has at most 25 KiB.
const maxBody = 128 << 10
