package storage

import (
	"net/http"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/provider/storage/blobstore"
)

func (q *request) createContainer() error {
	metadata, err := readMetadata(q.Header)
	if err != nil {
		return err
	}
	access := strings.ToLower(q.Header.Get("x-ms-blob-public-access"))
	if err := checkAccess(q.account, access); err != nil {
		return err
	}
	c, err := q.blobs.CreateContainer(q.Context(), blobstore.Container{Name: q.container, Metadata: metadata, Access: access})
	if err != nil {
		return err
	}
	writeVersion(q.w.Header(), c.ETag, c.Modified)
	q.w.WriteHeader(http.StatusCreated)
	return nil
}

// checkAccess refuses a public access level that the account does not permit.
func checkAccess(account arm.Resource, access string) error {
	switch access {
	case "":
		return nil
	case "blob", "container":
		if arm.Bool(account.Properties, "allowBlobPublicAccess", false) {
			return nil
		}
		return fail(http.StatusConflict, "PublicAccessNotPermitted", "Public access is not permitted on this storage account.")
	}
	return fail(http.StatusBadRequest, "InvalidHeaderValue", "The value for one of the HTTP headers is not in the correct format: x-ms-blob-public-access.")
}

func (q *request) containerProperties() error {
	c, err := q.blobs.Container(q.Context(), q.container)
	if err != nil {
		return err
	}
	h := q.w.Header()
	writeVersion(h, c.ETag, c.Modified)
	writeMetadata(h, c.Metadata)
	if c.Access != "" {
		h.Set("x-ms-blob-public-access", c.Access)
	}
	h.Set("x-ms-lease-status", "unlocked")
	h.Set("x-ms-lease-state", "available")
	h.Set("x-ms-has-immutability-policy", "false")
	h.Set("x-ms-has-legal-hold", "false")
	q.w.WriteHeader(http.StatusOK)
	return nil
}

func (q *request) setContainerMetadata() error {
	metadata, err := readMetadata(q.Header)
	if err != nil {
		return err
	}
	cond, err := parseConditions(q.Header, "")
	if err != nil {
		return err
	}
	c, err := q.blobs.UpdateContainer(q.Context(), q.container, func(c *blobstore.Container) error {
		c.Metadata = metadata
		return cond.holds(c.ETag, c.Modified)
	})
	if err != nil {
		return err
	}
	writeVersion(q.w.Header(), c.ETag, c.Modified)
	q.w.WriteHeader(http.StatusOK)
	return nil
}

func (q *request) deleteContainer() error {
	cond, err := parseConditions(q.Header, "")
	if err != nil {
		return err
	}
	err = q.blobs.DeleteContainer(q.Context(), q.container, func(c blobstore.Container) error { return cond.holds(c.ETag, c.Modified) })
	if err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusAccepted)
	return nil
}

func (q *request) accountInfo() error {
	h := q.w.Header()
	h.Set("x-ms-sku-name", arm.String(q.account.SKU, "name"))
	h.Set("x-ms-account-kind", q.account.Kind)
	h.Set("x-ms-is-hns-enabled", "false")
	q.w.WriteHeader(http.StatusOK)
	return nil
}
