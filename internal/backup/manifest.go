package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// Manifest says what an archive holds.
type Manifest struct {
	Format  int       `json:"format"` // 1
	Created time.Time `json:"created"`
	Store   string    `json:"store"` // where the documents were kept: sqlite or postgres
	Files   []File    `json:"files"`
	Folders []Folder  `json:"folders,omitempty"` // those that others than their owner may enter or list
	LeftOut []string  `json:"leftOut,omitempty"` // what was in the folders and is neither a file nor a folder
}

// File is one file of a cloud, by its path below the cloud's folder.
type File struct {
	Path   string      `json:"path"`
	Size   int64       `json:"size"` // bytes
	Mode   fs.FileMode `json:"mode"`
	SHA256 string      `json:"sha256"` // hexadecimal
}

// Folder is a folder whose mode is not 0700: an unprivileged process reads what is
// in it. Above it is one that is closed.
type Folder struct {
	Path string      `json:"path"`
	Mode fs.FileMode `json:"mode"`
}

// modes are the bits that are kept: nobody but the owner writes.
const modes fs.FileMode = 0o755

const (
	format       = 1
	manifestName = "manifest.json"
	maxManifest  = 256 << 20
	maxFiles     = 2_000_000
)

// Size is how many bytes the files have.
func (m Manifest) Size() int64 {
	var sum int64
	for _, f := range m.Files {
		sum += f.Size
	}
	return sum
}

// check refuses a manifest that a cloud's backup does not have. free is how many
// bytes there is room for.
func (m Manifest) check(free int64) error {
	if m.Format != format {
		return fmt.Errorf("its format is %d, and this program knows %d: use a newer program", m.Format, format)
	}
	if len(m.Files) > maxFiles {
		return fmt.Errorf("it names %d files, more than %d", len(m.Files), maxFiles)
	}
	seen := make(map[string]bool, len(m.Files))
	for _, f := range m.Files {
		switch {
		case !local(f.Path):
			return fmt.Errorf("it names %q, which is no file of a cloud", f.Path)
		case seen[f.Path]:
			return fmt.Errorf("it names %q twice", f.Path)
		case f.Size < 0 || f.Mode&^modes != 0:
			return fmt.Errorf("it gives %q the size %d and the mode %v", f.Path, f.Size, f.Mode)
		case f.Size > free:
			return fmt.Errorf("it needs more room than there is: %d bytes", m.Size())
		}
		free -= f.Size
		seen[f.Path] = true
	}
	if !seen[database] {
		return errors.New("it has no documents")
	}
	if len(m.Folders) > maxFiles {
		return fmt.Errorf("it names %d folders, more than %d", len(m.Folders), maxFiles)
	}
	for _, f := range m.Folders {
		if !local(f.Path) || f.Mode&^modes != 0 {
			return fmt.Errorf("it gives the folder %q the mode %v", f.Path, f.Mode)
		}
	}
	return nil
}

// local reports whether the path is one below a cloud's folder, in one spelling.
func local(name string) bool {
	return wanted(name) && filepath.IsLocal(name) && path.Clean(name) == name && !strings.ContainsAny(name, "\\\x00")
}

// database is the file of the documents, in an archive always.
const database = "cloud/cloud.db"

// roots are what is kept of a cloud's folder: also what `up` has written last, which
// it compares with, and the keys that profiles of VPN clients and Bastion hang on.
func roots() []string {
	return []string{"cloud", "devops", "applied.json", "owner.json", "packages.json", "ssh_authority", "tunnel_secret"}
}

// wanted reports whether a path is of what is kept. Left out are what belongs to a
// place and not to the cloud (locks, the address of a database), and what says what
// was done on a machine's disk, since disks are made anew.
func wanted(name string) bool {
	for _, not := range []string{"cloud/lock", "cloud/store", "cloud/store.id", "cloud/providers/compute"} {
		if name == not || strings.HasPrefix(name, not+"/") {
			return false
		}
	}
	if strings.HasSuffix(path.Dir(name), "/_uploads") || strings.Contains(name, "/_uploads/") {
		return false // a registry's unfinished uploads
	}
	for _, root := range roots() {
		if name == root || strings.HasPrefix(name, root+"/") && !strings.HasSuffix(root, ".json") {
			return true
		}
	}
	return false
}
