package insights

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// ingestion is the service that takes telemetry.
type ingestion struct {
	host  cloud.Host
	store *Store

	mu      sync.Mutex
	expired time.Time // when what is too old was last removed
}

// Close ends the store.
func (s *ingestion) Close() error { return s.store.Close() }

// answer is what a batch of telemetry is answered with.
type answer struct {
	Received int         `json:"itemsReceived"`
	Accepted int         `json:"itemsAccepted"`
	Errors   []itemError `json:"errors"`
}

type itemError struct {
	Index      int    `json:"index"`
	StatusCode int    `json:"statusCode"`
	Message    string `json:"message"`
}

// ServeHTTP implements http.Handler.
func (s *ingestion) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/v2/track", "/v2.1/track":
		if r.Method == http.MethodPost {
			s.track(w, r)
			return
		}
		w.Header().Set("Allow", http.MethodPost)
		cloud.WriteJSON(w, http.StatusMethodNotAllowed, answer{Errors: []itemError{}})
	case "/":
		s.root(w, r)
	default:
		http.NotFound(w, r)
	}
}

// root answers whether the component that the host was looked up for lets the
// caller in.
func (s *ingestion) root(w http.ResponseWriter, r *http.Request) {
	call := cloud.CallFrom(r.Context())
	if call.Admission.Value == verdict.Yes {
		cloud.WriteJSON(w, http.StatusOK, answer{Errors: []itemError{}})
		return
	}
	step := call.Admission.Decisive()
	cloud.WriteJSON(w, http.StatusForbidden, answer{Errors: []itemError{{StatusCode: http.StatusForbidden, Message: step.At + ": " + step.Reason}}})
}

// Limits of a body, as sent and unpacked.
const (
	maxBody     = 4 << 20
	maxUnpacked = 32 << 20
)

func (s *ingestion) track(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(w, r)
	var raw []json.RawMessage
	if err == nil {
		raw, err = split(body)
	}
	if err != nil {
		cloud.WriteJSON(w, http.StatusBadRequest, answer{Errors: []itemError{{StatusCode: http.StatusBadRequest, Message: err.Error()}}})
		return
	}
	out := answer{Received: len(raw), Errors: []itemError{}}
	items := make([]Item, 0, len(raw))
	doors := &doors{service: s, request: r, components: componentsByKey(s.host.Estate())}
	for i, one := range raw {
		item, refusal := doors.admit(one)
		if refusal != nil {
			refusal.Index = i
			out.Errors = append(out.Errors, *refusal)
			continue
		}
		items = append(items, item)
	}
	if err := s.keep(r, items); err != nil {
		s.host.Log().Error("application insights: keeping telemetry", "error", err)
		cloud.WriteJSON(w, http.StatusInternalServerError, answer{
			Received: len(raw), Errors: []itemError{{StatusCode: http.StatusInternalServerError, Message: "the telemetry cannot be kept; see the cloud's log"}},
		})
		return
	}
	out.Accepted = len(items)
	cloud.WriteJSON(w, statusOf(out), out)
}

func (s *ingestion) keep(r *http.Request, items []Item) error {
	if len(items) == 0 {
		return nil
	}
	if err := s.store.Add(r.Context(), items); err != nil {
		return err
	}
	return s.expire(r)
}

// statusOf is 200 where all was accepted, 206 where some was, else the refusal's.
func statusOf(a answer) int {
	switch {
	case len(a.Errors) == 0:
		return http.StatusOK
	case a.Accepted > 0:
		return http.StatusPartialContent
	}
	for _, e := range a.Errors {
		if e.StatusCode != a.Errors[0].StatusCode {
			return http.StatusBadRequest
		}
	}
	return a.Errors[0].StatusCode
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body := io.Reader(http.MaxBytesReader(w, r.Body, maxBody))
	switch encoding := r.Header.Get("Content-Encoding"); {
	case strings.EqualFold(encoding, "gzip"):
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			return nil, fmt.Errorf("the body is not gzip: %w", err)
		}
		body = unpacked
	case encoding != "" && !strings.EqualFold(encoding, "identity"):
		return nil, fmt.Errorf("the content encoding %q is not supported", encoding)
	}
	data, err := io.ReadAll(io.LimitReader(body, maxUnpacked+1))
	if err != nil {
		return nil, fmt.Errorf("reading the body: %w", err)
	}
	if len(data) > maxUnpacked {
		return nil, fmt.Errorf("the body has more than %d bytes", maxUnpacked)
	}
	return data, nil
}

func componentsByKey(e *arm.Estate) map[string]arm.Resource {
	out := map[string]arm.Resource{}
	for _, r := range e.OfType(service.TypeAppInsights) {
		out[InstrumentationKey(r.ID)] = r
	}
	return out
}

// doors decides, for the items of one request, which component each belongs to
// and whether that one takes it from the caller.
type doors struct {
	service    *ingestion
	request    *http.Request
	components map[string]arm.Resource
	decided    map[string]*itemError // by component
}

func (d *doors) admit(raw json.RawMessage) (Item, *itemError) {
	e, table, at, err := parse(raw)
	if err != nil {
		return Item{}, &itemError{StatusCode: http.StatusBadRequest, Message: err.Error()}
	}
	component, ok := d.components[strings.ToLower(e.IKey)]
	if !ok {
		return Item{}, &itemError{StatusCode: http.StatusBadRequest, Message: "Invalid instrumentation key"}
	}
	key := component.ID.Key()
	refusal, ok := d.decided[key]
	if !ok {
		refusal = d.decide(component)
		if d.decided == nil {
			d.decided = map[string]*itemError{}
		}
		d.decided[key] = refusal
	}
	if refusal != nil {
		again := *refusal
		return Item{}, &again
	}
	return Item{Component: component.ID, Table: table, Time: at, Doc: raw}, nil
}

func (d *doors) decide(component arm.Resource) *itemError {
	host := d.service.host
	refuse := func(status int, v verdict.Verdict) *itemError {
		step := v.Decisive()
		return &itemError{StatusCode: status, Message: step.At + ": " + step.Reason}
	}
	source := cloud.CallFrom(d.request.Context()).Source
	if v := network.Admit(host.Estate(), component, source); v.Value != verdict.Yes {
		return refuse(http.StatusForbidden, v)
	}
	if !arm.Bool(component.Properties, "DisableLocalAuth", false) {
		return nil // the instrumentation key is enough
	}
	caller, err := host.Authenticate(d.request, "https://monitor.azure.com")
	if err != nil {
		return &itemError{StatusCode: http.StatusUnauthorized, Message: "the component takes telemetry with a token only (DisableLocalAuth): " + err.Error()}
	}
	if v := host.Authorize(caller, "Microsoft.Insights/Telemetry/Write", true, component.ID); v.Value != verdict.Yes {
		return refuse(http.StatusForbidden, v)
	}
	return nil
}

// expire removes, once an hour, what the components no longer keep.
func (s *ingestion) expire(r *http.Request) error {
	s.mu.Lock()
	due := time.Since(s.expired) > time.Hour
	if due {
		s.expired = time.Now()
	}
	s.mu.Unlock()
	if !due {
		return nil
	}
	var err error
	for _, c := range s.host.Estate().OfType(service.TypeAppInsights) {
		days := arm.Int(c.Properties, "RetentionInDays", 90)
		err = errors.Join(err, s.store.Expire(r.Context(), c.ID, time.Now().AddDate(0, 0, -days)))
	}
	return err
}
