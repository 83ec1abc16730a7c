package image

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/compression"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/zstd"
)

// Image is an OCI image whose layers are the folders given, lowest first. A
// folder's archive is made once and kept beside it.
func (c Cache) Image(ctx context.Context, dirs []string, env []string) (v1.Image, error) {
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, dir := range dirs {
		layer, err := c.layer(ctx, dir)
		if err != nil {
			return nil, err
		}
		if img, err = mutate.AppendLayers(img, layer); err != nil {
			return nil, fmt.Errorf("adding the layer %s: %w", filepath.Base(dir), err)
		}
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Config.Env = "linux", env
	return mutate.ConfigFile(img, config)
}

func (c Cache) layer(ctx context.Context, dir string) (v1.Layer, error) {
	archive := dir + ".tar.zst"
	if _, err := os.Stat(archive); err != nil {
		if err := writeArchive(ctx, archive, dir); err != nil {
			return nil, fmt.Errorf("archiving %s: %w", filepath.Base(dir), err)
		}
	}
	return tarball.LayerFromFile(archive, tarball.WithMediaType(types.OCILayerZStd), tarball.WithCompression(compression.ZStd))
}

// writeArchive writes dir as a compressed tar file, beside its place first.
func writeArchive(ctx context.Context, archive, dir string) error {
	f, err := os.CreateTemp(filepath.Dir(archive), ".making-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	zw, err := zstd.NewWriter(f)
	if err != nil {
		return err
	}
	if err := errors.Join(writeTar(ctx, zw, dir), zw.Close()); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), archive)
}

func writeTar(ctx context.Context, w io.Writer, dir string) error {
	tw := tar.NewWriter(w)
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil || rel == "." {
			return err
		}
		return writeEntry(tw, path, rel, entry)
	})
	if err != nil {
		return err
	}
	return tw.Close()
}

// writeEntry writes one file, folder or link; devices and sockets, which a
// sandbox has its own of, are left out.
func writeEntry(tw *tar.Writer, path, rel string, entry fs.DirEntry) error {
	info, err := entry.Info()
	if err != nil {
		return err
	}
	var link string
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		if link, err = os.Readlink(path); err != nil {
			return err
		}
	case !info.Mode().IsRegular() && !info.IsDir():
		return nil
	}
	header, err := tar.FileInfoHeader(info, link)
	if err != nil {
		return err
	}
	header.Name, header.Uname, header.Gname = rel, "", ""
	if info.IsDir() {
		header.Name += "/"
	}
	if err := tw.WriteHeader(header); err != nil || !info.Mode().IsRegular() {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(tw, f)
	return err
}
