package cloud_test

import (
	"encoding/json"
	"net/http/httptest"
	"testing"

	"github.com/cloister-ml/cloister/arm"
)

type recorder struct{ *httptest.ResponseRecorder }

func newRecorder() recorder { return recorder{httptest.NewRecorder()} }

func (r recorder) result(t *testing.T) (int, arm.Object) {
	t.Helper()
	var body arm.Object
	if err := json.Unmarshal(r.Body.Bytes(), &body); err != nil {
		t.Fatalf("%v: %s", err, r.Body)
	}
	return r.Code, body
}
