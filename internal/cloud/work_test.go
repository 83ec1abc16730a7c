package cloud

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// Two requests at one time make the cloud busy once, a request that waits does not,
// and the sum counts each.
func TestWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Cloud
		h := c.work.measured(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			time.Sleep(2 * time.Second)
			if r.URL.Path == "/waits" {
				over := c.work.wait()
				time.Sleep(5 * time.Second)
				over()
			}
		}))
		for _, path := range []string{"/", "/waits"} {
			go h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
		}
		time.Sleep(time.Minute)
		want := Work{Requests: 2, Handling: 9 * time.Second, Waiting: 5 * time.Second, Busy: 2 * time.Second}
		if got := c.Work(); got != want {
			t.Errorf("the work is %+v, want %+v", got, want)
		}
	})
}
