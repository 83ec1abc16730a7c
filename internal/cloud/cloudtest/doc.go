// Package cloudtest starts a cloud for a test and gives the test its clients:
// the cloud's own, and what the Azure SDK for Go is configured with.
//
// It is for tests only, and never reaches outside the process but by loopback.
package cloudtest
