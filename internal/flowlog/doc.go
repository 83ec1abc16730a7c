// Package flowlog writes flow logs of Azure Network Watcher: what passes virtual
// networks, and what security groups deny, as the JSON that Azure writes into the
// hour's blob of a storage account.
//
// It is told of events and knows nothing of where they come from; it reaches
// storage by the blob service's own protocol, and decides nothing about who may.
// It never keeps more than [MaxEvents] of a log between two writes, nor writes
// more than [MaxHour] into one blob.
//
// Sources: Microsoft Learn, "Virtual network flow logs", "Flow logging for network
// security groups" and "Read flow logs" (the blob's blocks).
package flowlog
