package storage

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/provider/storage/blobstore"
	"github.com/cloister-ml/cloister/verdict"
)

// blobService answers at {account}.blob.core.windows.net.
type blobService struct {
	host     cloud.Host
	accounts *accounts
}

// Close ends the open accounts.
func (s *blobService) Close() error { return s.accounts.folders.Close() }

// request is one call of the blob service on its way through the handler.
type request struct {
	w http.ResponseWriter
	*http.Request
	service   *blobService
	account   arm.Resource
	blobs     *blobstore.Store
	keys      keys
	container string
	blob      string
	query     url.Values
	who       *credential
	grant     grant
}

// latestVersion of the protocol that is answered with when a client names none.
const latestVersion = "2026-12-06"

var versionPattern = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)

// ServeHTTP implements http.Handler.
func (s *blobService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("x-ms-request-id", uuid.NewString())
	if id := r.Header.Get("x-ms-client-request-id"); id != "" && len(id) <= 1024 {
		w.Header().Set("x-ms-client-request-id", id)
	}
	err := s.serve(w, r)
	if err == nil {
		return
	}
	f, known := asFailure(err)
	if !known && r.Context().Err() == nil {
		s.host.Log().Error("blob service", "account", cloud.CallFrom(r.Context()).Resource.Name, "method", r.Method, "error", err)
	}
	f.write(w, r)
}

// serve lets a request through the account's firewall, authentication and
// authorisation to its operation.
func (s *blobService) serve(w http.ResponseWriter, r *http.Request) error {
	version := r.Header.Get("x-ms-version")
	if version == "" {
		version = latestVersion
	}
	if !versionPattern.MatchString(version) {
		return fail(http.StatusBadRequest, "InvalidHeaderValue", "The value for one of the HTTP headers is not in the correct format: x-ms-version.")
	}
	w.Header().Set("x-ms-version", version)
	call := cloud.CallFrom(r.Context())
	if err := admitted(call); err != nil {
		return err
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return fail(http.StatusBadRequest, "InvalidUri", "The requested URI does not represent any resource on the server.")
	}
	q := &request{w: w, Request: r, service: s, account: call.Resource, query: query}
	if err := q.parsePath(); err != nil {
		return err
	}
	account, err := s.accounts.get(call.Resource.ID)
	if err != nil {
		return err
	}
	q.blobs, q.keys = account.blobs, account.secrets()
	if q.who, err = q.authenticate(); err != nil {
		return err
	}
	op, err := q.route()
	if err != nil {
		return err
	}
	if q.grant, err = q.authorize(q.who, op.need, q.container, q.blob); err != nil {
		return err
	}
	if err := q.refuseUnsupported(); err != nil {
		return err
	}
	return op.do(q)
}

func admitted(call cloud.Call) error {
	if call.Admission.Value == verdict.Yes {
		return nil
	}
	step := call.Admission.Decisive()
	return fail(http.StatusForbidden, "AuthorizationFailure",
		"This request is not authorized to perform this operation. %s: %s", step.At, step.Reason)
}

// parsePath splits /{container}/{blob}. A path of one segment that is not asked
// for as a container is a blob of the container $root.
func (q *request) parsePath() error {
	invalid := fail(http.StatusBadRequest, "InvalidUri", "The requested URI does not represent any resource on the server.")
	first, rest, hasBlob := strings.Cut(strings.TrimPrefix(q.URL.EscapedPath(), "/"), "/")
	var err1, err2 error
	q.container, err1 = url.PathUnescape(first)
	q.blob, err2 = url.PathUnescape(rest)
	if err1 != nil || err2 != nil {
		return invalid
	}
	if !hasBlob && q.container != "" && q.query.Get("restype") != "container" {
		q.container, q.blob = "$root", q.container
	}
	if q.container != "" && !validContainer(q.container) {
		return fail(http.StatusBadRequest, "InvalidResourceName", "The specified resource name contains invalid characters: %q is not a container's name.", q.container)
	}
	if q.blob != "" && !validBlob(q.blob) {
		return fail(http.StatusBadRequest, "InvalidResourceName", "The specified resource name contains invalid characters or is too long.")
	}
	return nil
}

// unsupported are headers whose meaning would be lost if they were passed over.
var unsupported = []string{
	"x-ms-encryption-key", "x-ms-encryption-scope", "x-ms-structured-body", "x-ms-tags", "x-ms-if-tags", "x-ms-source-if-tags",
	"x-ms-immutability-policy-until-date", "x-ms-legal-hold", "x-ms-seal-blob", "x-ms-copy-source-authorization",
}

func (q *request) refuseUnsupported() error {
	for _, name := range unsupported {
		if q.Header.Get(name) != "" {
			return fail(http.StatusBadRequest, "UnsupportedHeader", "One of the HTTP headers specified in the request is not supported: %s.", name)
		}
	}
	if q.Header.Get("x-ms-lease-id") != "" || q.Header.Get("x-ms-source-lease-id") != "" {
		return fail(http.StatusPreconditionFailed, "LeaseNotPresentWithBlobOperation", "There is currently no lease on the blob.")
	}
	for _, name := range []string{"snapshot", "versionid"} {
		if q.query.Get(name) != "" {
			return fail(http.StatusBadRequest, "UnsupportedQueryParameter", "One of the query parameters specified in the request URI is not supported: %s.", name)
		}
	}
	return nil
}

var containerPattern = regexp.MustCompile(`^[a-z0-9](-?[a-z0-9])+$`)

func validContainer(name string) bool {
	if name == "$root" || name == "$web" || name == "$logs" {
		return true
	}
	return len(name) >= 3 && len(name) <= 63 && containerPattern.MatchString(name)
}

func validBlob(name string) bool {
	return len([]rune(name)) <= 1024 && !strings.ContainsRune(name, 0) && strings.ToValidUTF8(name, "") == name
}

// readBody reads a body that is a document, of at most limit bytes.
func (q *request) readBody(limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(q.Body, limit+1))
	if err != nil {
		return nil, incomplete(err)
	}
	if int64(len(body)) > limit {
		return nil, blobstore.ErrTooLarge
	}
	return body, nil
}

// incomplete is what a body that ended early is refused with.
func incomplete(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fail(http.StatusBadRequest, "IncompleteBody", "The request body ended before the promised length.")
	}
	return err
}
