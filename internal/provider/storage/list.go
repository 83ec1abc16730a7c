package storage

import (
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/provider/storage/blobstore"
)

// maxResults is the most that one page of a listing holds.
const maxResults = 5000

// enumeration is the body of both listings.
type enumeration struct {
	XMLName         xml.Name `xml:"EnumerationResults"`
	ServiceEndpoint string   `xml:",attr"`
	ContainerName   string   `xml:",attr,omitempty"`
	Prefix          *string
	Marker          string         `xml:",omitempty"`
	MaxResults      int            `xml:",omitempty"`
	Delimiter       string         `xml:",omitempty"`
	Blobs           *blobList      `xml:",omitempty"`
	Containers      *containerList `xml:",omitempty"`
	NextMarker      string
}

type containerList struct{ Container []containerXML }

type containerXML struct {
	Name       string
	Properties containerPropertiesXML
	Metadata   metadataXML `xml:",omitempty"`
}

type containerPropertiesXML struct {
	LastModified          string `xml:"Last-Modified"`
	ETag                  string `xml:"Etag"`
	LeaseStatus           string
	LeaseState            string
	PublicAccess          string `xml:",omitempty"`
	HasImmutabilityPolicy bool
	HasLegalHold          bool
}

// blobList holds blobs and prefixes in the order of their names.
type blobList struct{ Entries []any }

type blobXML struct {
	XMLName    xml.Name `xml:"Blob"`
	Name       nameXML
	Properties blobPropertiesXML
	Metadata   metadataXML `xml:",omitempty"`
}

type prefixXML struct {
	XMLName xml.Name `xml:"BlobPrefix"`
	Name    nameXML
}

type blobPropertiesXML struct {
	CreationTime       string `xml:"Creation-Time"`
	LastModified       string `xml:"Last-Modified"`
	ETag               string `xml:"Etag"`
	ContentLength      int64  `xml:"Content-Length"`
	ContentType        string `xml:"Content-Type"`
	ContentEncoding    string `xml:"Content-Encoding"`
	ContentLanguage    string `xml:"Content-Language"`
	ContentMD5         string `xml:"Content-MD5"`
	CacheControl       string `xml:"Cache-Control"`
	ContentDisposition string `xml:"Content-Disposition"`
	BlobType           string
	AccessTier         string `xml:",omitempty"`
	LeaseStatus        string
	LeaseState         string
	CopyID             string `xml:"CopyId,omitempty"`
	CopyStatus         string `xml:",omitempty"`
	CopySource         string `xml:",omitempty"`
	CopyProgress       string `xml:",omitempty"`
	CopyCompletionTime string `xml:",omitempty"`
	ServerEncrypted    bool
}

// nameXML is a blob's name, percent-encoded where XML cannot hold it.
type nameXML struct {
	Encoded string `xml:",attr,omitempty"`
	Value   string `xml:",chardata"`
}

func nameOf(name string) nameXML {
	for _, r := range name {
		legal := r == '\t' || (r >= 0x20 && r <= 0xD7FF) || (r >= 0xE000 && r <= 0xFFFD) || (r >= 0x10000 && r <= utf8.MaxRune)
		if !legal {
			// Some clients decode this as a path, others as a form: no plus signs.
			return nameXML{Encoded: "true", Value: strings.ReplaceAll(url.QueryEscape(name), "+", "%20")}
		}
	}
	return nameXML{Value: name}
}

// metadataXML has an element for each name.
type metadataXML map[string]string

// MarshalXML implements xml.Marshaler.
func (m metadataXML) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	if err := e.EncodeToken(start); err != nil {
		return err
	}
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := e.EncodeElement(m[name], xml.StartElement{Name: xml.Name{Local: name}}); err != nil {
			return err
		}
	}
	return e.EncodeToken(start.End())
}

// paging is what both listings are asked with.
type paging struct {
	prefix, marker, from string
	limit, asked         int
	metadata             bool
}

func (q *request) paging() (paging, error) {
	p := paging{prefix: q.query.Get("prefix"), marker: q.query.Get("marker"), limit: maxResults}
	if text := q.query.Get("maxresults"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return p, fail(http.StatusBadRequest, "OutOfRangeQueryParameterValue", "maxresults must be a number from 1 on.")
		}
		p.asked, p.limit = n, min(n, maxResults)
	}
	from, err := base64.RawURLEncoding.DecodeString(p.marker)
	if err != nil || !utf8.Valid(from) {
		return p, fail(http.StatusBadRequest, "InvalidQueryParameterValue", "marker is not one that a listing gave.")
	}
	p.from = string(from)
	p.metadata = slices.Contains(strings.Split(q.query.Get("include"), ","), "metadata")
	return p, nil
}

func encodeMarker(from string) string { return base64.RawURLEncoding.EncodeToString([]byte(from)) }

func (q *request) enumeration(p paging, next string) enumeration {
	e := enumeration{
		ServiceEndpoint: "https://" + cloud.CallFrom(q.Context()).Endpoint.Host + "/",
		Marker:          p.marker, MaxResults: p.asked, NextMarker: encodeMarker(next),
	}
	if p.prefix != "" {
		e.Prefix = &p.prefix
	}
	return e
}

func (q *request) listContainers() error {
	p, err := q.paging()
	if err != nil {
		return err
	}
	found, next, err := q.blobs.Containers(q.Context(), p.prefix, p.from, p.limit)
	if err != nil {
		return err
	}
	body := q.enumeration(p, next)
	body.Containers = &containerList{}
	for _, c := range found {
		item := containerXML{Name: c.Name, Properties: containerPropertiesXML{
			LastModified: c.Modified.UTC().Format(http.TimeFormat), ETag: c.ETag, LeaseStatus: "unlocked", LeaseState: "available", PublicAccess: c.Access,
		}}
		if p.metadata {
			item.Metadata = c.Metadata
		}
		body.Containers.Container = append(body.Containers.Container, item)
	}
	writeXML(q.w, http.StatusOK, body)
	return nil
}

func (q *request) listBlobs() error {
	p, err := q.paging()
	if err != nil {
		return err
	}
	delimiter := q.query.Get("delimiter")
	page, err := q.blobs.List(q.Context(), q.container, blobstore.ListOptions{
		Prefix: p.prefix, Delimiter: delimiter, From: p.from, Limit: p.limit,
	})
	if err != nil {
		return err
	}
	body := q.enumeration(p, page.Next)
	body.ContainerName, body.Delimiter, body.Blobs = q.container, delimiter, &blobList{}
	for _, entry := range page.Entries {
		if entry.Blob == nil {
			body.Blobs.Entries = append(body.Blobs.Entries, prefixXML{Name: nameOf(entry.Prefix)})
			continue
		}
		item := blobXML{Name: nameOf(entry.Blob.Name), Properties: blobPropertiesOf(*entry.Blob)}
		if p.metadata {
			item.Metadata = entry.Blob.Metadata
		}
		body.Blobs.Entries = append(body.Blobs.Entries, item)
	}
	writeXML(q.w, http.StatusOK, body)
	return nil
}

func blobPropertiesOf(b blobstore.Blob) blobPropertiesXML {
	stamp := func(t time.Time) string { return t.UTC().Format(http.TimeFormat) }
	p := blobPropertiesXML{
		CreationTime: stamp(b.Created), LastModified: stamp(b.Modified), ETag: b.ETag, ContentLength: b.Size,
		ContentType: b.Properties.ContentType, ContentEncoding: b.Properties.ContentEncoding, ContentLanguage: b.Properties.ContentLanguage,
		ContentMD5: base64.StdEncoding.EncodeToString(b.Properties.MD5), CacheControl: b.Properties.CacheControl,
		ContentDisposition: b.Properties.ContentDisposition,
		BlobType:           "BlockBlob", AccessTier: b.Properties.Tier, LeaseStatus: "unlocked", LeaseState: "available",
	}
	if b.Copy != nil {
		size := strconv.FormatInt(b.Size, 10)
		p.CopyID, p.CopyStatus, p.CopySource, p.CopyProgress = b.Copy.ID, "success", b.Copy.Source, size+"/"+size
		p.CopyCompletionTime = stamp(b.Copy.Completed)
	}
	return p
}
