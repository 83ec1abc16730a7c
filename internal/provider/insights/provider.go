package insights

import (
	"context"
	"net/http"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/service"
)

// Namespace of the provider of components.
const Namespace = "Microsoft.Insights"

// New makes the provider of components. The handler of the service "insights" is
// an io.Closer, which ends the store.
func New(host cloud.Host) cloud.Provider {
	s := &ingestion{host: host, store: newStore(host.Dir("insights"))}
	return cloud.Provider{
		Namespace: Namespace,
		Types: []cloud.Type{
			{
				Name:         service.TypeAppInsights,
				CreateStatus: http.StatusOK, // its clients insist on it
				Prompt:       true,
				Prepare:      prepare,
				Remove:       func(ctx context.Context, r arm.Resource) error { return s.store.Forget(ctx, r.ID) },
				Actions:      map[string]cloud.Action{"query": s.query},
			},
			{
				Name:         Namespace + "/diagnosticSettings",
				CreateStatus: http.StatusOK, // its clients insist on it
				Prompt:       true,
				Runs:         func(arm.Resource) bool { return false },
			},
			{Name: service.TypeAppInsights + "/currentbillingfeatures", Handler: &billing{store: s.store}},
		},
		Services: map[string]http.Handler{"insights": s},
	}
}

// prepare checks a component and fills in what Azure fills in.
func prepare(_ cloud.View, old *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if n := len(r.Name); n < 1 || n > 260 || strings.ContainsAny(r.Name, `%&\?/<>#`) || strings.HasSuffix(r.Name, ".") || strings.HasSuffix(r.Name, " ") {
		return r, cloud.Errorf(http.StatusBadRequest, "InvalidResourceName", "%q is not a component's name", r.Name)
	}
	if r.Kind == "" {
		r.Kind = "web"
	}
	if r.Properties = arm.Clone(r.Properties); r.Properties == nil {
		r.Properties = arm.Object{}
	}
	p := r.Properties
	for path, allowed := range map[string]string{"publicNetworkAccessForIngestion": "Enabled Disabled SecuredByPerimeter", "publicNetworkAccessForQuery": "Enabled Disabled SecuredByPerimeter"} {
		if v := arm.String(p, path); v != "" && !oneOf(v, allowed) {
			return r, cloud.Errorf(http.StatusBadRequest, "InvalidRequestContent", "properties.%s %q is not one of %s", path, v, allowed)
		}
	}
	key, app := InstrumentationKey(r.ID), arm.StableGUID(r.ID, "AppId")
	mode := "ApplicationInsights"
	if arm.String(p, "WorkspaceResourceId") != "" {
		mode = "LogAnalytics"
	}
	fill(p, map[string]any{
		"Application_Type": "web", "Flow_Type": "Bluefield", "Request_Source": "rest", "RetentionInDays": 90.0, "IngestionMode": mode,
		"SamplingPercentage": 100.0, "DisableIpMasking": false, "DisableLocalAuth": false,
		"publicNetworkAccessForIngestion": "Enabled", "publicNetworkAccessForQuery": "Enabled",
	})
	p["InstrumentationKey"], p["AppId"], p["ApplicationId"], p["Name"], p["Ver"] = key, app, r.Name, r.Name, "v2"
	for _, ep := range service.Endpoints(r) {
		p["ConnectionString"] = "InstrumentationKey=" + key + ";IngestionEndpoint=https://" + ep.Host + "/;ApplicationId=" + app
	}
	created(p, old, "CreationDate")
	return r, nil
}

// InstrumentationKey is the key by which telemetry names a component. Azure
// chooses it at deployment; here it follows from the id.
func InstrumentationKey(component arm.ID) string {
	return arm.StableGUID(component, "InstrumentationKey")
}

func oneOf(value, allowed string) bool {
	for _, a := range strings.Fields(allowed) {
		if strings.EqualFold(a, value) {
			return true
		}
	}
	return false
}

// fill sets what is missing.
func fill(p arm.Object, defaults map[string]any) {
	for name, value := range defaults {
		if _, ok := arm.Lookup(p, name); !ok {
			p[name] = value
		}
	}
}
