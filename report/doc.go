// Package report writes what check proved, for people (text, matrix table) and
// for programs (JSON, SARIF 2.1.0, JUnit).
//
// The same report always gives the same bytes. It judges nothing: what holds and
// what falls, and how grave that is, is check's to say.
package report
