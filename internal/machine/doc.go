// Package machine is the first process of a virtual machine: it starts the
// services that are written down in a folder, starts them again when they end,
// keeps their output, and reaps every process that is left behind.
//
// It never mounts anything, never touches the network and knows nothing of what
// its services do: the machine's sandbox is ready when it starts.
package machine
