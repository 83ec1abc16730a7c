// Package compute is the Microsoft.Compute resource provider: virtual machines
// and their extensions.
//
// A virtual machine runs when its document says so; its custom script extension
// is run in it once, with the settings that only it may see. How a machine is
// made real is the business of the [Machines] that the cloud brings: this
// package never starts a process and never touches the kernel. Scale sets, disks
// and images are not offered.
package compute
