// Package session keeps what a user's sign-in leaves behind: refresh tokens, which
// are kept over a restart, and the authorization codes and device codes of sign-ins
// that are under way, which are not.
//
// Of a refresh token only its hash is kept. Each is used once and replaced by the
// next of its family; one that is used again after that was stolen, by its first or
// its second user, and its whole family ends (RFC 9700, section 4.14.2). Two uses
// within [Grace] of each other are one client that asked twice at the same time.
//
// It makes no access tokens, and it knows users and clients only by their ids.
package session
