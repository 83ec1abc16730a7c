package storage

import (
	"encoding/xml"
	"net/http"
	"time"

	"github.com/cloister-ml/cloister/internal/provider/storage/signing"
)

type keyInfo struct {
	XMLName xml.Name `xml:"KeyInfo"`
	Start   string
	Expiry  string
}

type userDelegationKey struct {
	XMLName       xml.Name `xml:"UserDelegationKey"`
	SignedOid     string
	SignedTid     string
	SignedStart   string
	SignedExpiry  string
	SignedService string
	SignedVersion string
	Value         string
}

// delegationKey is Get User Delegation Key.
func (q *request) delegationKey() error {
	who := q.who.caller
	if who == nil { // an account key signed the request: there is nobody to delegate
		return fail(http.StatusForbidden, "AuthenticationFailed", "Server failed to authenticate the request. Only authentication scheme Bearer is supported.")
	}
	body, err := q.readBody(4 << 10)
	if err != nil {
		return err
	}
	var in keyInfo
	if err := xml.Unmarshal(body, &in); err != nil {
		return fail(http.StatusBadRequest, "InvalidXmlDocument", "The specified XML is not syntactically valid.")
	}
	now := time.Now()
	start := now
	if in.Start != "" {
		if start, err = time.Parse(time.RFC3339, in.Start); err != nil {
			return badTime("Start")
		}
	}
	expiry, err := time.Parse(time.RFC3339, in.Expiry)
	if err != nil || !expiry.After(start) || !expiry.After(now) || expiry.Sub(start) > maxDelegation {
		return badTime("Expiry")
	}
	start, expiry = start.UTC().Truncate(time.Second), expiry.UTC().Truncate(time.Second)
	version := q.w.Header().Get("x-ms-version")
	writeXML(q.w, http.StatusOK, userDelegationKey{
		SignedOid: who.ObjectID, SignedTid: who.Tenant, SignedStart: start.Format(time.RFC3339), SignedExpiry: expiry.Format(time.RFC3339),
		SignedService: "b", SignedVersion: version,
		Value: signing.DelegationKey(q.keys.Delegation, who.ObjectID, who.Tenant, start, expiry, version),
	})
	return nil
}

func badTime(name string) error {
	return fail(http.StatusBadRequest, "InvalidXmlNodeValue",
		"The value provided for one of the XML nodes in the request body was not in the correct format: %s. A key lives at most seven days.", name)
}
