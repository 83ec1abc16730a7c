// Package probe does what a client does, from where it is: it resolves a name,
// connects, shakes hands, calls; and says how far it got. Held against
// [check.Matrix], cell by cell, that is the test of the proof by packets.
//
// It knows nothing of the estate: what to try comes in, what was met goes out.
// Whether a service's firewall or a missing role refused is told by asking twice,
// without a token and with one, and never by reading a service's words.
package probe
