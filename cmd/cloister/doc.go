// Command cloister runs machine learning operations behind private networks and
// proves that they are private.
//
// It is what users call: it reads and proves by itself, and becomes cloisterd for
// every command about a running cloud. It never links the cloud, so that a proof does
// not wait for the start of a program ten times its size.
package main
