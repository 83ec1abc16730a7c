package machinelearning

import (
	"encoding/json"
	"net/http"
	"regexp"
	"time"

	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/asset"
)

var assetName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$`)

// serveAssets answers for environments, codes, components and data:
//
//	{kind}                          the containers
//	{kind}/{name}                   one container
//	{kind}/{name}/versions          its versions
//	{kind}/{name}/versions/{v}      one version
func (s *Service) serveAssets(w http.ResponseWriter, c child) error {
	switch {
	case len(c.path) == 0:
		return s.listContainers(w, c)
	case len(c.path) == 1:
		return s.serveContainer(w, c)
	case len(c.path) == 2 && c.path[1] == "versions":
		return s.listVersions(w, c)
	case len(c.path) == 3 && c.path[1] == "versions":
		return s.serveVersion(w, c)
	}
	return c.nothingHere()
}

func (s *Service) listContainers(w http.ResponseWriter, c child) error {
	if c.r.Method != http.MethodGet {
		return c.notAllowed()
	}
	all, err := s.assets.List(c.r.Context(), c.w.ID, c.kind, "")
	if err != nil {
		return err
	}
	out, seen := []any{}, map[string]bool{}
	for _, v := range all {
		if !seen[v.Name] {
			seen[v.Name] = true
			out = append(out, c.container(v.Name, all))
		}
	}
	c.writeList(w, out)
	return nil
}

// container describes an asset by its versions, newest first; those of others
// among them are passed over.
func (c child) container(name string, all []asset.Version) map[string]any {
	var labels []string
	var newest, oldest asset.Version
	for _, v := range all {
		if v.Name != name {
			continue
		}
		if labels == nil {
			newest = v
		}
		oldest = v
		labels = append(labels, v.Label)
	}
	props := map[string]any{
		"description": nil, "tags": map[string]any{}, "properties": map[string]any{}, "isArchived": false,
		"latestVersion": newest.Label, "nextVersion": asset.Next(labels), "provisioningState": "Succeeded",
	}
	if c.kind == asset.Data {
		props["dataType"] = field(newest.Properties, "dataType")
	}
	return c.document(c.id(name), name, props, systemData(oldest.Author, oldest.Created, newest.Modified))
}

func (s *Service) serveContainer(w http.ResponseWriter, c child) error {
	all, err := s.assets.List(c.r.Context(), c.w.ID, c.kind, c.path[0])
	if err != nil {
		return err
	}
	switch c.r.Method {
	case http.MethodGet:
		if len(all) == 0 {
			return cloud.Errorf(http.StatusNotFound, "UserError", "The %s %s was not found in the workspace %s.", c.kind, c.path[0], c.w.Name)
		}
		cloud.WriteJSON(w, http.StatusOK, c.container(all[0].Name, all))
		return nil
	case http.MethodDelete:
		found, err := s.assets.Delete(c.r.Context(), c.w.ID, c.kind, c.path[0], "")
		if err == nil {
			w.WriteHeader(deleted(found))
		}
		return err
	}
	return c.notAllowed()
}

func deleted(found bool) int {
	if found {
		return http.StatusOK
	}
	return http.StatusNoContent
}

func (s *Service) listVersions(w http.ResponseWriter, c child) error {
	if c.r.Method != http.MethodGet {
		return c.notAllowed()
	}
	all, err := s.assets.List(c.r.Context(), c.w.ID, c.kind, c.path[0])
	if err != nil {
		return err
	}
	out := []any{}
	hash := c.r.URL.Query().Get("hash")
	for _, v := range all {
		if hash != "" && hash != codeHash(v.Properties) {
			continue
		}
		out = append(out, c.version(v))
	}
	c.writeList(w, out)
	return nil
}

// codeHash is the content hash that a client gave to a code version.
func codeHash(properties json.RawMessage) any {
	inner, _ := field(properties, "properties").(map[string]any)
	return inner["hash_sha256"]
}

func (s *Service) serveVersion(w http.ResponseWriter, c child) error {
	name, label := c.path[0], c.path[2]
	switch c.r.Method {
	case http.MethodGet:
		v, err := s.assets.Get(c.r.Context(), c.w.ID, c.kind, name, label)
		if err != nil {
			return err
		}
		cloud.WriteJSON(w, http.StatusOK, c.version(v))
		return nil
	case http.MethodPut:
		return s.putVersion(w, c, name, label)
	case http.MethodDelete:
		found, err := s.assets.Delete(c.r.Context(), c.w.ID, c.kind, name, label)
		if err == nil {
			w.WriteHeader(deleted(found))
		}
		return err
	}
	return c.notAllowed()
}

func (s *Service) putVersion(w http.ResponseWriter, c child, name, label string) error {
	if !assetName.MatchString(name) || !assetName.MatchString(label) {
		return cloud.Errorf(http.StatusBadRequest, "UserError", "%q version %q: names and versions have letters, digits, '_', '.' and '-'.", name, label)
	}
	body, err := c.body()
	if err != nil {
		return err
	}
	if err := checkAsset(c.kind, body); err != nil {
		return err
	}
	v, isNew, err := s.assets.Put(c.r.Context(), asset.Version{
		Workspace: c.w.ID, Kind: c.kind, Name: name, Label: label, Properties: body, Author: c.author(),
	}, time.Now())
	if err != nil {
		return err
	}
	cloud.WriteJSON(w, created(isNew), c.version(v))
	return nil
}

// checkAsset says what is wrong with a version's properties.
func checkAsset(kind string, body json.RawMessage) error {
	missing := func(what string) error {
		return cloud.Errorf(http.StatusBadRequest, "UserError", "properties.%s is missing.", what)
	}
	text := func(key string) string { s, _ := field(body, key).(string); return s }
	switch kind {
	case asset.Environments:
		if text("image") == "" && field(body, "build") == nil {
			return missing("image (or build)")
		}
		if conda := text("condaFile"); conda != "" {
			if _, _, err := condaPackages(conda); err != nil {
				return cloud.Errorf(http.StatusBadRequest, "UserError", "condaFile: %v.", err)
			}
		}
	case asset.Codes:
		if text("codeUri") == "" {
			return missing("codeUri")
		}
	case asset.Data:
		if text("dataUri") == "" {
			return missing("dataUri")
		}
	case asset.Components:
		if _, ok := field(body, "componentSpec").(map[string]any); !ok {
			return missing("componentSpec")
		}
	}
	return nil
}

// field is a top-level value of a JSON object.
func field(raw json.RawMessage, key string) any {
	var m map[string]any
	if json.Unmarshal(raw, &m) != nil {
		return nil
	}
	return m[key]
}

// version is a version's document. Clients read these fields without asking
// whether they are there.
func (c child) version(v asset.Version) map[string]any {
	props := map[string]any{"description": nil, "tags": map[string]any{}, "properties": map[string]any{}, "isArchived": false, "isAnonymous": false}
	var given map[string]any
	if json.Unmarshal(v.Properties, &given) == nil {
		for k, val := range given {
			if val != nil {
				props[k] = val
			}
		}
	}
	props["provisioningState"] = "Succeeded"
	switch v.Kind {
	case asset.Environments:
		props["environmentType"] = "UserCreated"
		if props["osType"] == nil {
			props["osType"] = "Linux"
		}
	case asset.Components:
		if spec, ok := props["componentSpec"].(map[string]any); ok {
			if spec["name"] == nil {
				spec["name"] = v.Name
			}
			if spec["version"] == nil {
				spec["version"] = v.Label
			}
		}
	}
	return c.document(c.id(v.Name, "versions", v.Label), v.Label, props, systemData(v.Author, v.Created, v.Modified))
}
