package cloud

import (
	"fmt"
	"math"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/store"
)

// isActivity reports whether the target is the activity log:
// /subscriptions/{id}/providers/Microsoft.Insights/eventtypes/management/values.
func (t target) isActivity() bool {
	return strings.EqualFold(t.namespace, "Microsoft.Insights") && strings.EqualFold(strings.Join(t.tail, "/"), "eventtypes/management/values")
}

// maxActivity is how many entries of the log one question looks through.
const maxActivity = 10_000

// activity answers with the activity log, newest first, as $filter narrows it.
//
// Source: the REST reference of Azure Monitor, "Activity Logs - List".
func (q *request) activity() error {
	if q.r.Method != http.MethodGet {
		return methodNotAllowed(q.r)
	}
	scope := q.target.scope
	if err := q.may("Microsoft.Insights/eventtypes/values/read", scope); err != nil {
		return err
	}
	pass, err := activityFilter(q.r.URL.Query().Get("$filter"))
	if err != nil {
		return err
	}
	entries, err := q.c.Activity(q.r.Context(), scope, maxActivity)
	if err != nil {
		return err
	}
	var items []item
	for _, e := range entries {
		if pass(e) {
			items = append(items, item{newestFirst(e), func() arm.Object { return q.showEntry(e) }})
		}
	}
	return q.page(items)
}

// newestFirst is an entry's place among others, which does not move when others
// are added.
func newestFirst(e store.Entry) string {
	return fmt.Sprintf("%020d %s %s %s", math.MaxInt64-e.Time.UnixNano(), e.Correlation, e.Action, e.Scope.Key())
}

var activityTerm = regexp.MustCompile(`(?i)^(\w+)\s+(eq|ge|le)\s+(?:'([^']*)'|([0-9T:.+Z-]+))$`)

// activityFilter reads $filter: comparisons that are joined by and.
func activityFilter(text string) (func(store.Entry) bool, error) {
	var tests []func(store.Entry) bool
	for _, part := range split(strings.TrimSpace(text), " and ") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		m := activityTerm.FindStringSubmatch(part)
		if m == nil {
			return nil, badActivityFilter(text)
		}
		test, ok := activityTest(strings.ToLower(m[1]), strings.ToLower(m[2]), m[3]+m[4])
		if !ok {
			return nil, badActivityFilter(text)
		}
		tests = append(tests, test)
	}
	return func(e store.Entry) bool {
		for _, test := range tests {
			if !test(e) {
				return false
			}
		}
		return true
	}, nil
}

func badActivityFilter(text string) error {
	return Errorf(http.StatusBadRequest, "BadRequest",
		"The filter '%s' cannot be read: it compares eventTimestamp by ge and le, and resourceGroupName, resourceProvider, resourceUri, correlationId, caller and status by eq, joined by 'and'.", text)
}

// activityTest is one comparison; ok is false where there is no such.
func activityTest(field, operator, value string) (func(store.Entry) bool, bool) {
	if field == "eventtimestamp" {
		at, err := time.Parse(time.RFC3339Nano, value)
		if err != nil { // az leaves the zone out, and means UTC
			at, err = time.Parse("2006-01-02T15:04:05.999999999", value)
		}
		switch {
		case err != nil:
			return nil, false
		case operator == "ge":
			return func(e store.Entry) bool { return !e.Time.Before(at) }, true
		case operator == "le":
			return func(e store.Entry) bool { return !e.Time.After(at) }, true
		}
		return nil, false
	}
	read := map[string]func(store.Entry) string{
		"resourcegroupname": func(e store.Entry) string { return e.Scope.ResourceGroup() },
		"resourceprovider":  func(e store.Entry) string { return providerOf(e) },
		"resourceuri":       func(e store.Entry) string { return string(e.Scope) },
		"resourceid":        func(e store.Entry) string { return string(e.Scope) },
		"correlationid":     func(e store.Entry) string { return e.Correlation },
		"caller":            func(e store.Entry) string { return e.Caller },
		"status":            statusText,
	}[field]
	if read == nil || operator != "eq" {
		return nil, false
	}
	return func(e store.Entry) bool { return strings.EqualFold(read(e), value) }, true
}

func providerOf(e store.Entry) string {
	namespace, _, _ := strings.Cut(e.Action, "/")
	return namespace
}

func statusText(e store.Entry) string {
	if !e.Allowed || e.Status >= http.StatusBadRequest {
		return "Failed"
	}
	return "Succeeded"
}

// showEntry is an entry as Azure Monitor shows it.
func (q *request) showEntry(e store.Entry) arm.Object {
	text := func(s string) arm.Object { return arm.Object{"value": s, "localizedValue": s} }
	level := "Informational"
	if statusText(e) == "Failed" {
		level = "Error"
	}
	at, id := e.Time.Format(time.RFC3339Nano), arm.StableGUID(e.Scope, newestFirst(e))
	shown := arm.Object{
		"id": string(e.Scope) + "/events/" + id + "/ticks/" + fmt.Sprint(e.Time.UnixNano()), "eventDataId": id,
		"eventTimestamp": at, "submissionTimestamp": at, "caller": e.Caller, "correlationId": e.Correlation, "operationId": e.Correlation,
		"level": level, "channels": "Operation", "category": text("Administrative"), "eventName": text("EndRequest"),
		"operationName": text(e.Action), "status": text(statusText(e)), "subStatus": text(http.StatusText(e.Status)),
		"resourceId": string(e.Scope), "resourceGroupName": e.Scope.ResourceGroup(), "resourceProviderName": text(providerOf(e)), "resourceType": text(e.Scope.Type()),
		"subscriptionId": q.c.options.Subscription, "tenantId": q.c.options.Tenant,
		"authorization": arm.Object{"action": e.Action, "scope": string(e.Scope)},
		"claims":        arm.Object{"appid": e.App, "http://schemas.microsoft.com/identity/claims/objectidentifier": e.Caller},
		"httpRequest":   arm.Object{"clientIpAddress": e.Source},
		"properties":    arm.Object{"statusCode": fmt.Sprint(e.Status)},
	}
	if e.Reason != "" {
		shown["description"] = e.Reason
	}
	return shown
}
