package fabric

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// GuardEvent is what a firewall's packet filter did with a new connection.
type GuardEvent struct {
	Time     time.Time
	Rule     int // of the guard's rules, -1 where none matched and it was denied
	Protocol uint8
	From, To netip.AddrPort
}

// WatchGuards reports what firewalls do with new connections until ctx ends.
// report is called from several goroutines.
func (f *Fabric) WatchGuards(ctx context.Context, report func(Guard, GuardEvent)) error {
	return f.attend(&daemon{
		name: "firewall logs", ctx: ctx, running: map[instance]func(){},
		wants: func(s Space) bool { return s.Guard != nil }, version: guardVersion,
		start: func(s Space, full string) (func(), error) {
			conn, err := listenLog(full, guardGroup)
			if err != nil {
				return nil, err
			}
			go func() {
				for {
					list, err := conn.Receive()
					if err != nil {
						return // it is closed
					}
					for _, m := range list {
						if e, ok := parseLog(m.Data); ok {
							report(*s.Guard, e)
						}
					}
				}
			}()
			return func() { conn.Close() }, nil
		},
	})
}

// Of linux/netfilter/nfnetlink_log.h and nfnetlink.h.
const (
	logSubsystem = 4
	logConfig    = logSubsystem<<8 | 1

	configCommand = 1
	configMode    = 2
	bind          = 1
	copyPacket    = 2

	logPayload = 9
	logPrefix  = 10

	genericHeader = 4 // bytes before the attributes
	logBuffer     = 1 << 20
)

// listenLog opens a group of the log of a namespace. The kernel gives each to one
// listener at a time.
func listenLog(full string, group uint16) (*netlink.Conn, error) {
	fd, err := openNamespace(full)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{NetNS: fd})
	if err != nil {
		return nil, fmt.Errorf("opening the log: %w", err)
	}
	_ = conn.SetReadBuffer(logBuffer) // a smaller one only loses lines
	mode := append(binary.BigEndian.AppendUint32(nil, 0), copyPacket, 0)
	for _, a := range []netlink.Attribute{{Type: configCommand, Data: []byte{bind}}, {Type: configMode, Data: mode}} {
		body, err := netlink.MarshalAttributes([]netlink.Attribute{a})
		if err == nil {
			header := binary.BigEndian.AppendUint16([]byte{unix.AF_UNSPEC, 0}, group)
			_, err = conn.Execute(netlink.Message{
				Header: netlink.Header{Type: logConfig, Flags: netlink.Request | netlink.Acknowledge}, Data: append(header, body...),
			})
		}
		if err != nil {
			conn.Close()
			return nil, fmt.Errorf("asking for the log: %w", err)
		}
	}
	return conn, nil
}

// parseLog reads one message of the log.
func parseLog(b []byte) (GuardEvent, bool) {
	e := GuardEvent{Time: time.Now(), Rule: -1}
	if len(b) < genericHeader {
		return e, false
	}
	list, err := netlink.UnmarshalAttributes(b[genericHeader:])
	if err != nil {
		return e, false
	}
	ruled, packet := false, false
	for _, a := range list {
		switch a.Type {
		case logPrefix:
			text := strings.TrimRight(string(a.Data), "\x00")
			n, err := strconv.Atoi(strings.TrimPrefix(text, "rule "))
			e.Rule, ruled = n, err == nil
		case logPayload:
			packet = e.packet(a.Data)
		}
	}
	return e, ruled && packet
}

// packet reads the addresses of an IPv4 packet (RFC 791).
func (e *GuardEvent) packet(b []byte) bool {
	const shortest = 20
	if len(b) > 0 && b[0]>>4 == 6 {
		return e.packet6(b)
	}
	if len(b) < shortest || b[0]>>4 != 4 {
		return false
	}
	e.Protocol = b[9]
	from, to := netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20]))
	var ports [2]uint16
	if rest := b[min(len(b), int(b[0]&0x0f)*4):]; len(rest) >= 4 && (e.Protocol == protoTCP || e.Protocol == protoUDP) {
		ports = [2]uint16{binary.BigEndian.Uint16(rest), binary.BigEndian.Uint16(rest[2:])}
	}
	e.From, e.To = netip.AddrPortFrom(from, ports[0]), netip.AddrPortFrom(to, ports[1])
	return true
}

// packet6 reads the addresses of an IPv6 packet, and its ports where they follow
// the header (RFC 8200).
func (e *GuardEvent) packet6(b []byte) bool {
	const header = 40
	if len(b) < header {
		return false
	}
	e.Protocol = b[6]
	from, to := netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40]))
	var ports [2]uint16
	if rest := b[header:]; len(rest) >= 4 && (e.Protocol == protoTCP || e.Protocol == protoUDP) {
		ports = [2]uint16{binary.BigEndian.Uint16(rest), binary.BigEndian.Uint16(rest[2:])}
	}
	e.From, e.To = netip.AddrPortFrom(from, ports[0]), netip.AddrPortFrom(to, ports[1])
	return true
}
