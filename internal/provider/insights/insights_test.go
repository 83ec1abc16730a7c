package insights_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/provider/insights"
	"github.com/cloister-ml/cloister/internal/provider/providertest"
	"github.com/cloister-ml/cloister/service"
)

const ingestURL = "https://westeurope.in.applicationinsights.azure.com"

var (
	ctx   = context.Background()
	alice = cloud.Caller{ObjectID: "alice"}
	bob   = cloud.Caller{ObjectID: "bob"}
)

// world is components of one region, their provider and a front.
type world struct {
	*testing.T
	host     *providertest.Host
	provider cloud.Provider
	front    *providertest.Front
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, host: providertest.NewHost(t)}
	w.provider = insights.New(w.host)
	w.front = providertest.Serve(t, w.host, w.provider)
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) component(name string, properties arm.Object) arm.Resource {
	w.Helper()
	r, err := w.provider.Types[0].Prepare(w.host, nil, arm.Resource{
		ID:   arm.ResourceID("00000000-0000-0000-0000-000000000001", "rg", service.TypeAppInsights, name),
		Name: name, Type: service.TypeAppInsights, Location: "West Europe", Properties: properties,
	})
	w.must(err)
	w.host.Put(r)
	return r
}

func key(r arm.Resource) string { return arm.String(r.Properties, "InstrumentationKey") }

// item is telemetry as the SDKs send it.
func item(key, baseType, baseData string, at time.Time) string {
	return fmt.Sprintf(`{"name":"Microsoft.ApplicationInsights.Item","time":%q,"iKey":%q,"tags":{"ai.cloud.role":"train","ai.operation.id":"op1"},"data":{"baseType":%q,"baseData":%s}}`,
		at.Format(time.RFC3339Nano), key, baseType, baseData)
}

type reply struct {
	ItemsReceived, ItemsAccepted int
	Errors                       []struct {
		Index, StatusCode int
		Message           string
	}
}

func (w *world) post(path, body string, header map[string]string) (int, reply) {
	w.Helper()
	r, err := http.NewRequest(http.MethodPost, ingestURL+path, strings.NewReader(body))
	w.must(err)
	for name, value := range header {
		r.Header.Set(name, value)
	}
	resp, err := w.front.Client().Do(r)
	w.must(err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	w.must(err)
	var out reply
	if err := json.Unmarshal(data, &out); err != nil {
		w.Fatalf("%s: %s", resp.Status, data)
	}
	return resp.StatusCode, out
}

// query asks a component; each row is a map by column.
func (w *world) query(r arm.Resource, question string) []map[string]any {
	w.Helper()
	answer, err := w.provider.Types[0].Actions["query"](ctx, r, json.RawMessage(question))
	w.must(err)
	data, err := json.Marshal(answer)
	w.must(err)
	var out struct {
		Tables []struct {
			Name    string
			Columns []struct{ Name, Type string }
			Rows    [][]any
		}
	}
	w.must(json.Unmarshal(data, &out))
	if len(out.Tables) != 1 || out.Tables[0].Name != "PrimaryResult" {
		w.Fatalf("%s", data)
	}
	var rows []map[string]any
	for _, values := range out.Tables[0].Rows {
		row := map[string]any{}
		for i, c := range out.Tables[0].Columns {
			row[c.Name] = values[i]
		}
		rows = append(rows, row)
	}
	return rows
}

func TestTrackAndQuery(t *testing.T) {
	w := newWorld(t)
	c := w.component("appi", nil)
	now := time.Now().UTC().Truncate(time.Microsecond)
	batch := []string{
		item(key(c), "MessageData", `{"ver":2,"message":"epoch 1: Loss 0.5","severityLevel":"Warning","properties":{"run":"7"}}`, now.Add(-2*time.Hour)),
		item(key(c), "MessageData", `{"ver":2,"message":"done 100%","severityLevel":1}`, now),
		item(key(c), "RequestData", `{"id":"r1","name":"POST /score","duration":"00:00:01.5000000","responseCode":"200","success":true,"url":"/score"}`, now),
		item(key(c), "RemoteDependencyData", `{"id":"d1","name":"GET blob","target":"st","type":"HTTP","duration":"1.00:00:00","success":false,"resultCode":"403"}`, now),
		item(key(c), "ExceptionData", `{"exceptions":[{"typeName":"ValueError","message":"bad input"}]}`, now),
		item(key(c), "MetricData", `{"metrics":[{"name":"mse","value":12.5,"count":1}]}`, now),
		item(key(c), "EventData", `{"name":"registered","measurements":{"mse":12.5}}`, now),
		item(key(c), "AvailabilityData", `{"id":"a","name":"ping","runLocation":"x","success":true,"duration":"00:00:00.1"}`, now),
	}
	for _, path := range []string{"/v2.1/track", "/v2/track"} {
		for form, body := range map[string]string{"array": "[" + strings.Join(batch, ",") + "]", "lines": strings.Join(batch, "\n") + "\n"} {
			if status, got := w.post(path, body, nil); status != 200 || got.ItemsAccepted != 8 || got.ItemsReceived != 8 || got.Errors == nil {
				t.Errorf("%s %s: %d %+v", path, form, status, got)
			}
		}
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write([]byte(batch[1]))
	w.must(err)
	w.must(z.Close())
	if status, got := w.post("/v2.1/track", packed.String(), map[string]string{"Content-Encoding": "gzip", "Content-Type": "application/x-json-stream"}); status != 200 || got.ItemsAccepted != 1 {
		t.Errorf("gzip: %d %+v", status, got)
	}
	for _, test := range []struct {
		question string
		rows     int
		last     map[string]any
	}{
		{`{"table":"traces"}`, 9, map[string]any{"message": "done 100%", "severityLevel": 1.0, "cloud_RoleName": "train", "operation_Id": "op1", "itemType": "trace", "timestamp": now.Format(time.RFC3339Nano)}},
		{`{"table":"traces","since":"1h"}`, 5, nil},
		{`{"table":"Traces","contains":"loss"}`, 4, map[string]any{"severityLevel": 2.0, "customDimensions": `{"run":"7"}`}},
		{`{"table":"traces","contains":"100%"}`, 5, nil},
		{`{"table":"traces","contains":"1_0%"}`, 0, nil},
		{`{"table":"requests","limit":2}`, 2, map[string]any{"name": "POST /score", "duration": 1500.0, "resultCode": "200", "success": true}},
		{`{"table":"dependencies"}`, 4, map[string]any{"target": "st", "duration": 86_400_000.0, "success": false}},
		{`{"table":"exceptions"}`, 4, map[string]any{"type": "ValueError", "outerMessage": "bad input"}},
		{`{"table":"customMetrics"}`, 4, map[string]any{"name": "mse", "value": 12.5}},
		{`{"table":"customEvents"}`, 4, map[string]any{"name": "registered", "customMeasurements": `{"mse":12.5}`}},
		{`{"table":"availabilityResults"}`, 4, map[string]any{"location": "x", "duration": 100.0}},
		{`{"table":"pageViews"}`, 0, nil},
		{``, 33, nil},
		{`{"contains":"ValueError"}`, 4, map[string]any{"message": "bad input", "itemType": "exception"}},
	} {
		rows := w.query(c, test.question)
		if len(rows) != test.rows {
			t.Errorf("%s: %d rows, want %d", test.question, len(rows), test.rows)
			continue
		}
		for name, want := range test.last {
			if got := rows[len(rows)-1][name]; got != want {
				t.Errorf("%s: %s is %v, want %v", test.question, name, got, want)
			}
		}
	}
	for _, bad := range []string{`{"table":"secrets"}`, `{"since":"yesterday"}`, `{"limit":0}`, `{"limit":100000}`, `[]`} {
		if _, err := w.provider.Types[0].Actions["query"](ctx, c, json.RawMessage(bad)); err == nil {
			t.Errorf("%s: answered", bad)
		}
	}
}

func TestItemsAreRefusedOneByOne(t *testing.T) {
	w := newWorld(t)
	open, closed := w.component("open", nil), w.component("closed", arm.Object{"publicNetworkAccessForIngestion": "Disabled"})
	token := w.component("token", arm.Object{"DisableLocalAuth": true})
	w.host.Grant(alice.ObjectID, "Microsoft.Insights/Telemetry/Write", token.ID)
	now := time.Now()
	message := `{"message":"x"}`
	batch := strings.Join([]string{
		item(key(open), "MessageData", message, now),
		item("00000000-0000-0000-0000-00000000dead", "MessageData", message, now),
		item(key(closed), "MessageData", message, now),
		item(key(token), "MessageData", message, now),
		item(key(open), "UnheardOfData", message, now),
		item(key(open), "MessageData", `null`, now),
		`{"iKey":"` + key(open) + `","time":"noon","data":{"baseType":"MessageData","baseData":{}}}`,
		`"text"`,
		item(strings.ToUpper(key(open)), "MessageData", message, now),
	}, "\n")
	status, got := w.post("/v2.1/track", batch, nil)
	want := map[int]int{1: 400, 2: 403, 3: 401, 4: 400, 5: 400, 6: 400, 7: 400}
	if status != http.StatusPartialContent || got.ItemsReceived != 9 || got.ItemsAccepted != 2 || len(got.Errors) != len(want) {
		t.Fatalf("%d %+v", status, got)
	}
	for _, e := range got.Errors {
		if want[e.Index] != e.StatusCode || e.Message == "" {
			t.Errorf("item %d: %d %s", e.Index, e.StatusCode, e.Message)
		}
	}
	if rows := w.query(open, ""); len(rows) != 2 {
		t.Errorf("%d rows of the open component", len(rows))
	}
	if rows := w.query(closed, ""); len(rows) != 0 {
		t.Errorf("%d rows of the closed component", len(rows))
	}
	for who, test := range map[string]struct {
		caller   cloud.Caller
		audience string
		status   int
	}{
		"alice": {alice, "https://monitor.azure.com", 200}, "bob": {bob, "https://monitor.azure.com", 403}, "another audience": {alice, "https://storage.azure.com", 401},
	} {
		status, got := w.post("/v2.1/track", item(key(token), "MessageData", message, now), map[string]string{"Authorization": "Bearer " + w.host.Issue(test.caller, test.audience)})
		if status != test.status {
			t.Errorf("%s: %d %+v", who, status, got)
		}
	}
}

func TestBadBodies(t *testing.T) {
	w := newWorld(t)
	w.component("appi", nil)
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	for range 64 {
		_, err := z.Write(make([]byte, 1<<20))
		w.must(err)
	}
	w.must(z.Close())
	for what, test := range map[string]struct {
		body, encoding string
	}{
		"not JSON": {"{", ""}, "not gzip": {"[]", "gzip"}, "unknown encoding": {"[]", "br"}, "gzip bomb": {bomb.String(), "gzip"},
		"too many": {"[" + strings.Repeat("1,", 10_001) + "1]", ""}, "too large": {strings.Repeat(" ", 5<<20), ""},
	} {
		if status, got := w.post("/v2.1/track", test.body, map[string]string{"Content-Encoding": test.encoding}); status != 400 || got.ItemsAccepted != 0 {
			t.Errorf("%s: %d %+v", what, status, got)
		}
	}
	if status, got := w.post("/v2.1/track", "[]", nil); status != 200 || got.ItemsReceived != 0 {
		t.Errorf("empty: %d %+v", status, got)
	}
	for path, want := range map[string]int{"/": 200, "/other": 404, "/v2.1/track": 405} {
		resp, err := w.front.Client().Get(ingestURL + path)
		w.must(err)
		if resp.Body.Close(); resp.StatusCode != want {
			t.Errorf("GET %s: %s", path, resp.Status)
		}
	}
	w.front.Refuse("public ingestion is off")
	resp, err := w.front.Client().Get(ingestURL + "/")
	w.must(err)
	if resp.Body.Close(); resp.StatusCode != 403 {
		t.Errorf("refused at the root: %s", resp.Status)
	}
}

func TestRetentionRestartAndRemoval(t *testing.T) {
	w := newWorld(t)
	c := w.component("appi", arm.Object{"RetentionInDays": 30.0})
	now := time.Now()
	body := item(key(c), "MessageData", `{"message":"old"}`, now.AddDate(0, 0, -31)) + item(key(c), "MessageData", `{"message":"new"}`, now)
	if status, got := w.post("/v2.1/track", body, nil); status != 200 || got.ItemsAccepted != 2 {
		t.Fatalf("%d %+v", status, got)
	}
	w.must(w.provider.Services["insights"].(io.Closer).Close())
	if rows := w.query(c, ""); len(rows) != 1 || rows[0]["message"] != "new" {
		t.Errorf("after a restart: %v", rows)
	}
	files, err := filepath.Glob(filepath.Join(w.host.Dir("insights"), "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f, info.Mode(), err)
		}
	}
	w.must(w.provider.Types[0].Remove(ctx, c))
	if rows := w.query(c, ""); len(rows) != 0 {
		t.Errorf("after the removal: %v", rows)
	}
}

func TestPrepareComponent(t *testing.T) {
	w := newWorld(t)
	c := w.component("appi", arm.Object{"WorkspaceResourceId": "/subscriptions/x"})
	want := "InstrumentationKey=" + key(c) + ";IngestionEndpoint=" + ingestURL + "/;ApplicationId=" + arm.String(c.Properties, "AppId")
	if got := arm.String(c.Properties, "ConnectionString"); got != want || key(c) == "" {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if arm.String(c.Properties, "IngestionMode") != "LogAnalytics" || arm.Int(c.Properties, "RetentionInDays", 0) != 90 {
		t.Errorf("%v", c.Properties)
	}
	var e *cloud.Error
	c.Properties["publicNetworkAccessForIngestion"] = "Sometimes"
	if _, err := w.provider.Types[0].Prepare(w.host, nil, c); !errors.As(err, &e) {
		t.Errorf("got %v", err)
	}
}

func TestBillingFeatures(t *testing.T) {
	w := newWorld(t)
	c := w.component("appi", nil)
	do := func(method, body string) string {
		r, err := http.NewRequestWithContext(cloud.WithID(ctx, c.ID+"/currentbillingfeatures"), method, "/", strings.NewReader(body))
		w.must(err)
		rec := &recorder{}
		w.provider.Types[2].Handler.ServeHTTP(rec, r)
		return strings.TrimSpace(rec.body.String())
	}
	if got := do("GET", ""); !strings.Contains(got, `"Cap":100`) {
		t.Errorf("default: %s", got)
	}
	put := `{"CurrentBillingFeatures":["Basic"],"DataVolumeCap":{"Cap":5}}`
	if got := do("PUT", put); got != put || do("GET", "") != put {
		t.Errorf("put: %s", got)
	}
}

type recorder struct{ body bytes.Buffer }

func (r *recorder) Header() http.Header         { return http.Header{} }
func (r *recorder) WriteHeader(int)             {}
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }

func TestLogAnalytics(t *testing.T) {
	h := providertest.NewHost(t)
	typ := insights.LogAnalytics(h).Types[0]
	r := arm.Resource{ID: arm.ResourceID("s", "rg", insights.TypeLogAnalytics, "log-1"), Name: "log-1", Type: insights.TypeLogAnalytics}
	prepared, err := typ.Prepare(h, nil, r)
	if err != nil || arm.String(prepared.Properties, "customerId") != arm.StableGUID(r.ID, "customerId") || arm.String(prepared.Properties, "sku.name") != "PerGB2018" {
		t.Fatalf("%v, %v", prepared.Properties, err)
	}
	keys := func(action string) string {
		out, err := typ.Actions[action](ctx, prepared, nil)
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(out)
		if err != nil || !strings.Contains(string(data), "primarySharedKey") {
			t.Fatalf("%s, %v", data, err)
		}
		return string(data)
	}
	first := keys("sharedkeys")
	if keys("sharedkeys") != first || keys("regeneratesharedkey") == first || keys("sharedkeys") == first {
		t.Error("the keys do not stay until they are regenerated")
	}
	if err := errors.Join(typ.Remove(ctx, prepared), typ.Remove(ctx, prepared)); err != nil {
		t.Error(err)
	}
	for name, days := range map[string]float64{"x": 30, "-log": 30, "log-2": 3} {
		r.Name, r.Properties = name, arm.Object{"retentionInDays": days}
		if _, err := typ.Prepare(h, nil, r); err == nil {
			t.Errorf("%s with %v days: accepted", name, days)
		}
	}
}
