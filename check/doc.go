// Package check proves an estate: it derives from the documents which flows a
// secured machine learning solution needs and which it must not have, asks the
// meanings (network, privatedns, access) about each, and says which hold, which
// do not and which cannot be known before deployment, each with its reason.
//
// [Prove] answers with requirements. [Matrix] predicts what a packet from every
// place to every service meets; a probe of a running estate is held against it
// cell by cell.
//
// It decides nothing by itself that the meanings decide, reads no files, writes
// no output and opens no socket.
package check
