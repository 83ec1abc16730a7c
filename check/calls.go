package check

import (
	"strings"

	"github.com/cloister-ml/cloister/service"
)

// Auth is how a call proves who asks.
type Auth string

const (
	AuthNone  Auth = "none"  // the service asks for no identity
	AuthToken Auth = "token" // any valid token will do
	AuthRole  Auth = "role"  // a token and the role to do the action
	AuthOther Auth = "other" // something that is not a managed identity's to have
)

// Call is the read that stands for a service: what a probe sends and what the
// proof says about it.
type Call struct {
	Method   string            `json:"method"`
	Path     string            `json:"path"`
	Audience string            `json:"audience,omitempty"` // of the token
	Auth     Auth              `json:"auth"`
	Action   string            `json:"action,omitempty"` // with AuthRole: what the role must allow at the service's resource
	Data     bool              `json:"data,omitempty"`   // the action is a data action
	Header   map[string]string `json:"header,omitempty"`
}

// Actions that requirements and calls ask for.
const (
	actionListContainers = "Microsoft.Storage/storageAccounts/blobServices/containers/read"
	actionWriteBlob      = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write"
	actionListSecrets    = "Microsoft.KeyVault/vaults/secrets/readMetadata/action"
	actionGetSecret      = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
	actionSetSecret      = "Microsoft.KeyVault/vaults/secrets/setSecret/action"
	actionPull           = "Microsoft.ContainerRegistry/registries/pull/read"
	actionReadModels     = "Microsoft.MachineLearningServices/workspaces/models/read"
	actionWriteRun       = "Microsoft.MachineLearningServices/workspaces/experiments/runs/write"
	actionSubmitJob      = "Microsoft.MachineLearningServices/workspaces/jobs/write"
)

// ownID stands in a path for the id of the service's resource.
const ownID = "{id}"

// calls are keyed by service.Endpoint.Service. A service that is not here is
// resolved and connected to, and not called.
var calls = map[string]Call{
	"blob": {
		Method: "GET", Path: "/?comp=list", Audience: "https://storage.azure.com", Auth: AuthRole,
		Action: actionListContainers, Header: map[string]string{"x-ms-version": "2021-12-02"},
	},
	"vault": {
		Method: "GET", Path: "/secrets?api-version=7.4", Audience: "https://vault.azure.net", Auth: AuthRole,
		Action: actionListSecrets, Data: true,
	},
	// The registry takes no Entra token itself: the caller exchanges it at
	// /oauth2/exchange and /oauth2/token for one of the registry's own.
	"registry": {
		Method: "GET", Path: "/v2/_catalog", Audience: "https://containerregistry.azure.net", Auth: AuthRole, Action: actionPull,
	},
	"api": {
		Method: "GET", Path: "/mlflow/v1.0" + ownID + "/api/2.0/mlflow/registered-models/search", Audience: "https://ml.azure.com",
		Auth: AuthRole, Action: actionReadModels,
	},
	"arm": {
		Method: "GET", Path: "/subscriptions?api-version=2022-12-01", Audience: "https://management.azure.com", Auth: AuthToken,
	},
	"login":         {Method: "GET", Path: "/common/v2.0/.well-known/openid-configuration", Auth: AuthNone},
	"devops":        {Method: "GET", Path: "/_apis/connectionData", Auth: AuthOther},
	"agentpackages": {Method: "GET", Path: "/", Auth: AuthNone},
	"insights":      {Method: "GET", Path: "/", Auth: AuthNone},
}

// CallFor is the read that stands for the service of an endpoint.
func CallFor(ep service.Endpoint) (Call, bool) {
	c, ok := calls[ep.Service]
	c.Path = strings.Replace(c.Path, ownID, string(ep.Resource), 1)
	return c, ok
}
