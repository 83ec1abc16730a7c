package resources

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
)

// States of a deployment stack. The last two and stackFailed are final.
const (
	stackDeploying = "deploying"
	stackDenying   = "updatingDenyAssignments"
	stackUnmanages = "deletingResources"
	stackDeleting  = "deleting"
	stackFailed    = "failed"
	stackSucceeded = "succeeded"
)

// Modes of what a stack denies, and what it does with what it manages no more.
const (
	denyNone           = "none"
	denyDelete         = "denyDelete"
	denyWriteAndDelete = "denyWriteAndDelete"
	unmanageDelete     = "delete"
	unmanageDetach     = "detach"
)

// Most that a stack's deny settings exclude.
const (
	maxExcludedPrincipals = 5
	maxExcludedActions    = 200
)

// stack is what is kept of a deployment stack. Values of secure parameters and
// outputs are not among it.
type stack struct {
	ID          arm.ID            `json:"id"`
	Location    string            `json:"location,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
	Description string            `json:"description,omitempty"`
	State       string            `json:"state"`
	Correlation string            `json:"correlation"`
	Begun       time.Time         `json:"begun"`
	Ended       time.Time         `json:"ended,omitzero"`
	Created     time.Time         `json:"created"`
	CreatedBy   string            `json:"createdBy"`
	ChangedBy   string            `json:"changedBy"`
	Deny        denySettings      `json:"deny"`
	Unmanage    unmanage          `json:"unmanage"`
	Deployment  arm.ID            `json:"deployment,omitempty"`
	Template    json.RawMessage   `json:"template"`
	Parameters  arm.Object        `json:"parameters,omitempty"`
	Outputs     any               `json:"outputs,omitempty"`
	Managed     []managed         `json:"managed,omitempty"`
	Detached    []arm.ID          `json:"detached,omitempty"`
	Deleted     []arm.ID          `json:"deleted,omitempty"`
	Failed      []notDone         `json:"failed,omitempty"`
	Error       arm.Object        `json:"error,omitempty"`
}

// managed is a resource of the stack.
type managed struct {
	ID     arm.ID `json:"id"`
	Status string `json:"status"`     // managed, deleteFailed
	Deny   string `json:"denyStatus"` // a mode, notSupported or inapplicable
}

// notDone is a resource that is not as the template or the stack's deletion wants it.
type notDone struct {
	ID    arm.ID     `json:"id"`
	Error arm.Object `json:"error"`
}

// denySettings is what the stack denies on the resources that it manages.
type denySettings struct {
	Mode               string   `json:"mode"`
	ExcludedPrincipals []string `json:"excludedPrincipals,omitempty"`
	ExcludedActions    []string `json:"excludedActions,omitempty"`
	ApplyToChildScopes bool     `json:"applyToChildScopes"`
}

// unmanage is what happens to what the stack manages no more.
type unmanage struct {
	Resources        string `json:"resources"`
	ResourceGroups   string `json:"resourceGroups,omitempty"`
	ManagementGroups string `json:"managementGroups,omitempty"`
}

func (s stack) runs() bool { return s.State != stackSucceeded && s.State != stackFailed }

// maker is the stack's id in the deny assignments that it makes.
func (s stack) maker() string { return arm.StableGUID(s.ID, "deploymentStack") }

// stackRequest is the body of a stack, besides the deployment that is in it.
type stackRequest struct {
	Location   string            `json:"location"`
	Tags       map[string]string `json:"tags"`
	Properties struct {
		Description     string        `json:"description"`
		DeploymentScope string        `json:"deploymentScope"`
		Deny            *denySettings `json:"denySettings"`
		Unmanage        *unmanage     `json:"actionOnUnmanage"`
	} `json:"properties"`
	deployment request
}

func wrongStack(format string, args ...any) error {
	return cloud.Errorf(http.StatusBadRequest, "DeploymentStackInvalidRequest", format, args...)
}

func readStack(r *http.Request, p path) (stackRequest, error) {
	var req stackRequest
	data, err := readBody(r)
	if err != nil {
		return req, err
	}
	if req.deployment, err = parseRequest(data, p); err != nil {
		return req, err
	}
	if err := json.Unmarshal(data, &req); err != nil {
		return req, cloud.Errorf(http.StatusBadRequest, "InvalidRequestContent", "The request content was invalid and could not be deserialized: it is not a deployment stack.")
	}
	props := req.Properties
	if props.Deny == nil || props.Unmanage == nil {
		return req, wrongStack("The deployment stack '%s' needs the properties denySettings and actionOnUnmanage.", p.id.Name())
	}
	if at := arm.ID(props.DeploymentScope); at != "" && !at.Equal(p.at) {
		return req, wrongStack("The deployment scope '%s' is not the resource group of the stack.", at)
	}
	if err := props.Deny.check(); err != nil {
		return req, err
	}
	return req, props.Unmanage.check()
}

// check spells the settings as they are kept, with the actions that a mode never denies.
//
// Source: Azure REST API reference, "Deployment Stacks", DenySettings.
func (s *denySettings) check() error {
	var ok bool
	if s.Mode, ok = spelled(s.Mode, denyNone, denyDelete, denyWriteAndDelete); !ok {
		return wrongStack("denySettings.mode '%s' is not none, denyDelete or denyWriteAndDelete.", s.Mode)
	}
	if len(s.ExcludedPrincipals) > maxExcludedPrincipals || len(s.ExcludedActions) > maxExcludedActions {
		return wrongStack("denySettings exclude at most %d principals and %d actions.", maxExcludedPrincipals, maxExcludedActions)
	}
	for _, id := range s.ExcludedPrincipals {
		if _, err := uuid.Parse(id); err != nil {
			return wrongStack("denySettings.excludedPrincipals has '%s', which is not the object id of a principal.", id)
		}
	}
	return nil
}

// notDenied are the actions that are excluded, those that a mode adds among them.
func (s denySettings) notDenied() []string {
	out := slices.Clone(s.ExcludedActions)
	add := []string{"Microsoft.Authorization/locks/delete"}
	if s.Mode == denyWriteAndDelete {
		add = append([]string{"*/read"}, add...)
	}
	for _, action := range add {
		if !slices.ContainsFunc(out, func(given string) bool { return strings.EqualFold(given, action) }) {
			out = append(out, action)
		}
	}
	return out
}

// denied are the actions that the mode denies.
func (s denySettings) denied() string {
	if s.Mode == denyDelete {
		return "*/delete"
	}
	return "*"
}

func (u *unmanage) check() error {
	for _, one := range []*string{&u.Resources, &u.ResourceGroups, &u.ManagementGroups} {
		if *one == "" && one != &u.Resources {
			*one = unmanageDetach
		}
		var ok bool
		if *one, ok = spelled(*one, unmanageDelete, unmanageDetach); !ok {
			return wrongStack("actionOnUnmanage has '%s', which is not delete or detach.", *one)
		}
	}
	return nil
}

// spelled is a name as it is known, in whatever case it was written.
func spelled(given string, known ...string) (string, bool) {
	for _, name := range known {
		if strings.EqualFold(given, name) {
			return name, true
		}
	}
	return given, false
}

// show is a stack as GET answers it.
func (s stack) show() arm.Object {
	end := s.Ended
	if end.IsZero() {
		end = now()
	}
	ids := func(list []arm.ID) []arm.Object {
		out := []arm.Object{}
		for _, id := range list {
			out = append(out, arm.Object{"id": string(id)})
		}
		return out
	}
	props := arm.Object{
		"provisioningState": s.State, "correlationId": s.Correlation, "duration": duration(end.Sub(s.Begun)), "deploymentScope": string(s.ID.Parent()),
		"denySettings": s.Deny, "actionOnUnmanage": s.Unmanage, "resources": s.Managed, "bypassStackOutOfSyncError": false,
		"detachedResources": ids(s.Detached), "deletedResources": ids(s.Deleted), "failedResources": s.Failed,
	}
	if s.Managed == nil {
		props["resources"] = []managed{}
	}
	if s.Failed == nil {
		props["failedResources"] = []notDone{}
	}
	for name, value := range map[string]any{"description": s.Description, "deploymentId": string(s.Deployment)} {
		if value != "" {
			props[name] = value
		}
	}
	if s.Parameters != nil {
		props["parameters"] = s.Parameters
	}
	if s.Outputs != nil {
		props["outputs"] = s.Outputs
	}
	if s.Error != nil {
		props["error"] = s.Error
	}
	body := arm.Object{
		"id": string(s.ID), "name": s.ID.Name(), "type": TypeStack, "properties": props, "tags": s.Tags,
		"systemData": arm.Object{
			"createdAt": s.Created.Format(time.RFC3339Nano), "createdBy": s.CreatedBy, "lastModifiedAt": s.Begun.Format(time.RFC3339Nano), "lastModifiedBy": s.ChangedBy,
		},
	}
	if s.Location != "" {
		body["location"] = s.Location
	}
	return body
}
