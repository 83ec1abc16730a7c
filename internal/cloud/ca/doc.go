// Package ca is the cloud's own certificate authority: it certifies the host
// names that the cloud serves, for the machines inside it and the clients that
// were told to trust it.
//
// It never decides which host names are served; the front does.
package ca
