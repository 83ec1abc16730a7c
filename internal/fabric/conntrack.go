package fabric

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Volume is how much went one way, IP headers included.
type Volume struct{ Packets, Bytes uint64 }

// since is what came after before; of a counter that was set back, nothing.
func (v Volume) since(before Volume) Volume {
	if v.Packets < before.Packets || v.Bytes < before.Bytes {
		return Volume{}
	}
	return Volume{v.Packets - before.Packets, v.Bytes - before.Bytes}
}

// way is one direction of a connection.
type way struct {
	protocol uint8
	from, to netip.AddrPort // without ports for protocols that have none
}

// entry is one of the kernel's table of connections. Volumes are 0 where it does
// not count.
type entry struct {
	forth, back    way
	sent, received Volume
	closed         bool // of TCP: by both sides, or by a reset
}

// packet is the one that began the connection, as groups see it: the source before
// it is translated, and the destination afterwards, where the replies come from.
func (e entry) packet() packet {
	return packet{
		from: e.forth.from.Addr(), to: e.back.from.Addr(), protocol: e.forth.protocol,
		sourcePort: e.forth.from.Port(), destPort: e.back.from.Port(),
	}
}

// Of linux/netfilter/nfnetlink_conntrack.h and nfnetlink_compat.h.
const (
	trackSubsystem = 1
	trackNew       = trackSubsystem << 8
	trackGet       = trackSubsystem<<8 | 1
	trackDelete    = trackSubsystem<<8 | 2

	groupNew     = 1 // multicast groups
	groupUpdate  = 2
	groupDestroy = 3

	trackForth    = 1 // attributes of an entry
	trackBack     = 2
	trackState    = 4
	trackSent     = 9
	trackReceived = 10

	wayAddresses = 1 // of a way
	wayProtocol  = 2

	addressFrom4 = 1
	addressTo4   = 2
	addressFrom6 = 3
	addressTo6   = 4

	protocolNumber = 1
	protocolFrom   = 2
	protocolTo     = 3

	countedPackets = 1
	countedBytes   = 2

	stateTCP      = 1 // of a state
	stateTCPState = 1
	tcpTimeWait   = 7
	tcpClose      = 8
)

// attributesMask leaves out the flags of an attribute's type.
const attributesMask = 0x3fff

// eachAttribute calls fn for each attribute; what is cut off is left out.
func eachAttribute(b []byte, fn func(kind uint16, data []byte)) bool {
	list, err := netlink.UnmarshalAttributes(b)
	if err != nil {
		return false
	}
	for _, a := range list {
		fn(a.Type&attributesMask, a.Data)
	}
	return true
}

// parseEntry reads the body of one message about a connection.
func parseEntry(b []byte) (e entry, ok bool) {
	if len(b) < genericHeader {
		return e, false
	}
	forth, back := false, false
	whole := eachAttribute(b[genericHeader:], func(kind uint16, data []byte) {
		switch kind {
		case trackForth:
			e.forth, forth = parseWay(data)
		case trackBack:
			e.back, back = parseWay(data)
		case trackState:
			e.closed = parseClosed(data)
		case trackSent:
			e.sent = parseVolume(data)
		case trackReceived:
			e.received = parseVolume(data)
		}
	})
	return e, whole && forth && back
}

func parseWay(b []byte) (w way, ok bool) {
	var from, to netip.Addr
	var fromPort, toPort uint16
	whole := eachAttribute(b, func(kind uint16, data []byte) {
		eachAttribute(data, func(inner uint16, data []byte) {
			switch {
			case kind == wayAddresses && (inner == addressFrom4 || inner == addressFrom6):
				from, _ = netip.AddrFromSlice(data)
			case kind == wayAddresses && (inner == addressTo4 || inner == addressTo6):
				to, _ = netip.AddrFromSlice(data)
			case kind == wayProtocol && inner == protocolNumber && len(data) == 1:
				w.protocol = data[0]
			case kind == wayProtocol && inner == protocolFrom && len(data) == 2:
				fromPort = binary.BigEndian.Uint16(data)
			case kind == wayProtocol && inner == protocolTo && len(data) == 2:
				toPort = binary.BigEndian.Uint16(data)
			}
		})
	})
	w.from, w.to = netip.AddrPortFrom(from, fromPort), netip.AddrPortFrom(to, toPort)
	return w, whole && from.IsValid() && to.IsValid()
}

func parseVolume(b []byte) (v Volume) {
	eachAttribute(b, func(kind uint16, data []byte) {
		switch {
		case len(data) != 8:
		case kind == countedPackets:
			v.Packets = binary.BigEndian.Uint64(data)
		case kind == countedBytes:
			v.Bytes = binary.BigEndian.Uint64(data)
		}
	})
	return v
}

func parseClosed(b []byte) (closed bool) {
	eachAttribute(b, func(kind uint16, data []byte) {
		eachAttribute(data, func(inner uint16, data []byte) {
			if kind == stateTCP && inner == stateTCPState && len(data) == 1 {
				closed = data[0] == tcpTimeWait || data[0] == tcpClose
			}
		})
	})
	return closed
}

// trackEvents opens a socket that hears of connections that begin, change and end.
func trackEvents(ns int) (*netlink.Conn, error) {
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{NetNS: ns})
	if err != nil {
		return nil, fmt.Errorf("opening the events of connections: %w", err)
	}
	_ = conn.SetReadBuffer(logBuffer) // a smaller one only loses events
	for _, group := range []uint32{groupNew, groupUpdate, groupDestroy} {
		if err := conn.JoinGroup(group); err != nil {
			return nil, errors.Join(fmt.Errorf("listening to the events of connections: %w", err), conn.Close())
		}
	}
	return conn, nil
}

// connections reads the table of a namespace.
func connections(ns int) ([]entry, error) {
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{NetNS: ns})
	if err != nil {
		return nil, fmt.Errorf("opening the table of connections: %w", err)
	}
	defer conn.Close()
	messages, err := conn.Execute(netlink.Message{
		Header: netlink.Header{Type: trackGet, Flags: netlink.Request | netlink.Dump},
		Data:   []byte{unix.AF_UNSPEC, 0, 0, 0},
	})
	if err != nil {
		return nil, fmt.Errorf("reading the table of connections: %w", err)
	}
	var out []entry
	for _, m := range messages {
		if e, ok := parseEntry(m.Data); ok {
			out = append(out, e)
		}
	}
	return out, nil
}
