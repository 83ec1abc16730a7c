package storage

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"net/http"

	"github.com/cloister-ml/cloister/internal/provider/storage/blobstore"
)

// Limits of one request's body.
const (
	maxPutBlob  = 5000 << 20
	maxPutBlock = 4000 << 20
	maxListBody = 16 << 20
)

// newBlob is the blob that a request describes in its headers.
func (q *request) newBlob(bodyIsBlob bool) (blobstore.Blob, error) {
	metadata, err := readMetadata(q.Header)
	if err != nil {
		return blobstore.Blob{}, err
	}
	properties, err := readProperties(q.Header, bodyIsBlob)
	return blobstore.Blob{Name: q.blob, Properties: properties, Metadata: metadata}, err
}

// receive streams the request's body to the disk and checks its checksums.
func (q *request) receive(limit int64) (*blobstore.Chunk, error) {
	switch {
	case q.ContentLength < 0:
		return nil, fail(http.StatusLengthRequired, "MissingContentLengthHeader", "Content-Length HTTP header is missing.")
	case q.ContentLength > limit:
		return nil, blobstore.ErrTooLarge
	}
	if _, err := q.blobs.Container(q.Context(), q.container); err != nil {
		return nil, err // before the body is read
	}
	chunk, err := q.blobs.Receive(q.Context(), q.Body, limit)
	if err != nil {
		return nil, incomplete(err)
	}
	if err := checkSums(q.Header, chunk); err != nil {
		chunk.Discard()
		return nil, err
	}
	return chunk, nil
}

func (q *request) putBlob() error {
	if q.Header.Get("x-ms-copy-source") != "" {
		return q.copyBlob()
	}
	switch q.Header.Get("x-ms-blob-type") {
	case "BlockBlob":
	case "":
		return fail(http.StatusBadRequest, "MissingRequiredHeader", "An HTTP header that's mandatory for this request is not specified: x-ms-blob-type.")
	default:
		return fail(http.StatusBadRequest, "InvalidHeaderValue", "Only block blobs are offered: x-ms-blob-type must be BlockBlob.")
	}
	cond, err := parseConditions(q.Header, "")
	if err != nil {
		return err
	}
	b, err := q.newBlob(true)
	if err != nil {
		return err
	}
	chunk, err := q.receive(maxPutBlob)
	if err != nil {
		return err
	}
	if b.Properties.MD5 == nil {
		b.Properties.MD5 = chunk.MD5
	}
	if b, err = q.blobs.PutBlob(q.Context(), q.container, b, chunk, cond.overwrite(q.grant)); err != nil {
		return err
	}
	writeVersion(q.w.Header(), b.ETag, b.Modified)
	q.writeSums(chunk)
	q.w.WriteHeader(http.StatusCreated)
	return nil
}

// writeSums says what was received: by MD5 where the client gave one, and by CRC64.
func (q *request) writeSums(c *blobstore.Chunk) {
	h := q.w.Header()
	if q.Header.Get("x-ms-content-crc64") == "" {
		setMD5(h, "Content-MD5", c.MD5)
	}
	h.Set("x-ms-content-crc64", encodeCRC(c.CRC64))
	h.Set("x-ms-request-server-encrypted", "false")
}

// maxBlockID is the length of a block's id before it is written in base64.
const maxBlockID = 64

func checkBlockID(id string) error {
	raw, err := base64.StdEncoding.DecodeString(id)
	if err != nil || len(raw) == 0 || len(raw) > maxBlockID {
		return fail(http.StatusBadRequest, "InvalidBlockId", "The specified block ID is invalid. The block ID must be Base64-encoded.")
	}
	return nil
}

func (q *request) putBlock() error {
	id := q.query.Get("blockid")
	if err := checkBlockID(id); err != nil {
		return err
	}
	if q.Header.Get("x-ms-copy-source") != "" {
		return fail(http.StatusBadRequest, "UnsupportedHeader", "Putting a block from a URL is not offered.")
	}
	if q.ContentLength == 0 {
		return fail(http.StatusBadRequest, "InvalidHeaderValue", "The value for one of the HTTP headers is not in the correct format: a block has at least one byte.")
	}
	chunk, err := q.receive(maxPutBlock)
	if err != nil {
		return err
	}
	if err := q.blobs.PutBlock(q.Context(), q.container, q.blob, id, chunk); err != nil {
		return err
	}
	q.writeSums(chunk)
	q.w.WriteHeader(http.StatusCreated)
	return nil
}

func (q *request) putBlockList() error {
	cond, err := parseConditions(q.Header, "")
	if err != nil {
		return err
	}
	b, err := q.newBlob(false)
	if err != nil {
		return err
	}
	chunk, body, err := q.readDocument(maxListBody)
	if err != nil {
		return err
	}
	blocks, err := parseBlockList(body)
	if err != nil {
		return err
	}
	if b, err = q.blobs.PutBlockList(q.Context(), q.container, b, blocks, cond.overwrite(q.grant)); err != nil {
		if errors.Is(err, blobstore.ErrTooManyBlocks) {
			return fail(http.StatusBadRequest, "BlockListTooLong", "The block list may not contain more than 50,000 blocks.")
		}
		return err
	}
	writeVersion(q.w.Header(), b.ETag, b.Modified)
	q.writeSums(chunk)
	q.w.WriteHeader(http.StatusCreated)
	return nil
}

// readDocument reads a body of XML and checks its checksums.
func (q *request) readDocument(limit int64) (*blobstore.Chunk, []byte, error) {
	body, err := q.readBody(limit)
	if err != nil {
		return nil, nil, err
	}
	sums := blobstore.Sum(body)
	return sums, body, checkSums(q.Header, sums)
}

// parseBlockList reads <BlockList> with its <Latest>, <Committed> and
// <Uncommitted> block ids in their order.
func parseBlockList(body []byte) ([]blobstore.BlockRef, error) {
	invalid := fail(http.StatusBadRequest, "InvalidXmlDocument", "The specified XML is not syntactically valid, or is not a block list.")
	dec := xml.NewDecoder(bytes.NewReader(body))
	var out []blobstore.BlockRef
	depth := 0
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) && depth == 0 && out != nil {
			return out, nil
		}
		if err != nil {
			return nil, invalid
		}
		switch el := token.(type) {
		case xml.StartElement:
			if depth == 0 {
				if el.Name.Local != "BlockList" || out != nil {
					return nil, invalid
				}
				depth, out = 1, []blobstore.BlockRef{}
				continue
			}
			ref, err := parseBlockRef(dec, el)
			if err != nil {
				return nil, err
			}
			if out = append(out, ref); len(out) > blobstore.MaxBlocks {
				return nil, fail(http.StatusBadRequest, "BlockListTooLong", "The block list may not contain more than 50,000 blocks.")
			}
		case xml.EndElement:
			depth = 0
		}
	}
}

func parseBlockRef(dec *xml.Decoder, el xml.StartElement) (blobstore.BlockRef, error) {
	from, ok := map[string]blobstore.From{
		"Latest": blobstore.Latest, "Committed": blobstore.Committed, "Uncommitted": blobstore.Uncommitted,
	}[el.Name.Local]
	ref := blobstore.BlockRef{From: from}
	if err := dec.DecodeElement(&ref.ID, &el); err != nil || !ok {
		return ref, fail(http.StatusBadRequest, "InvalidXmlNodeValue", "The value provided for one of the XML nodes in the request body was not in the correct format.")
	}
	return ref, checkBlockID(ref.ID)
}

func (q *request) setMetadata() error {
	metadata, err := readMetadata(q.Header)
	if err != nil {
		return err
	}
	return q.update(func(b *blobstore.Blob) { b.Metadata = metadata })
}

func (q *request) setProperties() error {
	properties, err := readProperties(q.Header, false)
	if err != nil {
		return err
	}
	return q.update(func(b *blobstore.Blob) {
		properties.Tier = b.Properties.Tier
		b.Properties = properties
	})
}

func (q *request) update(change func(*blobstore.Blob)) error {
	cond, err := parseConditions(q.Header, "")
	if err != nil {
		return err
	}
	b, err := q.blobs.UpdateBlob(q.Context(), q.container, q.blob, func(b *blobstore.Blob) error {
		if err := cond.holds(b.ETag, b.Modified); err != nil {
			return err
		}
		change(b)
		return nil
	})
	if err != nil {
		return err
	}
	writeVersion(q.w.Header(), b.ETag, b.Modified)
	q.w.Header().Set("x-ms-request-server-encrypted", "false")
	q.w.WriteHeader(http.StatusOK)
	return nil
}

func (q *request) deleteBlob() error {
	if q.Header.Get("x-ms-delete-snapshots") == "only" {
		return fail(http.StatusBadRequest, "UnsupportedHeader", "Snapshots are not offered: there is nothing to delete but the blob.")
	}
	cond, err := parseConditions(q.Header, "")
	if err != nil {
		return err
	}
	err = q.blobs.DeleteBlob(q.Context(), q.container, q.blob, func(b *blobstore.Blob) error { return cond.holds(b.ETag, b.Modified) })
	if err != nil {
		return err
	}
	q.w.Header().Set("x-ms-delete-type-permanent", "true")
	q.w.WriteHeader(http.StatusAccepted)
	return nil
}
