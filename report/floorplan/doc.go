// Package floorplan draws an estate as a map: virtual networks as rooms, subnets
// within them, what stands in each subnet, the services outside with the private
// endpoints that lead to them, peerings, private DNS zones, gateways and what is
// beyond them. What a check found can be drawn on it.
//
// [Read] makes a [Plan] of an estate; [SVG], [DOT] and [JSON] write it. The same
// plan always gives the same bytes. An SVG map has no scripts and asks for nothing
// outside itself.
//
// It judges nothing: whether a flow passes is for network and check to say, and
// comes in as a [Finding]. It opens no files and no sockets.
package floorplan
