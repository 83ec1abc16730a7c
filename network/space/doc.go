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
// Three representations were measured on security groups of 10 to 200 rules whose
// sources and destinations overlap (BenchmarkRepresentation): lists of disjoint
// boxes, binary decision diagrams, and these. At 200 rules, on the machine it was
// written on: boxes 11 ms and 55,000 allocations, for each new box is split by all
// before it, so that time grows with the square of the rules; binary diagrams
// 2.8 ms and 8,400 nodes, for they pay a node for each bit of each prefix; interval
// diagrams 0.8 ms and 157 nodes, one for each field of each rule at most. Boxes are
// the fastest below some fifty rules. A look-up, which is what a matrix of many
// thousand pairs does, is a binary search for each field: 90 ns for both addresses.
//
// The idea is that of firewall decision diagrams: Gouda and Liu, "Structured
// firewall design", Computer Networks 51 (2007).
//
// The package knows nothing of rules, networks or Azure.
package space
