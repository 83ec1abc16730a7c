package storage

import (
	"net/http"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/internal/provider/storage/blobstore"
)

// conditions are the conditional headers of a request.
type conditions struct {
	match, noneMatch                string // ETags, or *
	modifiedSince, unmodifiedSince  time.Time
	hasModifiedSince, hasUnmodified bool
}

// parseConditions reads the conditional headers; those about the source of a copy
// have the prefix "x-ms-source-".
func parseConditions(h http.Header, prefix string) (conditions, error) {
	c := conditions{match: h.Get(prefix + "If-Match"), noneMatch: h.Get(prefix + "If-None-Match")}
	var err1, err2 error
	c.modifiedSince, c.hasModifiedSince, err1 = dateHeader(h, prefix+"If-Modified-Since")
	c.unmodifiedSince, c.hasUnmodified, err2 = dateHeader(h, prefix+"If-Unmodified-Since")
	if err1 != nil {
		return c, err1
	}
	return c, err2
}

func dateHeader(h http.Header, name string) (time.Time, bool, error) {
	text := h.Get(name)
	if text == "" {
		return time.Time{}, false, nil
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return time.Time{}, false, fail(http.StatusBadRequest, "InvalidHeaderValue",
			"The value for one of the HTTP headers is not in the correct format: %s.", name)
	}
	return at, true, nil
}

func conditionNotMet(status int) *failure {
	return fail(status, "ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met.")
}

// holds checks the conditions that a change depends on.
func (c conditions) holds(etag string, modified time.Time) error {
	switch {
	case c.match != "" && !matches(c.match, etag),
		c.noneMatch != "" && matches(c.noneMatch, etag),
		c.hasModifiedSince && !modified.After(c.modifiedSince),
		c.hasUnmodified && modified.After(c.unmodifiedSince):
		return conditionNotMet(http.StatusPreconditionFailed)
	}
	return nil
}

// holdsForRead is holds for a request that reads: what has not changed is
// answered with 304.
func (c conditions) holdsForRead(etag string, modified time.Time) error {
	unchanged := (c.noneMatch != "" && matches(c.noneMatch, etag)) || (c.hasModifiedSince && !modified.After(c.modifiedSince))
	c.noneMatch, c.hasModifiedSince = "", false
	if err := c.holds(etag, modified); err != nil {
		return err
	}
	if unchanged {
		return conditionNotMet(http.StatusNotModified).with("ETag", etag)
	}
	return nil
}

// overwrite is the check of an operation that writes a blob, there or not.
func (c conditions) overwrite(g grant) blobstore.Check {
	return func(existing *blobstore.Blob) error {
		if existing == nil {
			if c.match != "" {
				return conditionNotMet(http.StatusPreconditionFailed)
			}
			return nil
		}
		if c.noneMatch == "*" {
			return fail(http.StatusConflict, "BlobAlreadyExists", "The specified blob already exists.")
		}
		if g.createOnly {
			return mismatch("It allows to create a blob, and not to replace one.")
		}
		return c.holds(existing.ETag, existing.Modified)
	}
}

// matches compares an ETag header's value with an ETag; clients leave the quotes
// away at times.
func matches(header, etag string) bool {
	if strings.TrimSpace(header) == "*" {
		return true
	}
	for _, one := range strings.Split(header, ",") {
		if strings.Trim(strings.TrimSpace(one), `"`) == strings.Trim(etag, `"`) {
			return true
		}
	}
	return false
}
