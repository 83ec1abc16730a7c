package flowlog

import (
	"net/netip"
	"strconv"
	"time"

	"github.com/cloister-ml/cloister/arm"
)

const (
	protoTCP = 6
	protoUDP = 17
)

// State is how far a flow is, as Azure writes it.
type State string

// States.
const (
	Begin    State = "B"
	Continue State = "C"
	End      State = "E"
	Deny     State = "D"
)

// Volume is how much went one way since the flow's event before.
type Volume struct{ Packets, Bytes uint64 }

// Event is one of a flow at a network interface.
type Event struct {
	Time              time.Time
	State             State
	VNet, Subnet, NIC arm.ID
	NSG               arm.ID // that decided last; "" where none did
	Rule              string // of it; "" where none is for the flow
	Default           bool   // the rule is one of Azure's own
	Inbound           bool
	Protocol          uint8
	Source            netip.AddrPort
	Destination       netip.AddrPort
	Sent, Received    Volume
}

// key is equal for events that say the same.
type key struct {
	nic                 string
	state               State
	inbound             bool
	protocol            uint8
	source, destination netip.AddrPort
}

func (e Event) key() key {
	return key{e.NIC.Key(), e.State, e.Inbound, e.Protocol, e.Source, e.Destination}
}

// rule is the rule's name with what Azure puts before it.
func (e Event) rule() string {
	switch {
	case e.Rule == "":
		return unspecified
	case e.NSG == "": // a security admin rule
		return e.Rule
	case e.Default:
		return "DefaultRule_" + e.Rule
	}
	return "UserRule_" + e.Rule
}

// unspecified stands for a group or rule that is none.
const unspecified = "unspecified"

func (e Event) acl() string {
	if e.NSG == "" {
		return unspecified
	}
	return arm.StableGUID(e.NSG, "resourceGuid")
}

func (e Event) direction() string {
	if e.Inbound {
		return "I"
	}
	return "O"
}

// counted reports whether the event says how much went.
func (e Event) counted() bool { return e.State == Continue || e.State == End }

func (e Event) volumes(none string) string {
	if !e.counted() {
		return none
	}
	n := func(v uint64) string { return "," + strconv.FormatUint(v, 10) }
	return n(e.Sent.Packets) + n(e.Sent.Bytes) + n(e.Received.Packets) + n(e.Received.Bytes)
}

func (e Event) ends() string {
	return e.Source.Addr().String() + "," + e.Destination.Addr().String() + "," +
		strconv.Itoa(int(e.Source.Port())) + "," + strconv.Itoa(int(e.Destination.Port()))
}

// networkTuple is the event in a virtual network's flow log. Nothing is encrypted
// here: NX.
func (e Event) networkTuple() string {
	return strconv.FormatInt(e.Time.UnixMilli(), 10) + "," + e.ends() + "," + strconv.Itoa(int(e.Protocol)) + "," +
		e.direction() + "," + string(e.State) + ",NX" + e.volumes(",0,0,0,0")
}

// groupTuple is the event in a security group's flow log. The first version has no
// states, and so only what begins.
func (e Event) groupTuple(version int) (string, bool) {
	protocol, decision, state := "T", "A", e.State
	if e.Protocol == protoUDP {
		protocol = "U"
	}
	if e.State == Deny {
		decision, state = "D", Begin
	}
	tuple := strconv.FormatInt(e.Time.Unix(), 10) + "," + e.ends() + "," + protocol + "," + e.direction() + "," + decision
	if version < 2 {
		return tuple, !e.counted()
	}
	return tuple + "," + string(state) + e.volumes(",,,,"), true
}
