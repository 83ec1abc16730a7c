package machinelearning

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/asset"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/schedule"
)

const maxBody = 4 << 20

func itoa(n int) string { return strconv.Itoa(n) }

// child is a request for a child of a workspace: jobs/{name}/cancel.
type child struct {
	w    workspace
	r    *http.Request
	kind string   // jobs, models, ...
	path []string // what follows it
}

// serveChildren answers for the workspace's children that are no documents of
// the control plane. It has authenticated and authorised the caller.
func (s *Service) serveChildren(w http.ResponseWriter, r *http.Request) {
	c, err := s.child(r)
	if err != nil {
		cloud.WriteError(w, err)
		return
	}
	switch c.kind {
	case "jobs":
		err = s.serveJobs(w, c)
	case "models":
		err = s.serveModels(w, c)
	case "datastores":
		err = s.serveDatastores(w, c)
	default:
		err = s.serveAssets(w, c)
	}
	if err != nil {
		s.fail(w, r, err)
	}
}

// fail answers with an error; one that is not for the client goes to the log.
func (s *Service) fail(w http.ResponseWriter, r *http.Request, err error) {
	err = known(err)
	var e *cloud.Error
	if !errors.As(err, &e) && r.Context().Err() == nil {
		s.host.Log().Error("machine learning request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	cloud.WriteError(w, err)
}

// known gives the errors of the stores their HTTP form.
func known(err error) error {
	switch {
	case errors.Is(err, schedule.ErrNotFound), errors.Is(err, asset.ErrNotFound), errors.Is(err, ErrNoModel):
		return cloud.Errorf(http.StatusNotFound, "UserError", "Not found: %v.", err)
	case errors.Is(err, schedule.ErrExists), errors.Is(err, asset.ErrDiffers):
		return cloud.Errorf(http.StatusConflict, "UserError", "Conflict: %v.", err)
	}
	return err
}

func (s *Service) child(r *http.Request) (child, error) {
	path := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	// subscriptions/S/resourceGroups/G/providers/Microsoft.MachineLearningServices/workspaces/W/{kind}/...
	const before = 8
	if len(path) <= before {
		return child{}, cloud.Errorf(http.StatusNotFound, "NotFound", "There is nothing at this path.")
	}
	w, err := s.workspaceOf(arm.ID("/" + strings.Join(path[:before], "/")))
	return child{w: w, r: r, kind: strings.ToLower(path[before]), path: path[before+1:]}, err
}

func (c child) id(parts ...string) string {
	return string(c.w.ID) + "/" + c.kind + "/" + strings.Join(parts, "/")
}

// body is the request's {"properties": {...}}.
func (c child) body() (properties json.RawMessage, err error) {
	data, err := io.ReadAll(io.LimitReader(c.r.Body, maxBody+1))
	if err != nil {
		return nil, cloud.Errorf(http.StatusBadRequest, "BadRequest", "The body could not be read.")
	}
	if len(data) > maxBody {
		return nil, cloud.Errorf(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "The body is larger than %d bytes.", maxBody)
	}
	var doc struct {
		Properties json.RawMessage `json:"properties"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, cloud.Errorf(http.StatusBadRequest, "InvalidRequestContent", "The body is not JSON: %v.", err)
	}
	if len(doc.Properties) == 0 || doc.Properties[0] != '{' {
		return nil, cloud.Errorf(http.StatusBadRequest, "InvalidRequestContent", "The body has no properties.")
	}
	return doc.Properties, nil
}

// author is who made the request, as systemData shows it.
func (c child) author() string {
	caller := cloud.CallerFrom(c.r.Context())
	switch {
	case caller.Name != "":
		return caller.Name
	case caller.Resource != "":
		return caller.Resource.Name()
	}
	return caller.ObjectID
}

func systemData(author string, created, modified time.Time) map[string]any {
	const layout = "2006-01-02T15:04:05.0000000Z"
	return map[string]any{
		"createdAt": created.UTC().Format(layout), "createdBy": author, "createdByType": "Application",
		"lastModifiedAt": modified.UTC().Format(layout), "lastModifiedBy": author, "lastModifiedByType": "Application",
	}
}

// document is a REST resource.
func (c child) document(id, name string, properties, system any) map[string]any {
	return map[string]any{"id": id, "name": name, "type": arm.ID(id).Type(), "properties": properties, "systemData": system}
}

// writeList answers one page of a list. $top and $skip bound it; nextLink leads on.
func (c child) writeList(w http.ResponseWriter, all []any) {
	const page = 100
	q := c.r.URL.Query()
	skip, top := number(q, "$skip", 0), number(q, "$top", page)
	skip = min(max(skip, 0), len(all))
	end := min(skip+min(max(top, 1), page), len(all))
	out := map[string]any{"value": append([]any{}, all[skip:end]...)}
	if end < len(all) && !q.Has("$top") {
		q.Set("$skip", itoa(end))
		out["nextLink"] = "https://management.azure.com" + c.r.URL.EscapedPath() + "?" + q.Encode()
	}
	cloud.WriteJSON(w, http.StatusOK, out)
}

func number(q url.Values, key string, def int) int {
	n, err := strconv.Atoi(q.Get(key))
	if err != nil {
		return def
	}
	return n
}

func (c child) notAllowed() error {
	return cloud.Errorf(http.StatusMethodNotAllowed, "MethodNotAllowed", "%s is not possible here.", c.r.Method)
}

func (c child) nothingHere() error {
	return cloud.Errorf(http.StatusNotFound, "NotFound", "There is nothing at %s.", c.r.URL.Path)
}

func created(isNew bool) int {
	if isNew {
		return http.StatusCreated
	}
	return http.StatusOK
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
