package storage

import (
	"crypto/md5" //nolint:gosec // the protocol's checksum, not a protection
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/internal/provider/storage/blobstore"
)

const metadataPrefix = "X-Ms-Meta-"

var metadataName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// maxMetadata is the size of all metadata of a blob or container.
const maxMetadata = 8 << 10

// readMetadata is the metadata that a request sets.
func readMetadata(h http.Header) (map[string]string, error) {
	var out map[string]string
	size := 0
	for name, values := range h {
		key, ok := strings.CutPrefix(name, metadataPrefix)
		if !ok {
			continue
		}
		if !metadataName.MatchString(key) {
			return nil, fail(http.StatusBadRequest, "InvalidMetadata", "The metadata specified is invalid: %q is not a name.", key)
		}
		value := strings.Join(values, ",")
		if size += len(key) + len(value); size > maxMetadata {
			return nil, fail(http.StatusBadRequest, "MetadataTooLarge", "The size of the specified metadata exceeds the maximum size permitted.")
		}
		if out == nil {
			out = map[string]string{}
		}
		out[strings.ToLower(key)] = value
	}
	return out, nil
}

// writeMetadata gives metadata back, with its names as they are kept.
func writeMetadata(h http.Header, metadata map[string]string) {
	for name, value := range metadata {
		h["x-ms-meta-"+name] = []string{value}
	}
}

// readProperties are the content headers that a request sets. The plain ones
// describe the body; where the body is the blob they are the blob's too.
func readProperties(h http.Header, bodyIsBlob bool) (blobstore.Properties, error) {
	get := func(name string) string {
		if v := h.Get("x-ms-blob-" + name); v != "" || !bodyIsBlob {
			return v
		}
		return h.Get(name)
	}
	p := blobstore.Properties{
		ContentType:        get("content-type"),
		ContentEncoding:    get("content-encoding"),
		ContentLanguage:    get("content-language"),
		ContentDisposition: h.Get("x-ms-blob-content-disposition"),
		CacheControl:       get("cache-control"),
		Tier:               h.Get("x-ms-access-tier"),
	}
	if p.ContentType == "" {
		p.ContentType = "application/octet-stream"
	}
	if text := h.Get("x-ms-blob-content-md5"); text != "" {
		sum, err := parseMD5(text)
		if err != nil {
			return p, err
		}
		p.MD5 = sum
	}
	return p, nil
}

func parseMD5(text string) ([]byte, error) {
	sum, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(sum) != md5.Size {
		return nil, fail(http.StatusBadRequest, "InvalidMd5", "The MD5 value specified in the request is invalid. MD5 value must be 128 bits and base64 encoded.")
	}
	return sum, nil
}

// checkSums refuses a body that is not what the client says it sent.
func checkSums(h http.Header, c *blobstore.Chunk) error {
	if text := h.Get("Content-MD5"); text != "" {
		sum, err := parseMD5(text)
		if err != nil {
			return err
		}
		if string(sum) != string(c.MD5) {
			return fail(http.StatusBadRequest, "Md5Mismatch", "The MD5 value specified in the request did not match with the MD5 value calculated by the server.")
		}
	}
	if text := h.Get("x-ms-content-crc64"); text != "" && text != encodeCRC(c.CRC64) {
		return fail(http.StatusBadRequest, "Crc64Mismatch", "The CRC64 value specified in the request did not match with the CRC64 value calculated by the server.")
	}
	return nil
}

func encodeCRC(sum uint64) string {
	return base64.StdEncoding.EncodeToString(binary.LittleEndian.AppendUint64(nil, sum))
}

func writeVersion(h http.Header, etag string, modified time.Time) {
	h.Set("ETag", etag)
	h.Set("Last-Modified", modified.UTC().Format(http.TimeFormat))
}

// writeBlobHeaders describes a blob, as reading it and asking for its properties do.
func (q *request) writeBlobHeaders(b blobstore.Blob) {
	h := q.w.Header()
	writeVersion(h, b.ETag, b.Modified)
	writeMetadata(h, b.Metadata)
	p := b.Properties
	for name, value := range map[string]string{
		"Content-Type": p.ContentType, "Content-Encoding": p.ContentEncoding, "Content-Language": p.ContentLanguage,
		"Content-Disposition": p.ContentDisposition, "Cache-Control": p.CacheControl,
		"x-ms-access-tier":   p.Tier,
		"x-ms-creation-time": b.Created.UTC().Format(http.TimeFormat),
		"x-ms-blob-type":     "BlockBlob", "x-ms-lease-status": "unlocked", "x-ms-lease-state": "available",
		"x-ms-server-encrypted": "false", "Accept-Ranges": "bytes",
	} {
		if value != "" {
			h.Set(name, value)
		}
	}
	if b.Copy != nil {
		writeCopied(h, b)
	}
	q.overrideHeaders()
}

func writeCopied(h http.Header, b blobstore.Blob) {
	size := strconv.FormatInt(b.Size, 10)
	h.Set("x-ms-copy-id", b.Copy.ID)
	h.Set("x-ms-copy-source", b.Copy.Source)
	h.Set("x-ms-copy-status", "success")
	h.Set("x-ms-copy-progress", size+"/"+size)
	h.Set("x-ms-copy-completion-time", b.Copy.Completed.UTC().Format(http.TimeFormat))
}

// overrideHeaders sets the headers that a shared access signature fixes.
func (q *request) overrideHeaders() {
	if q.who.sas == nil {
		return
	}
	for parameter, header := range map[string]string{
		"rscc": "Cache-Control", "rscd": "Content-Disposition", "rsce": "Content-Encoding", "rscl": "Content-Language", "rsct": "Content-Type",
	} {
		if v := q.who.sas.Override(parameter); v != "" {
			q.w.Header().Set(header, v)
		}
	}
}
