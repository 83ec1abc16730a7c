package daemon

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/acr"
	"github.com/cloister-ml/cloister/internal/image"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning"
)

// builder builds environment images of the base root and Python packages, and
// pushes them as the workspace.
type builder struct{ d *Daemon }

var _ machinelearning.Images = builder{}

// Build implements machinelearning.Images.
func (b builder) Build(ctx context.Context, r machinelearning.ImageRequest, log io.Writer) (string, error) {
	dirs, err := b.layers(ctx, r.Definition, log)
	if err != nil {
		return "", err
	}
	img, err := b.d.cache.Image(ctx, dirs, []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"})
	if err != nil {
		return "", err
	}
	digest, err := img.Digest()
	if err != nil {
		return "", err
	}
	ref, err := name.NewDigest(r.Registry+"/"+r.Repository+"@"+digest.String(), name.StrictValidation)
	if err != nil {
		return "", err
	}
	fmt.Fprintln(log, "pushing", ref)
	if err := remote.Write(ref, img, b.d.registryOptions(ctx, r.Workspace)...); err != nil {
		return "", fmt.Errorf("pushing %s: %w", ref, err)
	}
	return ref.String(), nil
}

func (b builder) layers(ctx context.Context, def machinelearning.EnvironmentDefinition, log io.Writer) ([]string, error) {
	repository, _, _ := strings.Cut(def.Image, ":")
	switch {
	case def.Build != "":
		return nil, fmt.Errorf("the environment %s has a build context: only 'image: %s' with a conda_file is built here", def.Name, image.BaseName)
	case repository != image.BaseName:
		return nil, fmt.Errorf("the environment %s begins with the image %q, which is on no registry of this cloud: use %s", def.Name, def.Image, image.BaseName)
	}
	base, err := b.d.cache.Base(ctx)
	if err != nil || len(def.Packages) == 0 {
		return []string{base}, err
	}
	fmt.Fprintln(log, "installing", strings.Join(def.Packages, ", "))
	python, err := b.d.cache.Python(ctx, base, def.Packages)
	return []string{base, python}, err
}

// registryOptions call registries as a resource's managed identity, from within.
func (d *Daemon) registryOptions(ctx context.Context, as arm.ID) []remote.Option {
	client := d.cloud.Client(as)
	return []remote.Option{
		remote.WithContext(ctx),
		remote.WithTransport(client.Transport),
		remote.WithAuthFromKeychain(acr.Keychain(client, func(ctx context.Context) (string, error) {
			return d.cloud.Token(ctx, as, acr.Audience)
		})),
	}
}

// machineLayers is the root of virtual machines: the base, and the packages that
// the project's machines have.
func (d *Daemon) machineLayers(ctx context.Context) ([]string, error) {
	base, err := d.cache.Base(ctx)
	if err != nil {
		return nil, err
	}
	packages, err := d.machinePackages()
	if err != nil || len(packages) == 0 {
		return []string{base}, err
	}
	python, err := d.cache.Python(ctx, base, packages)
	return []string{base, python}, err
}
