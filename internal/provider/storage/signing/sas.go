package signing

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// SAS is a shared access signature as it stands in a URL's query.
type SAS struct {
	query url.Values

	Version     string // sv
	Permissions string // sp
	Signature   string // sig
	Resource    string // sr: b or c; "" of an account SAS
	Start       time.Time
	Expiry      time.Time
	Protocol    string // spr: "", https or https,http
	First, Last netip.Addr

	// Of an account SAS.
	Services      string // ss
	ResourceTypes string // srt

	// Of a user delegation SAS: whose key signed it, and while it is valid.
	ObjectID             string // skoid
	Tenant               string // sktid
	KeyStart, KeyExpiry  time.Time
	KeyVersion           string
	signedHeaderNames    string // srh
	signedParameterNames string // srq
}

// ErrSAS is wrapped by every error of [ParseSAS].
var ErrSAS = errors.New("the shared access signature is not valid")

// Versions at which what is signed changed.
const (
	versionFirst      = "2015-04-05"
	versionSnapshot   = "2018-11-09" // the resource and the snapshot are signed; user delegation begins
	versionAgents     = "2020-02-10" // saoid, suoid, scid
	versionEncryption = "2020-12-06" // ses
	versionBound      = "2025-07-05" // skdutid, sduoid
	versionDynamic    = "2026-04-06" // srh, srq
)

var datePattern = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)

// HasSAS reports whether a query carries a shared access signature.
func HasSAS(q url.Values) bool { return q.Has("sig") }

// ParseSAS reads the signature that q carries. Forms that the service does not
// offer (directory, snapshot and version resources, stored access policies,
// signatures bound to a person) are errors.
func ParseSAS(q url.Values) (*SAS, error) {
	s := &SAS{
		query: q, Version: q.Get("sv"), Permissions: q.Get("sp"), Signature: q.Get("sig"), Resource: q.Get("sr"), Protocol: q.Get("spr"),
		Services: q.Get("ss"), ResourceTypes: q.Get("srt"), ObjectID: q.Get("skoid"), Tenant: q.Get("sktid"), KeyVersion: q.Get("skv"),
		signedHeaderNames: q.Get("srh"), signedParameterNames: q.Get("srq"),
	}
	for name, values := range q {
		if len(values) > 1 {
			return nil, fmt.Errorf("%w: %s is given %d times", ErrSAS, name, len(values))
		}
	}
	if !datePattern.MatchString(s.Version) || s.Version < versionFirst {
		return nil, fmt.Errorf("%w: sv %q is not a version from %s on", ErrSAS, s.Version, versionFirst)
	}
	if err := s.checkKind(); err != nil {
		return nil, err
	}
	if s.Permissions == "" || s.Expiry.IsZero() && q.Get("se") == "" {
		return nil, fmt.Errorf("%w: sp and se are required", ErrSAS)
	}
	return s, errors.Join(s.parseTimes(), s.parseAddresses())
}

func (s *SAS) checkKind() error {
	q := s.query
	switch {
	case s.IsAccount():
		if s.Services == "" || s.Resource != "" || s.IsDelegation() {
			return fmt.Errorf("%w: an account SAS has ss and srt, and neither sr nor skoid", ErrSAS)
		}
	case s.Resource != "b" && s.Resource != "c":
		return fmt.Errorf("%w: sr %q is not b or c", ErrSAS, s.Resource)
	case q.Get("si") != "":
		return fmt.Errorf("%w: stored access policies (si) are not offered", ErrSAS)
	case s.IsDelegation() && (s.Version < versionSnapshot || q.Get("sks") != "b"):
		return fmt.Errorf("%w: a user delegation SAS has sv %s or later and sks b", ErrSAS, versionSnapshot)
	case q.Get("sduoid") != "" || q.Get("skdutid") != "":
		return fmt.Errorf("%w: signatures bound to a person (sduoid) are not offered", ErrSAS)
	case s.Protocol != "" && s.Protocol != "https" && s.Protocol != "https,http":
		return fmt.Errorf("%w: spr %q is not https or https,http", ErrSAS, s.Protocol)
	}
	return nil
}

// IsAccount reports whether it is an account SAS.
func (s *SAS) IsAccount() bool { return s.ResourceTypes != "" }

// IsDelegation reports whether a user delegation key signed it.
func (s *SAS) IsDelegation() bool { return s.ObjectID != "" }

var timeForms = []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02"}

func (s *SAS) parseTimes() error {
	times := map[string]*time.Time{"st": &s.Start, "se": &s.Expiry}
	if s.IsDelegation() {
		times["skt"], times["ske"] = &s.KeyStart, &s.KeyExpiry
	}
	for name, to := range times {
		text := s.query.Get(name)
		if text == "" && name == "st" {
			continue
		}
		var err error
		for _, form := range timeForms {
			if *to, err = time.Parse(form, text); err == nil {
				break
			}
		}
		if err != nil {
			return fmt.Errorf("%w: %s %q is not a time", ErrSAS, name, text)
		}
	}
	return nil
}

func (s *SAS) parseAddresses() error {
	text := s.query.Get("sip")
	if text == "" {
		return nil
	}
	first, last, isRange := strings.Cut(text, "-")
	if !isRange {
		last = first
	}
	var err1, err2 error
	s.First, err1 = netip.ParseAddr(first)
	s.Last, err2 = netip.ParseAddr(last)
	if err1 != nil || err2 != nil || s.Last.Less(s.First) {
		return fmt.Errorf("%w: sip %q is not an address or a range of addresses", ErrSAS, text)
	}
	return nil
}

// AllowsAddress reports whether the signature may be used from addr.
func (s *SAS) AllowsAddress(addr netip.Addr) bool {
	return !s.First.IsValid() || (addr.IsValid() && !addr.Less(s.First) && !s.Last.Less(addr))
}

// Text is what was signed, for the account's container and blob that the
// request asks for; of a container SAS the blob is not part of it.
func (s *SAS) Text(r *http.Request, account, container, blob string) string {
	if s.IsAccount() {
		return s.accountText(account)
	}
	resource := "/blob/" + account + "/" + container
	if s.Resource == "b" {
		resource += "/" + strings.ReplaceAll(blob, `\`, "/")
	}
	parts := append(s.values("sp", "st", "se"), resource)
	if s.IsDelegation() {
		parts = append(parts, s.values("skoid", "sktid", "skt", "ske", "sks", "skv")...)
		if s.Version >= versionAgents {
			parts = append(parts, s.values("saoid", "suoid", "scid")...)
		}
		if s.Version >= versionBound {
			parts = append(parts, s.values("skdutid", "sduoid")...)
		}
	} else {
		parts = append(parts, s.values("si")...)
	}
	parts = append(parts, s.values("sip", "spr", "sv")...)
	if s.Version >= versionSnapshot {
		parts = append(parts, s.Resource, "") // no snapshot
	}
	if s.Version >= versionEncryption {
		parts = append(parts, s.values("ses")...)
	}
	if s.IsDelegation() && s.Version >= versionDynamic {
		parts = append(parts, s.signedHeaders(r), s.signedParameters(r))
	}
	parts = append(parts, s.values("rscc", "rscd", "rsce", "rscl", "rsct")...)
	return strings.Join(parts, "\n")
}

func (s *SAS) accountText(account string) string {
	parts := append([]string{account}, s.values("sp", "ss", "srt", "st", "se", "sip", "spr", "sv")...)
	if s.Version >= versionEncryption {
		parts = append(parts, s.values("ses")...)
	}
	return strings.Join(parts, "\n") + "\n"
}

func (s *SAS) values(names ...string) []string {
	out := make([]string, 0, len(names))
	for _, name := range names {
		out = append(out, s.query.Get(name))
	}
	return out
}

// signedHeaders are the request's headers that the signature was made for.
func (s *SAS) signedHeaders(r *http.Request) string {
	var out strings.Builder
	if s.signedHeaderNames != "" {
		for _, name := range strings.Split(s.signedHeaderNames, ",") {
			out.WriteString(name + ":" + r.Header.Get(name) + "\n")
		}
	}
	return out.String()
}

func (s *SAS) signedParameters(r *http.Request) string {
	var out strings.Builder
	if s.signedParameterNames != "" {
		q := r.URL.Query()
		for _, name := range strings.Split(s.signedParameterNames, ",") {
			out.WriteString("\n" + name + ":" + q.Get(name))
		}
	}
	return out.String()
}

// Override is a response header that the signature sets in place of the blob's
// own ("rsct" and the like), or "".
func (s *SAS) Override(name string) string { return s.query.Get(name) }

// keyTime is how times are written in a user delegation key.
const keyTime = "2006-01-02T15:04:05Z"

// DelegationKey is the user delegation key of a principal for a time, as it
// follows from the account's secret: there is nothing to store.
func DelegationKey(secret []byte, objectID, tenant string, start, expiry time.Time, version string) string {
	return Sign(secret, strings.Join([]string{
		objectID, tenant, start.UTC().Format(keyTime), expiry.UTC().Format(keyTime), "b", version,
	}, "\n"))
}
