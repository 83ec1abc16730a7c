package flowlog

import (
	"strings"
	"time"

	"github.com/cloister-ml/cloister/arm"
)

// Type of the documents that flow logs are made from.
const Type = "Microsoft.Network/networkWatchers/flowLogs"

const typeGroup = "Microsoft.Network/networkSecurityGroups"

// Log is a flow log of the estate.
type Log struct {
	ID       arm.ID
	Target   arm.ID // a security group; or a virtual network, a subnet, a network interface
	Storage  arm.ID // the storage account
	Identity arm.ID // that it writes as, or "" for the account's key
	Enabled  bool
	Version  int // of the format of a security group's log: 1 or 2
	Days     int // that blobs are kept; 0 for ever
}

// Of reads a document. ok is false where something in it cannot be known.
func Of(r arm.Resource) (l Log, ok bool) {
	l = Log{
		ID: r.ID, Target: arm.Ref(r.Properties, "targetResourceId"), Storage: arm.Ref(r.Properties, "storageId"),
		Enabled: arm.Bool(r.Properties, "enabled", true), Version: arm.Int(r.Properties, "format.version", 1),
	}
	if arm.Bool(r.Properties, "retentionPolicy.enabled", false) {
		l.Days = arm.Int(r.Properties, "retentionPolicy.days", 0)
	}
	if r.Identity != nil {
		for user := range r.Identity.User {
			l.Identity = arm.ID(user)
		}
	}
	return l, l.Target != "" && l.Storage != ""
}

// ofGroup reports whether the log is a security group's.
func (l Log) ofGroup() bool { return strings.EqualFold(l.Target.Type(), typeGroup) }

// covers is how closely an enabled log is about where an event was, 0 for not at
// all. Of several groups that allow a flow, the last one's log has it.
func (l Log) covers(e Event) int {
	if !l.Enabled {
		return 0
	}
	for i, id := range []arm.ID{e.VNet, e.Subnet, e.NIC, e.NSG} {
		if id != "" && id.Equal(l.Target) {
			if l.ofGroup() && e.Protocol != protoTCP && e.Protocol != protoUDP {
				return 0
			}
			return i + 1
		}
	}
	return 0
}

// For are the logs that an event belongs in: that of the group that decided, and
// of those of the interface, its subnet and its network the closest one.
func For(logs []Log, e Event) []Log {
	var out []Log
	closest, how := Log{}, 0
	for _, l := range logs {
		switch n := l.covers(e); {
		case n == 0:
		case l.ofGroup():
			out = append(out, l)
		case n > how:
			closest, how = l, n
		}
	}
	if how > 0 {
		out = append(out, closest)
	}
	return out
}

// Container is the name of the container that the log is written to.
func (l Log) Container() string {
	if l.ofGroup() {
		return "insights-logs-networksecuritygroupflowevent"
	}
	return "insights-logs-flowlogflowevent"
}

// folder is what the names of all the log's blobs begin with.
func (l Log) folder() string {
	if l.ofGroup() {
		return "resourceId=" + strings.ToUpper(string(l.Target)) + "/"
	}
	watcher := l.ID.Parent()
	return "flowLogResourceID=/" + strings.ToUpper(l.ID.Subscription()+"_"+l.ID.ResourceGroup()+"/"+watcher.Name()+"_"+l.ID.Name()) + "/"
}

// Blob is the name of an hour's blob for the network interface with a MAC address.
func (l Log) Blob(hour time.Time, mac string) string {
	return l.folder() + hour.UTC().Format("y=2006/m=01/d=02/h=15/m=00/") + "macAddress=" + mac + "/PT1H.json"
}

// hourOf is the hour in a blob's name.
func (l Log) hourOf(blob string) (time.Time, bool) {
	rest, ok := strings.CutPrefix(blob, l.folder())
	if !ok {
		return time.Time{}, false
	}
	date, _, ok := strings.Cut(rest, "/m=00/")
	hour, err := time.Parse("y=2006/m=01/d=02/h=15", date)
	return hour, ok && err == nil
}
