// Package tunnel is one end of a WireGuard tunnel inside a network namespace, in
// user space over a TUN device, so that it needs nothing of the kernel but that.
// Source: Donenfeld, "WireGuard: Next Generation Kernel Network Tunnel" (2017).
//
// It decides nothing about who may connect or which addresses lead through it:
// its configuration says so.
package tunnel
