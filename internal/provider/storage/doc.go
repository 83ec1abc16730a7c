// Package storage is the resource provider Microsoft.Storage: storage accounts,
// and the blob service that answers at {account}.blob.core.windows.net.
//
// The blob service offers containers and block blobs, authenticated by Entra
// tokens, account keys and shared access signatures. Each request passes, in
// this order: the account's firewall, authentication, authorisation at the
// container, the operation.
//
// Not offered, and refused rather than ignored: append and page blobs, leases,
// snapshots and versions, tags, customer-provided keys, stored access policies.
// File shares, queues, tables and data lake paths have no server here. Metadata
// names are given back in lower case.
package storage
