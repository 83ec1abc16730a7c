package cloud

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/store"
)

// operation is one change that takes time. All that is known of it follows from
// the document, so nothing of it is kept, and it can be asked for after a restart.
type operation struct {
	ID      arm.ID `json:"i"`
	Version int64  `json:"v"`
	Delete  bool   `json:"d,omitempty"`
	// Name and Type are of an element of the document, where that was changed.
	Name string `json:"n,omitempty"`
	Type string `json:"t,omitempty"`
	// Action says that it was no change of the document, and has ended.
	Action bool `json:"a,omitempty"`
}

func (o operation) String() string {
	data, _ := json.Marshal(o) // strings and numbers only
	return base64.RawURLEncoding.EncodeToString(data)
}

func parseOperation(s string) (operation, error) {
	var o operation
	data, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		err = json.Unmarshal(data, &o)
	}
	if err == nil {
		_, err = arm.ParseID(string(o.ID))
	}
	if err != nil {
		return operation{}, Errorf(http.StatusNotFound, "OperationNotFound", "There is no such operation.")
	}
	return o, nil
}

// held is how long a question after an operation is kept waiting for its end, so
// that a client need not ask often.
const held = time.Second

// pending tells the client where to ask.
func (q *request) pending(o operation) {
	o.announce(q.w.Header(), q.host+"/subscriptions/"+q.c.options.Subscription, q.r.URL.Query().Get("api-version"))
	q.retryAfter()
}

// announce says where to ask after the operation.
func (o operation) announce(h http.Header, subscription, version string) {
	address := func(kind string) string {
		namespace, _, _ := strings.Cut(o.ID.Type(), "/")
		return subscription + "/providers/" + namespace + "/locations/global/" + kind + "/" + o.String() + "?api-version=" + url.QueryEscape(version)
	}
	h.Set("Azure-AsyncOperation", address("operationStatuses"))
	h.Set("Location", address("operationResults"))
}

// WriteEnded is how the Handler of a type answers an action that takes time on Azure
// and has ended here: with 202, and an operation to ask after, as clients know it.
func WriteEnded(w http.ResponseWriter, r *http.Request, id arm.ID) {
	o := operation{ID: id, Action: true}
	o.announce(w.Header(), "https://"+r.Host+"/subscriptions/"+id.Subscription(), r.URL.Query().Get("api-version"))
	w.Header().Set("Retry-After", "0")
	w.WriteHeader(http.StatusAccepted)
}

// retryAfter says when to ask again: at once unless the cloud is as deliberate as
// Azure. The Azure SDKs take a Retry-After of 0 as none, and read milliseconds.
func (q *request) retryAfter() {
	h := q.w.Header()
	if q.c.options.Deliberate {
		h.Set("Retry-After", "5")
		return
	}
	h.Set("Retry-After", "0")
	h.Set("x-ms-retry-after-ms", "20")
}

// operation answers for an operation: its status, or (kind operationResults) what
// the original request would have answered.
func (q *request) operation(kind, token string) error {
	if q.r.Method != http.MethodGet {
		return methodNotAllowed(q.r)
	}
	o, err := parseOperation(token)
	if err != nil {
		return err
	}
	if err := q.may(actionName(q.c.types.spell(o.ID.Type()), "read"), o.ID); err != nil {
		return err
	}
	row, state := q.await(o)
	if strings.EqualFold(kind, "operationResults") {
		return q.operationResult(o, row, state)
	}
	body := arm.Object{"id": q.r.URL.Path, "name": token, "status": state}
	switch state {
	case "Failed":
		e := failureOf(row)
		body["error"] = arm.Object{"code": e.Code, "message": e.Message}
	case "InProgress":
		q.retryAfter()
	}
	WriteJSON(q.w, http.StatusOK, body)
	return nil
}

// await is the operation's state, after waiting a little for its end.
func (q *request) await(o operation) (*store.Row, string) {
	timer := time.NewTimer(held)
	defer timer.Stop()
	defer q.c.work.wait()()
	for {
		q.c.reconciler.mu.Lock()
		changed := q.c.reconciler.changed
		q.c.reconciler.mu.Unlock()
		row := q.c.snapshot().rows[o.ID.Key()]
		state := o.state(row)
		if state != "InProgress" {
			return row, state
		}
		select {
		case <-changed:
		case <-timer.C:
			return row, state
		case <-q.r.Context().Done():
			return row, state
		}
	}
}

// promptTime is how long the answer to a deletion may wait for its end.
const promptTime = 50 * time.Second

// awaitDeletion reports whether what is being deleted is gone, for which it waits.
func (q *request) awaitDeletion(o operation) (gone bool, err error) {
	for end := time.Now().Add(promptTime); time.Now().Before(end) && q.r.Context().Err() == nil; {
		switch row, state := q.await(o); state {
		case "InProgress":
		case "Failed":
			return false, failureOf(row)
		default:
			return true, nil
		}
	}
	return false, nil
}

// state of the operation, from the document as it is.
func (o operation) state(row *store.Row) string {
	deleting := row != nil && row.State == store.Deleting
	switch {
	case o.Action:
		return "Succeeded"
	case row == nil && !o.Delete:
		return "Canceled" // deleted meanwhile
	case row == nil, o.Delete && o.Name == "" && !deleting && row.State != store.Failed:
		return "Succeeded" // gone, or made anew since
	case row.State == store.Failed:
		return "Failed"
	case o.Delete && o.Name == "", deleting, row.Applied < o.Version:
		return "InProgress"
	}
	return "Succeeded"
}

func (q *request) operationResult(o operation, row *store.Row, state string) error {
	switch {
	case state == "InProgress":
		q.pending(o)
		q.w.WriteHeader(http.StatusAccepted)
		return nil
	case state == "Failed":
		return failureOf(row)
	case o.Delete || o.Action || row == nil:
		q.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if o.Name != "" {
		typ := q.c.types.lookup(o.Type)
		if i := elementAt(row.Resource, typ.Nested, o.Name); i >= 0 {
			WriteJSON(q.w, http.StatusOK, showElement(row, typ, i))
			return nil
		}
	}
	WriteJSON(q.w, http.StatusOK, q.c.show(q.c.snapshot(), row))
	return nil
}
