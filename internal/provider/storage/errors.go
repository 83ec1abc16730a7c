package storage

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/cloister-ml/cloister/internal/provider/storage/blobstore"
)

// failure is a refusal in the words of Azure Storage.
type failure struct {
	status  int
	code    string
	message string
	header  map[string]string
}

func (f *failure) Error() string { return f.code + ": " + f.message }

func fail(status int, code, format string, args ...any) *failure {
	return &failure{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

func (f *failure) with(header, value string) *failure {
	if f.header == nil {
		f.header = map[string]string{}
	}
	f.header[header] = value
	return f
}

// storeFailures are the store's errors as the protocol says them.
var storeFailures = []struct {
	err     error
	status  int
	code    string
	message string
}{
	{blobstore.ErrNoContainer, http.StatusNotFound, "ContainerNotFound", "The specified container does not exist."},
	{blobstore.ErrContainerExists, http.StatusConflict, "ContainerAlreadyExists", "The specified container already exists."},
	{blobstore.ErrNoBlob, http.StatusNotFound, "BlobNotFound", "The specified blob does not exist."},
	{blobstore.ErrUnknownBlock, http.StatusBadRequest, "InvalidBlockList", "The specified block list is invalid."},
	{blobstore.ErrBlockIDLength, http.StatusBadRequest, "InvalidBlobOrBlock", "The specified blob or block content is invalid: the ids of a blob's blocks have one length."},
	{blobstore.ErrTooManyBlocks, http.StatusConflict, "BlockCountExceedsLimit", "The blob has as many blocks as it may have."},
	{blobstore.ErrTooLarge, http.StatusRequestEntityTooLarge, "RequestBodyTooLarge", "The request body is too large and exceeds the maximum permissible limit."},
}

// asFailure is err in the protocol's words; known is false for an error of ours,
// whose text is for the log.
func asFailure(err error) (f *failure, known bool) {
	if errors.As(err, &f) {
		return f, true
	}
	for _, s := range storeFailures {
		if errors.Is(err, s.err) {
			return fail(s.status, s.code, "%s", s.message), true
		}
	}
	return fail(http.StatusInternalServerError, "InternalError", "The server encountered an internal error. Please retry the request."), false
}

type errorBody struct {
	XMLName xml.Name `xml:"Error"`
	Code    string
	Message string
}

func (f *failure) write(w http.ResponseWriter, r *http.Request) {
	for name, value := range f.header {
		w.Header().Set(name, value)
	}
	w.Header().Set("x-ms-error-code", f.code)
	if r.Method == http.MethodHead || f.status == http.StatusNotModified {
		w.WriteHeader(f.status)
		return
	}
	message := fmt.Sprintf("%s\nRequestId:%s\nTime:%s", f.message, w.Header().Get("x-ms-request-id"), time.Now().UTC().Format(time.RFC3339Nano))
	writeXML(w, f.status, errorBody{Code: f.code, Message: message})
}

func writeXML(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(xml.Header)) // a client that has gone cannot be told
	_ = xml.NewEncoder(w).Encode(body)
}
