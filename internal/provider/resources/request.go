package resources

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/source/diagnostic"
	"github.com/cloister-ml/cloister/source/template"
)

// maxRequest is the largest template with its parameters that ARM takes.
const maxRequest = 4 << 20

// request is the body of a deployment.
type request struct {
	Location   string `json:"location"`
	Properties struct {
		Mode           string          `json:"mode"`
		Template       json.RawMessage `json:"template"`
		TemplateLink   json.RawMessage `json:"templateLink"`
		Parameters     arm.Object      `json:"parameters"`
		ParametersLink json.RawMessage `json:"parametersLink"`
	} `json:"properties"`
}

func invalid(format string, args ...any) error {
	return cloud.Errorf(http.StatusBadRequest, "InvalidTemplate", format, args...)
}

func readRequest(r *http.Request, p path) (request, error) {
	data, err := readBody(r)
	if err != nil {
		return request{}, err
	}
	return parseRequest(data, p)
}

func readBody(r *http.Request) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r.Body, maxRequest+1))
	if err != nil || len(data) > maxRequest {
		return nil, cloud.Errorf(http.StatusRequestEntityTooLarge, "RequestContentTooLarge", "The request content is larger than %d bytes.", maxRequest)
	}
	if !json.Valid(data) {
		data = strict(data)
	}
	return data, nil
}

func parseRequest(data []byte, p path) (request, error) {
	var req request
	if err := json.Unmarshal(data, &req); err != nil {
		return req, cloud.Errorf(http.StatusBadRequest, "InvalidRequestContent", "The request content was invalid and could not be deserialized: it is not a deployment.")
	}
	props := &req.Properties
	if len(props.TemplateLink)+len(props.ParametersLink) > 0 {
		return req, cloud.Errorf(http.StatusBadRequest, "InvalidContentLink", "Unable to download deployment content: the cloud fetches nothing from addresses in requests. Send the template and its parameters in the request, or build them into one file.")
	}
	if len(props.Template) == 0 || string(props.Template) == "null" {
		return req, cloud.Errorf(http.StatusBadRequest, "InvalidDeployment", "The deployment has no template.")
	}
	var text string // a template may also be sent as a string
	if json.Unmarshal(props.Template, &text) == nil {
		props.Template = json.RawMessage(text)
	}
	switch strings.ToLower(props.Mode) {
	case "", "incremental":
		props.Mode = "Incremental"
	case "complete":
		props.Mode = "Complete"
		if p.at.ResourceGroup() == "" {
			return req, cloud.Errorf(http.StatusBadRequest, "InvalidDeploymentMode", "The deployment mode Complete is for resource groups alone.")
		}
	default:
		return req, cloud.Errorf(http.StatusBadRequest, "InvalidDeploymentMode", "The deployment mode '%s' is not Incremental or Complete.", props.Mode)
	}
	if p.at.ResourceGroup() == "" && req.Location == "" {
		return req, cloud.Errorf(http.StatusBadRequest, "LocationRequired", "The location property is required for this definition.")
	}
	return req, nil
}

// expand reads the template of a request, with its parameters.
func (d *deployer) expand(ctx context.Context, caller cloud.Caller, req request, p path) (*template.Deployment, error) {
	values := map[string]any{}
	for name, given := range req.Properties.Parameters {
		object, ok := given.(map[string]any)
		if !ok {
			return nil, invalid("Deployment template validation failed: the value of the parameter '%s' is not an object with the member value.", name)
		}
		if reference, ok := object["reference"]; ok {
			value, err := d.secret(client{ctx, d.cloud.As(caller)}, name, reference)
			if err != nil {
				return nil, err
			}
			values[name] = value
			continue
		}
		values[name] = object["value"]
	}
	location := req.Location
	if group, ok := d.cloud.Get(p.at); ok {
		location = group.Location
	}
	expanded, diags := template.Expand(p.id.Name()+".json", req.Properties.Template, template.Options{
		Parameters: values, RequireParameters: true, Secrets: true, Scope: cmp.Or(p.at, arm.Tenant), Name: p.id.Name(),
		SubscriptionID: p.at.Subscription(), ResourceGroup: p.at.ResourceGroup(), TenantID: d.cloud.Tenant(), Location: location, Now: time.Now().UTC(),
	})
	if expanded == nil || diags.HasErrors() {
		return nil, invalid("Deployment template validation failed: %s", said(diags))
	}
	if unread := expanded.Unread(); len(unread) > 0 {
		return nil, invalid("Deployment template validation failed: %v cannot be deployed.", unread[0])
	}
	return expanded, nil
}

func said(diags diagnostic.Diagnostics) string {
	var out []string
	for _, one := range diags.All() {
		if one.Severity == diagnostic.Error {
			out = append(out, one.String())
		}
	}
	return strings.Join(out, "; ")
}

// hash names a template by its content, as templateHash: a number in decimal.
func hash(text []byte) string {
	sum := sha256.Sum256(text)
	return new(big.Int).SetBytes(sum[:8]).String()
}

// shown are the parameters with their types, without the values of secure ones.
func shown(req request) arm.Object {
	var types struct {
		Parameters map[string]struct {
			Type    string `json:"type"`
			Default any    `json:"defaultValue"`
		} `json:"parameters"`
	}
	if err := json.Unmarshal(req.Properties.Template, &types); err != nil {
		return nil // it has been read before, so it can be
	}
	out := arm.Object{}
	for name, declared := range types.Parameters {
		one := arm.Object{"type": declared.Type}
		if !secure(declared.Type) {
			if declared.Default != nil {
				one["value"] = declared.Default
			}
			for given, v := range req.Properties.Parameters {
				value, ok := v.(map[string]any)
				switch reference, named := value["reference"]; {
				case !ok || !strings.EqualFold(given, name):
				case named:
					one["reference"] = reference
					delete(one, "value")
				default:
					one["value"] = value["value"]
				}
			}
		}
		out[name] = one
	}
	return out
}

func secure(typ string) bool { return strings.HasPrefix(strings.ToLower(typ), "secure") }

// errorObject is an error as a deployment shows it.
func errorObject(err error) arm.Object {
	var e *cloud.Error
	if errors.As(err, &e) {
		return arm.Object{"code": e.Code, "message": e.Message}
	}
	return arm.Object{"code": "DeploymentFailed", "message": fmt.Sprint(err)}
}
