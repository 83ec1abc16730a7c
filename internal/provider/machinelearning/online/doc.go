// Package online keeps the deployments of online endpoints running: it starts
// their instances, waits until they are ready, starts them again when they end,
// and forwards requests to them within their limits.
//
// It does not know what an instance is made of and opens no network port: who
// uses it starts instances and brings requests.
package online
