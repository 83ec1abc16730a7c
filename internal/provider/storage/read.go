package storage

import (
	"bytes"
	"crypto/md5" //nolint:gosec // the protocol's checksum, not a protection
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"hash/crc64"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/cloister-ml/cloister/internal/provider/storage/blobstore"
)

// span is a part of a blob; whole where no part was asked for.
type span struct {
	offset, count int64
	whole         bool
}

var rangePattern = regexp.MustCompile(`^bytes=(\d{1,18})-(\d{0,18})$`)

// parseRange reads "bytes=first-last" or "bytes=first-" against a blob's size.
// A header in another form is passed over, as HTTP has it.
func parseRange(header string, size int64) (span, error) {
	all := span{count: size, whole: true}
	match := rangePattern.FindStringSubmatch(header)
	if match == nil {
		return all, nil
	}
	offset, end := number(match[1]), size-1
	if match[2] != "" {
		end = min(end, number(match[2]))
		if number(match[2]) < offset {
			return all, nil
		}
	}
	if offset >= size {
		return all, fail(http.StatusRequestedRangeNotSatisfiable, "InvalidRange",
			"The range specified is invalid for the current size of the resource.").with("Content-Range", fmt.Sprintf("bytes */%d", size))
	}
	return span{offset: offset, count: end - offset + 1}, nil
}

// number is the value of at most 18 digits.
func number(digits string) int64 {
	n, _ := strconv.ParseInt(digits, 10, 64) // it fits
	return n
}

// rangeHeader prefers x-ms-range, as the protocol does.
func rangeHeader(h http.Header) string {
	if v := h.Get("x-ms-range"); v != "" {
		return v
	}
	return h.Get("Range")
}

func (q *request) getBlob() error {
	cond, err := parseConditions(q.Header, "")
	if err != nil {
		return err
	}
	b, reader, err := q.blobs.Open(q.Context(), q.container, q.blob)
	if err != nil {
		return err
	}
	defer reader.Close()
	if err := cond.holdsForRead(b.ETag, b.Modified); err != nil {
		return err
	}
	part, err := parseRange(rangeHeader(q.Header), b.Size)
	if err != nil {
		return err
	}
	sums, err := q.rangeSums(reader, part)
	if err != nil {
		return err
	}
	q.writeBlobHeaders(b)
	h := q.w.Header()
	h.Set("Content-Length", strconv.FormatInt(part.count, 10))
	status := http.StatusOK
	if part.whole {
		setMD5(h, "Content-MD5", b.Properties.MD5)
	} else {
		status = http.StatusPartialContent
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", part.offset, part.offset+part.count-1, b.Size))
		setMD5(h, "x-ms-blob-content-md5", b.Properties.MD5)
	}
	for name, value := range sums {
		h.Set(name, value)
	}
	q.w.WriteHeader(status)
	if err := reader.WriteRange(q.Context(), q.w, part.offset, part.count); err != nil && q.Context().Err() == nil {
		// The answer has begun: the connection ends short of Content-Length, which
		// tells the client.
		q.service.host.Log().Warn("blob service: a download was cut off", "account", q.account.Name, "error", err)
	}
	return nil
}

func setMD5(h http.Header, name string, sum []byte) {
	if len(sum) > 0 {
		h.Set(name, base64.StdEncoding.EncodeToString(sum))
	}
}

// maxSummed is the largest range whose checksum a client may ask for.
const maxSummed = 4 << 20

// rangeSums are the checksums that a client asked for of the part that it reads.
func (q *request) rangeSums(reader *blobstore.Reader, part span) (map[string]string, error) {
	wantMD5 := strings.EqualFold(q.Header.Get("x-ms-range-get-content-md5"), "true")
	wantCRC := strings.EqualFold(q.Header.Get("x-ms-range-get-content-crc64"), "true")
	if !wantMD5 && !wantCRC {
		return nil, nil
	}
	if part.count > maxSummed || part.whole || (wantMD5 && wantCRC) {
		return nil, fail(http.StatusBadRequest, "InvalidHeaderValue",
			"A checksum is given for a range of at most 4 MiB, and either as MD5 or as CRC64.")
	}
	var body bytes.Buffer
	if err := reader.WriteRange(q.Context(), &body, part.offset, part.count); err != nil {
		return nil, err
	}
	if wantMD5 {
		sum := md5.Sum(body.Bytes()) //nolint:gosec // as above
		return map[string]string{"Content-MD5": base64.StdEncoding.EncodeToString(sum[:])}, nil
	}
	return map[string]string{"x-ms-content-crc64": encodeCRC(crc64.Checksum(body.Bytes(), blobstore.CRC64Table()))}, nil
}

func (q *request) headBlob() error {
	b, err := q.readable()
	if err != nil {
		return err
	}
	q.writeBlobHeaders(b)
	h := q.w.Header()
	h.Set("Content-Length", strconv.FormatInt(b.Size, 10))
	setMD5(h, "Content-MD5", b.Properties.MD5)
	q.w.WriteHeader(http.StatusOK)
	return nil
}

// readable is the blob asked for, where the request's conditions hold.
func (q *request) readable() (blobstore.Blob, error) {
	cond, err := parseConditions(q.Header, "")
	if err != nil {
		return blobstore.Blob{}, err
	}
	b, err := q.blobs.Blob(q.Context(), q.container, q.blob)
	if err != nil {
		return b, err
	}
	return b, cond.holdsForRead(b.ETag, b.Modified)
}

func (q *request) getMetadata() error {
	b, err := q.readable()
	if err != nil {
		return err
	}
	h := q.w.Header()
	writeVersion(h, b.ETag, b.Modified)
	writeMetadata(h, b.Metadata)
	q.w.WriteHeader(http.StatusOK)
	return nil
}

type blockListBody struct {
	XMLName     xml.Name    `xml:"BlockList"`
	Committed   *[]blockXML `xml:"CommittedBlocks>Block"`
	Uncommitted *[]blockXML `xml:"UncommittedBlocks>Block"`
}

type blockXML struct {
	Name string
	Size int64
}

func (q *request) getBlockList() error {
	b, committed, uncommitted, err := q.blobs.BlockList(q.Context(), q.container, q.blob)
	if err != nil {
		return err
	}
	h := q.w.Header()
	if b != nil {
		writeVersion(h, b.ETag, b.Modified)
		h.Set("x-ms-blob-content-length", strconv.FormatInt(b.Size, 10))
	} else {
		h.Set("x-ms-blob-content-length", "0")
	}
	var body blockListBody
	kind := strings.ToLower(q.query.Get("blocklisttype"))
	switch kind {
	case "", "committed", "uncommitted", "all":
	default:
		return fail(http.StatusBadRequest, "InvalidQueryParameterValue", "blocklisttype is committed, uncommitted or all.")
	}
	if kind != "uncommitted" {
		body.Committed = blocksXML(committed)
	}
	if kind == "uncommitted" || kind == "all" {
		body.Uncommitted = blocksXML(uncommitted)
	}
	writeXML(q.w, http.StatusOK, body)
	return nil
}

func blocksXML(blocks []blobstore.Block) *[]blockXML {
	out := make([]blockXML, 0, len(blocks))
	for _, b := range blocks {
		out = append(out, blockXML{Name: b.ID, Size: b.Size})
	}
	return &out
}
