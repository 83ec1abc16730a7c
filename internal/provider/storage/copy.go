package storage

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/provider/storage/blobstore"
	"github.com/cloister-ml/cloister/internal/provider/storage/signing"
)

// copyBlob is Copy Blob, Copy Blob From URL and Put Blob From URL, of a blob of
// the same account. It is done when it is answered.
func (q *request) copyBlob() error {
	source, err := q.copySource()
	if err != nil {
		return err
	}
	cond, err := parseConditions(q.Header, "")
	if err != nil {
		return err
	}
	sourceCond, err := parseConditions(q.Header, "x-ms-source-")
	if err != nil {
		return err
	}
	b, err := q.newBlob(false)
	if err != nil {
		return err
	}
	b.Copy = &blobstore.Copied{ID: uuid.NewString(), Source: withoutSignature(q.Header.Get("x-ms-copy-source")), Completed: time.Now().UTC()}
	b, err = q.blobs.CopyBlob(q.Context(), source, q.container, b, cond.overwrite(q.grant), func(from blobstore.Blob, to *blobstore.Blob) error {
		to.Properties = from.Properties
		if to.Metadata == nil {
			to.Metadata = from.Metadata
		}
		return sourceCond.holds(from.ETag, from.Modified)
	})
	if err != nil {
		return err
	}
	h := q.w.Header()
	writeVersion(h, b.ETag, b.Modified)
	if q.Header.Get("x-ms-blob-type") != "" { // Put Blob From URL
		setMD5(h, "Content-MD5", b.Properties.MD5)
		h.Set("x-ms-request-server-encrypted", "false")
		q.w.WriteHeader(http.StatusCreated)
		return nil
	}
	h.Set("x-ms-copy-id", b.Copy.ID)
	h.Set("x-ms-copy-status", "success")
	q.w.WriteHeader(http.StatusAccepted)
	return nil
}

// copySource is the blob that the request copies, once it may be read: by the
// signature in its URL, or by whoever makes the request.
func (q *request) copySource() (blobstore.Place, error) {
	invalid := fail(http.StatusBadRequest, "InvalidHeaderValue",
		"The value for one of the HTTP headers is not in the correct format: x-ms-copy-source must be the URL of a blob of this account.")
	u, err := url.Parse(q.Header.Get("x-ms-copy-source"))
	if err != nil || u.Scheme != "https" || !strings.EqualFold(u.Hostname(), cloud.CallFrom(q.Context()).Endpoint.Host) {
		return blobstore.Place{}, invalid
	}
	source := &request{w: q.w, Request: q.Clone(q.Context()), service: q.service, account: q.account, blobs: q.blobs, keys: q.keys}
	source.URL = u
	if source.query, err = url.ParseQuery(u.RawQuery); err != nil {
		return blobstore.Place{}, invalid
	}
	if err := source.parsePath(); err != nil || source.blob == "" || source.query.Has("snapshot") || source.query.Has("versionid") {
		return blobstore.Place{}, invalid
	}
	who := q.who
	if signing.HasSAS(source.query) {
		if who, err = source.bySAS(source.Request, source.container, source.blob); err != nil {
			return blobstore.Place{}, cannotVerify(err)
		}
	} else if who.sas != nil {
		who = &credential{anonymous: true} // a signature is for its own URL alone
	}
	if _, err := source.authorize(who, needReadBlob, source.container, source.blob); err != nil {
		return blobstore.Place{}, cannotVerify(err)
	}
	return blobstore.Place{Container: source.container, Name: source.blob}, nil
}

func cannotVerify(err error) error {
	f, known := asFailure(err)
	if !known {
		return err
	}
	return fail(f.status, "CannotVerifyCopySource", "The copy source cannot be read: %s", f.message)
}

// withoutSignature is a URL without its query, which may hold a signature.
func withoutSignature(text string) string {
	text, _, _ = strings.Cut(text, "?")
	return text
}
