package machinelearning

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/cloister-ml/cloister/internal/provider/machinelearning/asset"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/datastore"
)

// environmentOf finds an environment version by the id or name that a job gives.
func (s *Service) environmentOf(ctx context.Context, w workspace, name string) (asset.Version, error) {
	if strings.HasPrefix(name, "azureml://registries/") {
		return asset.Version{}, userError("environment %q is in a registry outside this cloud; define it in the workspace.", name)
	}
	u, err := datastore.ParseURI(name)
	if err != nil {
		return asset.Version{}, userError("environment: %v", err)
	}
	if u.ID != "" {
		typ := ""
		if u, err = assetOfID(w, u.ID, &typ); err != nil {
			return asset.Version{}, err
		}
	}
	if u.Asset == "" {
		return asset.Version{}, userError("environment: %q is not an environment version.", name)
	}
	return s.assets.Get(ctx, w.ID, asset.Environments, u.Asset, u.Version)
}

// definition reads what an environment version says about its image.
func (s *Service) definition(ctx context.Context, w workspace, v asset.Version) (EnvironmentDefinition, error) {
	var p struct {
		Image, CondaFile string
		Build            struct{ ContextURI, DockerfilePath string }
	}
	if err := json.Unmarshal(v.Properties, &p); err != nil {
		return EnvironmentDefinition{}, fmt.Errorf("environment %s:%s: %w", v.Name, v.Label, err)
	}
	def := EnvironmentDefinition{Name: v.Name, Version: v.Label, Image: p.Image, CondaFile: p.CondaFile}
	if p.CondaFile != "" {
		var err error
		if def.Packages, def.Python, err = condaPackages(p.CondaFile); err != nil {
			return def, fmt.Errorf("environment %s:%s: %w", v.Name, v.Label, err)
		}
	}
	if p.Build.ContextURI != "" {
		at, err := s.locate(ctx, w, p.Build.ContextURI, "")
		if err != nil {
			return def, err
		}
		def.Build, def.Dockerfile = at.URL(), p.Build.DockerfilePath
	}
	return def, nil
}

// hash of what decides an image; the environment's name does not.
func (d EnvironmentDefinition) hash() string {
	d.Name, d.Version = "", ""
	if len(d.Packages) > 0 || d.Python != "" {
		d.CondaFile = "" // its comments and order of keys decide nothing
	}
	data, err := json.Marshal(d)
	if err != nil {
		panic(err) // a struct of strings
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16])
}

var condaEquals = regexp.MustCompile(`^([A-Za-z0-9_.\[\]-]+)\s*=\s*([^=\s]+)(=.*)?$`)

// condaPackages reads the pip requirements and the Python version of a conda
// file. Conda's own packages are asked of pip by the same name.
func condaPackages(text string) (packages []string, python string, err error) {
	var file struct {
		Dependencies []any `yaml:"dependencies"`
	}
	if err := yaml.Unmarshal([]byte(text), &file); err != nil {
		return nil, "", fmt.Errorf("it is not YAML: %w", err)
	}
	for _, dep := range file.Dependencies {
		switch dep := dep.(type) {
		case string:
			name := strings.TrimSpace(dep)
			if m := condaEquals.FindStringSubmatch(name); m != nil {
				name = m[1] + "==" + m[2]
			}
			switch base := strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune("=<>!~ ", r) }); {
			case len(base) == 0, base[0] == "pip":
			case base[0] == "python":
				python = strings.TrimLeft(name[len("python"):], "=<>~! ")
			default:
				packages = append(packages, name)
			}
		case map[string]any:
			list, _ := dep["pip"].([]any)
			for _, p := range list {
				if s, ok := p.(string); ok && strings.TrimSpace(s) != "" {
					packages = append(packages, strings.TrimSpace(s))
				}
			}
		default:
			return nil, "", fmt.Errorf("the dependency %v is neither a name nor a pip list", dep)
		}
	}
	return packages, python, nil
}

// image gives the image of an environment, which is built the first time.
func (s *Service) image(ctx context.Context, w workspace, name string, log io.Writer) (string, error) {
	v, err := s.environmentOf(ctx, w, name)
	if err != nil {
		return "", err
	}
	def, err := s.definition(ctx, w, v)
	if err != nil {
		return "", err
	}
	hash := def.hash()
	key := hash + "@" + w.Registry // another registry does not have what this one has
	release, err := s.buildTurn(ctx, w, hash)
	if err != nil {
		return "", err
	}
	defer release()
	ref, err := s.assets.Image(ctx, w.ID, key)
	if err != nil || ref != "" {
		return ref, err
	}
	if s.options.Images == nil {
		return "", fmt.Errorf("this cloud builds no images")
	}
	if w.Registry == "" {
		return "", fmt.Errorf("the workspace %s has no container registry to keep the image of %s:%s in", w.Name, v.Name, v.Label)
	}
	ref, err = s.options.Images.Build(ctx, ImageRequest{Workspace: w.ID, Registry: w.Registry, Repository: "azureml/azureml_" + hash, Definition: def}, log)
	if err != nil {
		return "", fmt.Errorf("building the image of the environment %s:%s: %w", v.Name, v.Label, err)
	}
	return ref, s.assets.SetImage(ctx, w.ID, key, ref)
}

// buildTurn lets one caller at a time build an image.
func (s *Service) buildTurn(ctx context.Context, w workspace, hash string) (release func(), err error) {
	return s.builds.acquire(ctx, w.ID.Key()+"#"+hash)
}
