package keyvault

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/cloister-ml/cloister/arm"
)

// parameters of setting and updating a secret.
type parameters struct {
	Value       *string           `json:"value"`
	ContentType *string           `json:"contentType"`
	Tags        map[string]string `json:"tags"`
	Attributes  struct {
		Enabled   *bool  `json:"enabled"`
		NotBefore *int64 `json:"nbf"`
		Expires   *int64 `json:"exp"`
	} `json:"attributes"`
}

// Limits, as Azure's.
const (
	maxValue       = 25 << 10
	maxTags        = 15
	maxTag         = 256
	maxContentType = 255
)

func (p parameters) check() error {
	bad := func(format string, args ...any) error {
		return fail(http.StatusBadRequest, "BadParameter", format, args...)
	}
	switch {
	case p.Value != nil && len(*p.Value) > maxValue:
		return bad("The value has more than %d bytes.", maxValue)
	case p.ContentType != nil && len(*p.ContentType) > maxContentType:
		return bad("contentType has more than %d characters.", maxContentType)
	case len(p.Tags) > maxTags:
		return bad("There are more than %d tags.", maxTags)
	case p.Attributes.NotBefore != nil && p.Attributes.Expires != nil && *p.Attributes.Expires <= *p.Attributes.NotBefore:
		return bad("The secret's expiry is not after its activation.")
	}
	for name, value := range p.Tags {
		if len(name) > maxTag || len(value) > maxTag {
			return bad("A tag's name or value has more than %d characters.", maxTag)
		}
	}
	return nil
}

// apply sets what is given.
func (p parameters) apply(s *secret) {
	if p.ContentType != nil {
		s.ContentType = p.ContentType
	}
	if p.Tags != nil {
		s.Tags = p.Tags
	}
	if p.Attributes.Enabled != nil {
		s.Enabled = *p.Attributes.Enabled
	}
	if p.Attributes.NotBefore != nil {
		s.NotBefore = p.Attributes.NotBefore
	}
	if p.Attributes.Expires != nil {
		s.Expires = p.Attributes.Expires
	}
}

func (q *request) set() (any, error) {
	var p parameters
	if err := q.decode(&p); err != nil {
		return nil, err
	}
	if p.Value == nil {
		return nil, fail(http.StatusBadRequest, "BadParameter", "Parameter value is required.")
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	s := secret{Name: q.name, Value: []byte(*p.Value), Enabled: true}
	p.apply(&s)
	s, err := q.vault.set(q.Context(), s)
	if err != nil {
		return nil, err
	}
	return q.bundle(s), nil
}

func (q *request) get() (any, error) {
	s, err := q.vault.get(q.Context(), q.name, q.version)
	if err != nil {
		return nil, err
	}
	return q.bundle(s), nil
}

func (q *request) update() (any, error) {
	var p parameters
	if err := q.decode(&p); err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	s, err := q.vault.update(q.Context(), q.name, q.version, p.apply)
	if err != nil {
		return nil, err
	}
	return q.item(s, true), nil
}

func (q *request) delete() (any, error) {
	days := arm.Int(q.resource.Properties, "softDeleteRetentionInDays", defaultRetention)
	s, err := q.vault.delete(q.Context(), q.name, time.Duration(days)*24*time.Hour)
	if err != nil {
		return nil, err
	}
	return q.deletedItem(s, true), nil
}

func (q *request) getDeleted() (any, error) {
	s, err := q.vault.getDeleted(q.Context(), q.name)
	if err != nil {
		return nil, err
	}
	return q.deletedItem(s, true), nil
}

func (q *request) recover() (any, error) {
	s, err := q.vault.recover(q.Context(), q.name)
	if err != nil {
		return nil, err
	}
	return q.item(s, true), nil
}

func (q *request) purge() (any, error) {
	if q.purgeProtected() {
		return nil, fail(http.StatusForbidden, "Forbidden", `Operation "purge" is not allowed on this vault because purge protection is enabled.`)
	}
	return nil, q.vault.purge(q.Context(), q.name)
}

func (q *request) purgeProtected() bool {
	return arm.Bool(q.resource.Properties, "enablePurgeProtection", false)
}

// maxResults is the most that one page of a listing holds.
const maxResults = 25

func (q *request) list() (any, error) {
	return q.page(func(after string, limit int) ([]secret, error) { return q.vault.list(q.Context(), false, after, limit) },
		func(s secret) (any, string) { return q.item(s, false), s.Name })
}

func (q *request) listDeleted() (any, error) {
	return q.page(func(after string, limit int) ([]secret, error) { return q.vault.list(q.Context(), true, after, limit) },
		func(s secret) (any, string) { return q.deletedItem(s, false), s.Name })
}

func (q *request) listVersions() (any, error) {
	return q.page(func(after string, limit int) ([]secret, error) {
		return q.vault.versions(q.Context(), q.name, after, limit)
	}, func(s secret) (any, string) { return q.item(s, true), s.Version })
}

// page is one page of a listing; present gives an entry's body and its place.
func (q *request) page(read func(after string, limit int) ([]secret, error), present func(secret) (any, string)) (any, error) {
	query := q.URL.Query()
	limit := maxResults
	if text := query.Get("maxresults"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxResults {
			return nil, fail(http.StatusBadRequest, "BadParameter", "maxresults must be from 1 to %d.", maxResults)
		}
		limit = n
	}
	after, err := base64.RawURLEncoding.DecodeString(query.Get("$skiptoken"))
	if err != nil {
		return nil, fail(http.StatusBadRequest, "BadParameter", "$skiptoken is not one that a listing gave.")
	}
	found, err := read(string(after), limit+1)
	if err != nil {
		return nil, err
	}
	value, next := []any{}, any(nil)
	for i, s := range found {
		if i == limit {
			_, place := present(found[limit-1])
			next = q.nextLink(limit, place)
			break
		}
		item, _ := present(s)
		value = append(value, item)
	}
	return map[string]any{"value": value, "nextLink": next}, nil
}

func (q *request) nextLink(limit int, place string) string {
	query := url.Values{
		"api-version": {q.URL.Query().Get("api-version")}, "maxresults": {strconv.Itoa(limit)},
		"$skiptoken": {base64.RawURLEncoding.EncodeToString([]byte(place))},
	}
	return "https://" + q.call.Endpoint.Host + q.URL.EscapedPath() + "?" + query.Encode()
}

// item is a secret without its value, with or without the version in its id.
func (q *request) item(s secret, version bool) map[string]any {
	level := "Recoverable+Purgeable"
	if q.purgeProtected() {
		level = "Recoverable"
	}
	attributes := map[string]any{
		"enabled": s.Enabled, "created": s.Created, "updated": s.Updated, "recoveryLevel": level,
		"recoverableDays": arm.Int(q.resource.Properties, "softDeleteRetentionInDays", defaultRetention),
	}
	if s.NotBefore != nil {
		attributes["nbf"] = *s.NotBefore
	}
	if s.Expires != nil {
		attributes["exp"] = *s.Expires
	}
	id := "https://" + q.call.Endpoint.Host + "/secrets/" + s.Name
	if version {
		id += "/" + s.Version
	}
	tags := s.Tags
	if tags == nil {
		tags = map[string]string{}
	}
	out := map[string]any{"id": id, "attributes": attributes, "tags": tags}
	if s.ContentType != nil {
		out["contentType"] = *s.ContentType
	}
	return out
}

// bundle is a secret with its value.
func (q *request) bundle(s secret) map[string]any {
	out := q.item(s, true)
	out["value"] = string(s.Value)
	return out
}

func (q *request) deletedItem(s secret, version bool) map[string]any {
	out := q.item(s, version)
	out["recoveryId"] = "https://" + q.call.Endpoint.Host + "/deletedsecrets/" + s.Name
	out["deletedDate"] = s.Deleted
	out["scheduledPurgeDate"] = s.Purge
	return out
}
