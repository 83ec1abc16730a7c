package blobstore

import (
	"errors"
	"time"
)

// Errors that callers tell apart.
var (
	ErrNoContainer     = errors.New("there is no such container")
	ErrContainerExists = errors.New("the container exists already")
	ErrNoBlob          = errors.New("there is no such blob")
	ErrUnknownBlock    = errors.New("the block list names a block that was not uploaded")
	ErrBlockIDLength   = errors.New("the blob has uncommitted blocks with ids of another length")
	ErrTooManyBlocks   = errors.New("the blob has as many blocks as it may have")
	ErrTooLarge        = errors.New("the body is larger than allowed")
)

// Limits of a blob, as Azure sets them.
const (
	MaxBlocks      = 50_000
	MaxUncommitted = 100_000
)

// Container is a container's own data.
type Container struct {
	Name     string            `json:"-"`
	ETag     string            `json:"etag"`
	Modified time.Time         `json:"modified"`
	Access   string            `json:"access,omitempty"` // public access: "", blob or container
	Metadata map[string]string `json:"metadata,omitempty"`
}

// Blob is a blob's own data, without its bytes.
type Blob struct {
	Name       string            `json:"-"`
	Size       int64             `json:"size"`
	ETag       string            `json:"etag"`
	Created    time.Time         `json:"created"`
	Modified   time.Time         `json:"modified"`
	Properties Properties        `json:"properties"`
	Metadata   map[string]string `json:"metadata,omitempty"`
	Copy       *Copied           `json:"copy,omitempty"`
}

// Properties are the headers that are kept with a blob and given back with it.
type Properties struct {
	ContentType        string `json:"type,omitempty"`
	ContentEncoding    string `json:"encoding,omitempty"`
	ContentLanguage    string `json:"language,omitempty"`
	ContentDisposition string `json:"disposition,omitempty"`
	CacheControl       string `json:"cache,omitempty"`
	MD5                []byte `json:"md5,omitempty"`
	Tier               string `json:"tier,omitempty"`
}

// Copied says what a blob is a copy of.
type Copied struct {
	ID        string    `json:"id"`
	Source    string    `json:"source"`
	Completed time.Time `json:"completed"`
}

// Check decides, inside the transaction that would change it, whether the blob
// that is there may be changed; existing is nil where there is none.
type Check func(existing *Blob) error

// Block is one block of a blob.
type Block struct {
	ID   string // base64, as the client wrote it
	Size int64
}

// From says which of a blob's blocks of one id is meant.
type From int

const (
	Latest From = iota // the uncommitted one, else the committed one
	Uncommitted
	Committed
)

// BlockRef is an entry of a block list.
type BlockRef struct {
	ID   string
	From From
}

// ListOptions choose the blobs of a listing.
type ListOptions struct {
	Prefix    string
	Delimiter string // names are folded into prefixes at it; "" for a flat listing
	From      string // the first name or prefix to consider, inclusive
	Limit     int
}

// Page is a part of a listing, in order of names.
type Page struct {
	Entries []Entry
	Next    string // the From of the next page, or "" at the end
}

// Entry is a blob, or a prefix that stands for all names which begin with it.
type Entry struct {
	Prefix string
	Blob   *Blob
}
