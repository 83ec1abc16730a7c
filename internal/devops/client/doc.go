// Package client calls an organisation as its users do: it lists pipelines, queues
// runs and follows them, line by line.
//
// It decides nothing about how that is shown, and keeps nothing.
package client
