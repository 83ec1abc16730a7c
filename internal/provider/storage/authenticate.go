package storage

import (
	"net/http"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/provider/storage/signing"
	"github.com/cloister-ml/cloister/service"
)

// credential is what a request was authenticated by: one of an Entra token, an
// account key or a shared access signature, or nothing.
type credential struct {
	caller    *cloud.Caller // of a token; of a user delegation SAS the delegator
	key       bool
	sas       *signing.SAS
	anonymous bool
}

// clockSkew is how far a signed request's time may be from ours.
const clockSkew = 15 * time.Minute

func (q *request) authenticate() (*credential, error) {
	scheme, value, _ := strings.Cut(q.Header.Get("Authorization"), " ")
	switch {
	case scheme == "" && signing.HasSAS(q.query):
		return q.bySAS(q.Request, q.container, q.blob)
	case scheme == "" && q.fromFlowLog():
		return q.asFlowLog()
	case scheme == "":
		return &credential{anonymous: true}, nil
	case strings.EqualFold(scheme, "Bearer"):
		return q.byToken()
	case scheme == "SharedKey":
		return q.bySharedKey(value)
	}
	return nil, fail(http.StatusBadRequest, "InvalidAuthenticationInfo", "Authentication scheme %q is not supported.", scheme)
}

func (q *request) byToken() (*credential, error) {
	caller, err := q.service.host.Authenticate(q.Request,
		"https://storage.azure.com", "https://"+strings.ToLower(q.account.Name)+".blob.core.windows.net")
	if err != nil {
		return nil, fail(http.StatusUnauthorized, "InvalidAuthenticationInfo",
			"Server failed to authenticate the request. %v", err).with("WWW-Authenticate", q.challenge())
	}
	return &credential{caller: &caller}, nil
}

// challenge tells a client where to get a token.
func (q *request) challenge() string {
	return "Bearer authorization_uri=https://" + service.HostLogin + "/" + q.service.host.Tenant() + "/oauth2/authorize resource_id=https://storage.azure.com"
}

func (q *request) noAuthentication() error {
	return fail(http.StatusUnauthorized, "NoAuthenticationInformation",
		"Server failed to authenticate the request. Please refer to the information in the www-authenticate header.").with("WWW-Authenticate", q.challenge())
}

func badSignature(detail string) error {
	return fail(http.StatusForbidden, "AuthenticationFailed",
		"Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature. %s", detail)
}

// keysAllowed refuses what an account key signed where keys are turned off.
func keysAllowed(account arm.Resource) error {
	if arm.Bool(account.Properties, "allowSharedKeyAccess", true) {
		return nil
	}
	return fail(http.StatusForbidden, "KeyBasedAuthenticationNotPermitted",
		"Key based authentication is not permitted on this storage account: allowSharedKeyAccess is false.")
}

func (q *request) bySharedKey(value string) (*credential, error) {
	if err := keysAllowed(q.account); err != nil {
		return nil, err
	}
	name, signature, _ := strings.Cut(value, ":")
	if !strings.EqualFold(name, q.account.Name) {
		return nil, badSignature("The key is of another account.")
	}
	if err := checkDate(q.Request); err != nil {
		return nil, err
	}
	for _, text := range signing.Request(q.Request, name) {
		for _, key := range [][]byte{q.keys.Key1, q.keys.Key2} {
			if signing.Signed(key, text, signature) {
				return &credential{key: true}, nil
			}
		}
	}
	return nil, badSignature("The signature is not that of the request with one of the account's keys.")
}

func checkDate(r *http.Request) error {
	text := r.Header.Get("x-ms-date")
	if text == "" {
		text = r.Header.Get("Date")
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return badSignature("Request date header not specified or invalid.")
	}
	if age := time.Since(at); age > clockSkew || age < -clockSkew {
		return badSignature("Request date header too old: " + text + ".")
	}
	return nil
}

// bySAS authenticates by the signature in r's query, for a container and blob.
func (q *request) bySAS(r *http.Request, container, blob string) (*credential, error) {
	sas, err := signing.ParseSAS(r.URL.Query())
	if err != nil {
		return nil, badSignature(err.Error() + ".")
	}
	if err := q.checkSigned(sas, r, container, blob); err != nil {
		return nil, err
	}
	now := time.Now()
	if now.Before(sas.Start) || !now.Before(sas.Expiry) {
		return nil, badSignature("Signature not valid in the specified time frame.")
	}
	if !sas.AllowsAddress(cloud.CallFrom(q.Context()).Source.Addr) {
		return nil, fail(http.StatusForbidden, "AuthorizationSourceIPMismatch",
			"This request is not authorized to perform this operation using this source IP %s.", cloud.CallFrom(q.Context()).Source.Addr)
	}
	c := &credential{sas: sas}
	if sas.IsDelegation() {
		c.caller = &cloud.Caller{ObjectID: sas.ObjectID, Tenant: sas.Tenant}
	}
	return c, nil
}

// maxDelegation is the longest life of a user delegation key.
const maxDelegation = 7 * 24 * time.Hour

func (q *request) checkSigned(sas *signing.SAS, r *http.Request, container, blob string) error {
	text := sas.Text(r, strings.ToLower(q.account.Name), container, blob)
	mismatch := badSignature("Signature did not match.")
	if !sas.IsDelegation() {
		if err := keysAllowed(q.account); err != nil {
			return err
		}
		if signing.Signed(q.keys.Key1, text, sas.Signature) || signing.Signed(q.keys.Key2, text, sas.Signature) {
			return nil
		}
		return mismatch
	}
	key, err := decodeKey(signing.DelegationKey(q.keys.Delegation, sas.ObjectID, sas.Tenant, sas.KeyStart, sas.KeyExpiry, sas.KeyVersion))
	if err != nil {
		return err
	}
	if !signing.Signed(key, text, sas.Signature) {
		return mismatch
	}
	if now := time.Now(); now.Before(sas.KeyStart) || !now.Before(sas.KeyExpiry) || sas.KeyExpiry.Sub(sas.KeyStart) > maxDelegation {
		return badSignature("The user delegation key is not valid at this time.")
	}
	return nil
}
