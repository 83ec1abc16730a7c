package insights

import (
	"encoding/json"
	"io"
	"net/http"

	"github.com/cloister-ml/cloister/internal/cloud"
)

// billing is a component's currentbillingfeatures: a document that clients put and
// expect back. Its daily cap is not carried out.
type billing struct{ store *Store }

// defaultBilling is what Azure answers before anything was put.
const defaultBilling = `{"CurrentBillingFeatures":["Basic"],"DataVolumeCap":{"Cap":100,"WarningThreshold":90,` +
	`"StopSendNotificationWhenHitThreshold":false,"StopSendNotificationWhenHitCap":false,"MaxHistoryCap":500,"ResetTime":0}}`

// maxBilling is the largest document that is put.
const maxBilling = 64 << 10

// ServeHTTP implements http.Handler; the caller is authorised.
func (b *billing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	component := cloud.IDFrom(r.Context())
	if at := len(component) - len("/currentbillingfeatures"); at > 0 {
		component = component[:at]
	}
	switch r.Method {
	case http.MethodGet:
	case http.MethodPut:
		body, err := io.ReadAll(io.LimitReader(r.Body, maxBilling+1))
		if err != nil || len(body) > maxBilling || !json.Valid(body) {
			cloud.WriteError(w, cloud.Errorf(http.StatusBadRequest, "InvalidRequestContent", "the body is not a document of at most %d bytes", maxBilling))
			return
		}
		if err := b.store.setBilling(r.Context(), component, body); err != nil {
			cloud.WriteError(w, err)
			return
		}
	default:
		cloud.WriteError(w, cloud.Errorf(http.StatusMethodNotAllowed, "MethodNotAllowed", "%s is not offered here", r.Method))
		return
	}
	doc, err := b.store.billing(r.Context(), component)
	if err != nil {
		cloud.WriteError(w, err)
		return
	}
	if doc == nil {
		doc = json.RawMessage(defaultBilling)
	}
	cloud.WriteJSON(w, http.StatusOK, doc)
}
