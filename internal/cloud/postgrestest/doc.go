// Package postgrestest runs a PostgreSQL server for tests: of its own, in a folder
// of the test, at a socket there, ended with the test. It uses the binaries that
// the machine has (the Debian package postgresql) and never a server that runs
// already.
package postgrestest
