// Package space is exact algebra over sets of packets: source, destination,
// protocol, source port, destination port.
//
// A set is a decision diagram whose nodes each look at one field, in a fixed
// order, and whose edges are intervals of its values; equal diagrams are one
// (they are kept once, in a [Store]), so that equality is a comparison of
// numbers and every operation is done once for each pair of nodes. A diagram's
// leaves are small numbers: 0 and 1 in a set, others where rules end in more
// than two ways.
//
// Three representations were measured on security groups of 10 to 200 rules
// (BenchmarkRepresentation): lists of disjoint boxes, binary decision diagrams
// over the 328 bits of a packet, and these. Boxes split each other: a group of
// 200 rules whose sources overlap falls into thousands of them, and each
// operation is quadratic. Binary diagrams stay small but pay a node for each bit
// of each prefix. Interval diagrams need one node for each field of each rule,
// and a lookup is a binary search for each field.
//
// The idea is that of firewall decision diagrams: Gouda and Liu, "Structured
// firewall design", Computer Networks 51 (2007).
//
// The package knows nothing of rules, networks or Azure.
package space
