package machinelearning

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/service"
)

func (s *Service) endpointType() cloud.Type {
	return cloud.Type{
		Name:      typeEndpoint,
		Prepare:   s.prepareEndpoint,
		Reconcile: func(_ context.Context, r arm.Resource) error { _, err := s.endpointKeys(r.ID); return err },
		Remove:    func(_ context.Context, r arm.Resource) error { return s.dropKeys(r.ID) },
		Actions: map[string]cloud.Action{
			"listkeys":       s.listKeys,
			"regeneratekeys": s.regenerateKeys,
			"token":          s.endpointToken,
		},
	}
}

// The authentication modes of an endpoint.
const (
	authKey   = "Key"
	authToken = "AMLToken"
	authAAD   = "AADToken"
)

var endpointName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{1,30}[A-Za-z0-9]$`)

func (s *Service) prepareEndpoint(view cloud.View, old *arm.Resource, r arm.Resource) (arm.Resource, error) {
	invalid := func(format string, args ...any) (arm.Resource, error) {
		return r, cloud.Errorf(http.StatusBadRequest, "UserError", format, args...)
	}
	if !endpointName.MatchString(r.Name) {
		return invalid("%q is not an endpoint name: a letter, then letters, digits and '-', 3 to 32 characters.", r.Name)
	}
	ws, ok := view.Get(r.ID.Parent())
	if !ok {
		return r, cloud.Errorf(http.StatusNotFound, "ParentResourceNotFound", "The workspace %s was not found.", r.ID.Parent().Name())
	}
	r.Properties = arm.Clone(r.Properties)
	if r.Properties == nil {
		r.Properties = arm.Object{}
	}
	p := r.Properties
	if r.Location == "" {
		r.Location = ws.Location
	}
	if service.Region(r.Location) != service.Region(ws.Location) {
		return invalid("location: the endpoint is in %s and its workspace in %s; they must be one.", r.Location, ws.Location)
	}
	mode, ok := authMode(arm.String(p, "authMode"))
	if !ok {
		return invalid("authMode is %q; it is Key, AMLToken or AADToken.", arm.String(p, "authMode"))
	}
	if old != nil {
		if was, _ := authMode(arm.String(old.Properties, "authMode")); was != mode {
			return invalid("authMode cannot be changed from %s to %s.", was, mode)
		}
	}
	p["authMode"] = mode
	delete(p, "keys") // keys are made here, and are never in a document
	setDefault(p, "publicNetworkAccess", "Enabled")
	if err := checkTraffic(view, r); err != nil {
		return r, err
	}
	for _, ep := range service.Endpoints(r) {
		p["scoringUri"] = "https://" + ep.Host + "/score"
	}
	setDefault(p, "compute", nil)
	return r, nil
}

func authMode(text string) (string, bool) {
	switch strings.ToLower(strings.ReplaceAll(text, "_", "")) {
	case "", "key":
		return authKey, true
	case "amltoken":
		return authToken, true
	case "aadtoken":
		return authAAD, true
	}
	return "", false
}

// traffic is what share of an endpoint's requests each deployment gets, in percent.
func traffic(r arm.Resource) map[string]int {
	v, _ := arm.Lookup(r.Properties, "traffic")
	m, _ := v.(map[string]any)
	out := make(map[string]int, len(m))
	for name := range m {
		if n := arm.Int(m, name, 0); n > 0 {
			out[name] = n
		}
	}
	return out
}

func checkTraffic(view cloud.View, r arm.Resource) error {
	v, ok := arm.Lookup(r.Properties, "traffic")
	if !ok {
		r.Properties["traffic"] = arm.Object{}
		return nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		return cloud.Errorf(http.StatusBadRequest, "UserError", "traffic must map names of deployments to percentages.")
	}
	sum := 0
	for name := range m {
		n := arm.Int(m, name, -1)
		if n < 0 || n > 100 {
			return cloud.Errorf(http.StatusBadRequest, "UserError", "traffic.%s must be between 0 and 100.", name)
		}
		if _, ok := view.Get(r.ID.Child("deployments", name)); !ok {
			return cloud.Errorf(http.StatusBadRequest, "UserError", "traffic.%s: the endpoint %s has no such deployment.", name, r.Name)
		}
		sum += n
	}
	if sum != 0 && sum != 100 {
		return cloud.Errorf(http.StatusBadRequest, "UserError", "traffic adds up to %d; it must be 100, or 0.", sum)
	}
	return nil
}

func (s *Service) listKeys(_ context.Context, r arm.Resource, _ json.RawMessage) (any, error) {
	if mode, _ := authMode(arm.String(r.Properties, "authMode")); mode != authKey {
		return nil, cloud.Errorf(http.StatusBadRequest, "UserError", "The endpoint %s has no keys: its authMode is %s.", r.Name, mode)
	}
	k, err := s.endpointKeys(r.ID)
	if err != nil {
		return nil, err
	}
	return map[string]string{"primaryKey": k.Primary, "secondaryKey": k.Secondary}, nil
}

func (s *Service) regenerateKeys(_ context.Context, r arm.Resource, body json.RawMessage) (any, error) {
	var ask struct{ KeyType, KeyValue string }
	if len(body) > 0 {
		if err := json.Unmarshal(body, &ask); err != nil {
			return nil, cloud.Errorf(http.StatusBadRequest, "UserError", "The body is not JSON: %v.", err)
		}
	}
	if ask.KeyValue != "" {
		return nil, cloud.Errorf(http.StatusBadRequest, "UserError", "keyValue: keys are made by the service.")
	}
	secondary := strings.EqualFold(ask.KeyType, "Secondary")
	if !secondary && !strings.EqualFold(ask.KeyType, "Primary") {
		return nil, cloud.Errorf(http.StatusBadRequest, "UserError", "keyType is Primary or Secondary.")
	}
	return map[string]any{}, s.renewKey(r.ID, secondary)
}
