package mlclient

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"

	"github.com/cloister-ml/cloister/internal/mlclient/spec"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/datastore"
)

const blobStore = "workspaceblobstore"

// folder is a local file or folder on its way to the workspace.
type folder struct {
	path  string
	isDir bool
	files []string // slash-separated; of a file its name
	sizes map[string]int64
	hash  string // of names and contents
}

// scan reads a file or folder; ignored files of a folder are left out when code
// is set.
func scan(path string, code bool) (folder, error) {
	info, err := os.Stat(path)
	if err != nil {
		return folder{}, err
	}
	f := folder{path: path, isDir: info.IsDir(), sizes: map[string]int64{}}
	if !f.isDir {
		f.files = []string{filepath.Base(path)}
		f.sizes[f.files[0]] = info.Size()
		f.path = filepath.Dir(path)
		return f, f.sum()
	}
	var ig ignore
	if code {
		if ig, err = readIgnore(path); err != nil {
			return folder{}, err
		}
	}
	err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(path, p)
		if err != nil || rel == "." {
			return err
		}
		rel = filepath.ToSlash(rel)
		switch {
		case d.IsDir() && ig.ignored(rel+"/x"):
			return filepath.SkipDir
		case !d.Type().IsRegular() || ig.ignored(rel):
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		f.files = append(f.files, rel)
		f.sizes[rel] = info.Size()
		return nil
	})
	if err != nil {
		return folder{}, err
	}
	if len(f.files) == 0 {
		return folder{}, fmt.Errorf("the folder %s has no files to upload", path)
	}
	sort.Strings(f.files)
	return f, f.sum()
}

// sum computes the hash.
func (f *folder) sum() error {
	h := sha256.New()
	for _, rel := range f.files {
		fmt.Fprintf(h, "%s\x00%d\x00", rel, f.sizes[rel])
		file, err := os.Open(filepath.Join(f.path, filepath.FromSlash(rel)))
		if err != nil {
			return err
		}
		_, err = io.Copy(h, file)
		if err := errors.Join(err, file.Close()); err != nil {
			return err
		}
	}
	f.hash = hex.EncodeToString(h.Sum(nil))
	return nil
}

// store is the workspace's default datastore.
func (c *Client) store(ctx context.Context) (datastore.Blob, error) {
	d, err := c.get(ctx, c.under("datastores", blobStore))
	if err != nil {
		return datastore.Blob{}, fmt.Errorf("reading the datastore %s: %w", blobStore, err)
	}
	return datastore.Blob{Account: d.Text("accountName"), Container: d.Text("containerName")}, nil
}

// upload brings a file or folder to the default datastore, under its hash, unless
// it is there. It gives the azureml:// URI, which for a folder ends with a slash.
func (c *Client) upload(ctx context.Context, f folder) (uri string, err error) {
	at, err := c.store(ctx)
	if err != nil {
		return "", err
	}
	at.Path = "LocalUpload/" + f.hash[:32] + "/"
	if f.isDir {
		at.Path += filepath.Base(f.path) + "/"
	}
	blobs := datastore.NewBlobs(c.credential.Token, c.http)
	there, err := c.present(ctx, blobs, at)
	if err != nil {
		return "", err
	}
	missing := map[string]bool{}
	for _, rel := range f.files {
		if size, ok := there[at.Path+rel]; !ok || size != f.sizes[rel] {
			missing[rel] = true
		}
	}
	if len(missing) > 0 {
		if _, err := blobs.UploadTree(ctx, f.path, at, func(rel string) bool { return missing[rel] }); err != nil {
			return "", err
		}
	}
	uri = "azureml://datastores/" + blobStore + "/paths/" + at.Path
	if !f.isDir {
		uri += f.files[0]
	}
	return uri, nil
}

// present lists what is there, and makes the container where it is missing.
func (c *Client) present(ctx context.Context, blobs *datastore.Blobs, at datastore.Blob) (map[string]int64, error) {
	entries, err := blobs.List(ctx, at)
	if datastore.NoContainer(err) {
		return nil, blobs.EnsureContainer(ctx, at)
	}
	out := make(map[string]int64, len(entries))
	for _, e := range entries {
		out[e.Path] = e.Size
	}
	return out, err
}

// locate gives a path the form in which the workspace knows it: a local one is
// uploaded.
func (c *Client) locate(ctx context.Context, p spec.Path) (string, error) {
	if !p.Local() {
		return p.Text, nil
	}
	f, err := scan(p.File(), false)
	if err != nil {
		return "", err
	}
	return c.upload(ctx, f)
}
