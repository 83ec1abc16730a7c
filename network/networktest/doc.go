// Package networktest makes estates for tests of networks: documents in a line
// each, and random estates with flows to ask about. It is for tests only, here
// and where a network is made real, so that both are held against the same
// estates.
package networktest
