package image

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"golang.org/x/sync/errgroup"
)

// maxLayer bounds what one layer may unpack to, so that a small archive cannot
// fill the disk.
const maxLayer = 16 << 30

// Store keeps the layers of pulled images, unpacked, one folder a digest. Several
// processes may use one store.
type Store struct {
	Dir string
}

// Pulled is an image that is on this machine.
type Pulled struct {
	Layers  []string // folders, lowest first
	Env     []string // of the image's configuration
	Fetched int      // layers that were downloaded now; the others were here
}

// Pull fetches the image ref, layer by layer, those that are missing here only.
// Digests are verified on the way.
func (s Store) Pull(ctx context.Context, ref string, options ...remote.Option) (Pulled, error) {
	r, err := name.ParseReference(ref, name.StrictValidation)
	if err != nil {
		return Pulled{}, fmt.Errorf("pulling an image: %w", err)
	}
	img, err := remote.Image(r, append(options, remote.WithContext(ctx))...)
	if err != nil {
		return Pulled{}, fmt.Errorf("pulling %s: %w", ref, err)
	}
	layers, err := img.Layers()
	if err != nil {
		return Pulled{}, fmt.Errorf("pulling %s: %w", ref, err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		return Pulled{}, fmt.Errorf("pulling %s: %w", ref, err)
	}
	out := Pulled{Env: config.Config.Env, Layers: make([]string, len(layers))}
	fetched := make([]bool, len(layers))
	var g errgroup.Group
	for i, layer := range layers {
		g.Go(func() (err error) {
			out.Layers[i], fetched[i], err = s.unpack(layer)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return Pulled{}, fmt.Errorf("pulling %s: %w", ref, err)
	}
	for _, f := range fetched {
		if f {
			out.Fetched++
		}
	}
	return out, nil
}

func (s Store) unpack(layer v1.Layer) (dir string, fetched bool, err error) {
	digest, err := layer.Digest()
	if err != nil {
		return "", false, err
	}
	dir = filepath.Join(s.Dir, digest.Hex)
	c := Cache{Dir: s.Dir}
	err = c.once(dir, "", func(tmp string) error {
		fetched = true
		r, err := layer.Uncompressed()
		if err != nil {
			return err
		}
		defer r.Close()
		if err := untar(r, tmp, maxLayer); err != nil {
			return fmt.Errorf("unpacking the layer %s: %w", digest, err)
		}
		_, err = io.Copy(io.Discard, r) // to the end, where the digest is verified
		return err
	})
	return dir, fetched, err
}
