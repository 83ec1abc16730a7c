package datastore

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
)

// ErrURI is wrapped by errors about names of data.
var ErrURI = errors.New("not the name of data")

// URI is a parsed name of data: exactly one of its groups is set.
type URI struct {
	Store, Path string // azureml://datastores/{Store}/paths/{Path}

	Job, Output string // azureml://jobs/{Job}/outputs/{Output}/paths/{Path}

	Asset, Version string // azureml:{Asset}:{Version}, azureml:{Asset}@{label}; Version is "@latest" for a label

	ID string // an ARM id of an asset's version

	URL string // https://...
}

// ParseURI reads a name of data.
func ParseURI(s string) (URI, error) {
	bad := fmt.Errorf("%w: %q", ErrURI, clip(s))
	switch {
	case len(s) > 4096 || strings.ContainsAny(s, "\x00\n\r"):
		return URI{}, bad
	case strings.HasPrefix(s, "azureml://"):
		return parseLong(strings.TrimPrefix(s, "azureml://"), bad)
	case strings.HasPrefix(s, "azureml:/subscriptions/"):
		return URI{ID: strings.TrimPrefix(s, "azureml:")}, nil
	case strings.HasPrefix(s, "/subscriptions/"):
		return URI{ID: s}, nil
	case strings.HasPrefix(s, "azureml:"):
		return parseShort(strings.TrimPrefix(s, "azureml:"), bad)
	case strings.HasPrefix(s, "https://"), strings.HasPrefix(s, "http://"):
		u, err := url.Parse(s)
		if err != nil || u.Host == "" {
			return URI{}, bad
		}
		return URI{URL: s}, nil
	}
	return URI{}, bad
}

func parseLong(rest string, bad error) (URI, error) {
	parts := strings.Split(rest, "/")
	// azureml://subscriptions/S/resourcegroups/G/workspaces/W/... names this
	// workspace by its long name.
	if len(parts) > 6 && strings.EqualFold(parts[0], "subscriptions") {
		if !strings.EqualFold(parts[2], "resourcegroups") || !strings.EqualFold(parts[4], "workspaces") {
			return URI{}, bad
		}
		parts = parts[6:]
	}
	if len(parts) >= 3 && parts[0] == "datastores" && parts[2] == "paths" && parts[1] != "" {
		p, err := cleanPath(parts[3:])
		return URI{Store: parts[1], Path: p}, err
	}
	if len(parts) >= 4 && parts[0] == "jobs" && parts[2] == "outputs" && parts[1] != "" && parts[3] != "" {
		p := parts[4:]
		if len(p) > 0 && p[0] == "paths" {
			p = p[1:]
		}
		clean, err := cleanPath(p)
		return URI{Job: parts[1], Output: parts[3], Path: clean}, err
	}
	return URI{}, bad
}

func parseShort(rest string, bad error) (URI, error) {
	if name, label, ok := strings.Cut(rest, "@"); ok && name != "" && label != "" {
		return URI{Asset: name, Version: "@" + label}, nil
	}
	i := strings.LastIndexByte(rest, ':')
	if i <= 0 || i == len(rest)-1 {
		return URI{}, bad
	}
	return URI{Asset: rest[:i], Version: rest[i+1:]}, nil
}

// cleanPath joins the parts of a path in a container. A trailing slash is kept:
// it says that a folder is meant.
func cleanPath(parts []string) (string, error) {
	p := strings.Join(parts, "/")
	for _, seg := range parts {
		if seg == ".." || seg == "." {
			return "", fmt.Errorf("%w: the path %q must not contain %q", ErrURI, clip(p), seg)
		}
	}
	clean := strings.TrimPrefix(path.Clean("/"+p), "/")
	if strings.HasSuffix(p, "/") && clean != "" {
		clean += "/"
	}
	return clean, nil
}

func clip(s string) string {
	if len(s) > 100 {
		return s[:100] + "..."
	}
	return s
}

// Blob is a place in a blob container.
type Blob struct {
	Account, Container string
	Path               string // ends with a slash for a folder; "" for the whole container
}

// host suffix of the public cloud.
const blobSuffix = ".blob.core.windows.net"

// ContainerURL is the container's address.
func (b Blob) ContainerURL() string {
	return "https://" + b.Account + blobSuffix + "/" + b.Container
}

// URL is the blob's address.
func (b Blob) URL() string {
	if b.Path == "" {
		return b.ContainerURL()
	}
	return b.ContainerURL() + "/" + (&url.URL{Path: b.Path}).EscapedPath()
}

// ParseBlob reads an address that URL wrote.
func ParseBlob(s string) (Blob, error) {
	u, err := url.Parse(s)
	if err != nil {
		return Blob{}, fmt.Errorf("%w: %q", ErrURI, clip(s))
	}
	account, ok := strings.CutSuffix(u.Host, blobSuffix)
	if u.Scheme != "https" || !ok || account == "" || strings.ContainsAny(account, ".:/@") {
		return Blob{}, fmt.Errorf("%w: %q is not at https://{account}%s", ErrURI, clip(s), blobSuffix)
	}
	container, rest, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if container == "" {
		return Blob{}, fmt.Errorf("%w: %q names no container", ErrURI, clip(s))
	}
	p, err := cleanPath(strings.Split(rest, "/"))
	if err != nil {
		return Blob{}, err
	}
	return Blob{Account: account, Container: container, Path: p}, nil
}

// Join is a blob below b.
func (b Blob) Join(elem string) Blob {
	if b.Path != "" && !strings.HasSuffix(b.Path, "/") {
		b.Path += "/"
	}
	b.Path += elem
	return b
}

// Name is the last part of the path.
func (b Blob) Name() string { return path.Base("/" + strings.TrimSuffix(b.Path, "/")) }
