package cloud

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// ErrPermanent marks an error of Reconcile that no retry will mend.
var ErrPermanent = errors.New("will not succeed by trying again")

// Permanent makes err one that no retry will mend, and leaves its words as they are.
func Permanent(err error) error { return permanent{err} }

type permanent struct{ error }

func (p permanent) Unwrap() []error { return []error{p.error, ErrPermanent} }

// Error is an error as ARM answers it: {"error": {"code", "message"}}.
type Error struct {
	Status  int // HTTP status
	Code    string
	Message string
	Target  string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Errorf makes an Error.
func Errorf(status int, code, format string, args ...any) *Error {
	return &Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// WriteError answers with err: an *Error as it is, anything else as an internal
// error whose text is not shown.
func WriteError(w http.ResponseWriter, err error) {
	var e *Error
	if !errors.As(err, &e) {
		e = Errorf(http.StatusInternalServerError, "InternalServerError", "the request could not be carried out; see the cloud's log")
	}
	body := map[string]string{"code": e.Code, "message": e.Message}
	if e.Target != "" {
		body["target"] = e.Target
	}
	w.Header().Set("x-ms-error-code", e.Code)
	WriteJSON(w, e.Status, map[string]any{"error": body})
}

// WriteJSON answers with a JSON body.
func WriteJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has gone: nothing to be done
}
