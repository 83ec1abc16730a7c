// Package cloister is the root of a library and a program that run machine
// learning operations behind private networks and prove that they are private.
//
// The packages beside it are the library, from the ground up: arm (documents and
// the estate), service (names of Azure's services), verdict (answers with their
// reasons); network, privatedns and access (what an estate means); check and
// report (the proof and how it is shown); source/terraform (the reader). What
// needs a kernel or a disk is under internal, the programs under cmd.
//
// This package holds nothing but the test that keeps the others to that order.
package cloister
