package fabric

import (
	"fmt"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/cloister-ml/cloister/internal/fabric/nft"
)

// Check says what this host lacks for the fabric: one sentence for each thing,
// none if it has all. It tries each thing in namespaces without a name, which
// are gone afterwards.
func Check() []string {
	if os.Geteuid() != 0 {
		return []string{"building networks needs root: run as root, as with sudo"}
	}
	var lacks []string
	err := onThread(func() error {
		far, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(far)
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			lacks = append(lacks, fmt.Sprintf("network namespaces cannot be made (%v): the kernel needs CONFIG_NET_NS, and a container the capability SYS_ADMIN", err))
			return nil
		}
		lacks = probe()
		return nil
	})
	if err != nil {
		lacks = append(lacks, fmt.Sprintf("network namespaces cannot be used: %v", err))
	}
	if err := prepareDir(); err != nil {
		lacks = append(lacks, fmt.Sprintf("namespaces cannot be named: %v", err))
	}
	return lacks
}

// probe tries the parts in the namespace that the thread is in.
func probe() []string {
	var lacks []string
	try := func(what string, err error) {
		if err != nil {
			lacks = append(lacks, fmt.Sprintf("%s: %v", what, err))
		}
	}
	try("kernel parameters cannot be set, as in a container whose /proc/sys is read-only", writeSettings(settings(RoleRouter, true)))
	handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return append(lacks, fmt.Sprintf("the kernel's routing cannot be reached: %v", err))
	}
	defer handle.Close()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "probe"
	try("veth pairs cannot be made: the kernel module veth is missing", handle.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "eborp"}))
	try("policy routing is missing: the kernel needs CONFIG_IP_MULTIPLE_TABLES", handle.RuleAdd(kernelRule(Rule{Priority: firstRule, Mark: 1, Table: 1000})))
	own, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return append(lacks, fmt.Sprintf("the thread's network namespace cannot be opened: %v", err))
	}
	defer unix.Close(own)
	conn, err := nft.Open(own)
	if err != nil {
		return append(lacks, fmt.Sprintf("nftables cannot be reached: the kernel module nf_tables is missing: %v", err))
	}
	defer conn.Close()
	try("nftables lacks a part that the networks need (modules nf_tables, nft_ct, nft_nat, nft_log, nfnetlink_log, nft_reject_ipv4)", conn.Load(probeTable()))
	events, err := trackEvents(own)
	try("connections cannot be followed for flow logs: the kernel module nf_conntrack_netlink (CONFIG_NF_CONNTRACK_EVENTS) is missing", err)
	if err == nil {
		events.Close()
	}
	try("what connections carry cannot be counted for flow logs: net.netfilter.nf_conntrack_acct cannot be set", count(own, true))
	return lacks
}

// probeTable uses every kind of thing that a router's table does.
func probeTable() nft.Table {
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.9")
	value := nft.Address
	source := []nft.Field{nft.Source}
	return nft.Table{
		Name: tableName,
		Sets: []nft.Set{
			{Name: "pairs", Key: []nft.Type{nft.IfName, nft.Addr}, Elems: []nft.Elem{{Key: []nft.Value{nft.Name("probe"), value(a)}}}},
			{Name: "ranges", Key: []nft.Type{nft.Addr}, Interval: true, Elems: []nft.Elem{{Key: []nft.Value{value(a)}, To: []nft.Value{value(b)}}}},
			{Name: "marks", Key: []nft.Type{nft.IfName}, Data: nft.Mark, Elems: []nft.Elem{{Key: []nft.Value{nft.Name("probe")}, Value: nft.Num(1)}}},
			{Name: "addresses", Key: []nft.Type{nft.Addr}, Data: nft.Addr, Elems: []nft.Elem{{Key: []nft.Value{value(a)}, Value: value(b)}}},
			{Name: "ways", Key: []nft.Type{nft.IfName}, Data: nft.VerdictType, Elems: []nft.Elem{{Key: []nft.Value{nft.Name("probe")}, Verdict: nft.Action{Verb: nft.Jump, Chain: "group"}}}},
		},
		Chains: []nft.Chain{
			{Name: "group", Rules: []nft.Rule{{
				Match: []nft.Match{nft.In("ranges", nft.Source), nft.Equals(nft.Protocol, nft.Num(protoTCP)), nft.Between(nft.DestinationPort, nft.Num(1), nft.Num(9))},
				Count: true, Do: nft.Action{Verb: nft.Return}, Comment: "probe",
			}}},
			{Name: "sources", Hook: nft.Prerouting, Priority: priorityRaw, Rules: []nft.Rule{
				{Do: nft.Action{Verb: nft.SetMark, Fields: []nft.Field{nft.InIf}, Map: "marks"}},
				{Match: []nft.Match{nft.In("pairs", nft.InIf, nft.Source)}, Do: accept},
			}},
			{Name: "forward", Hook: nft.Forward, Drop: true, Rules: append(tracked(), logged(),
				nft.Rule{Do: nft.Action{Verb: nft.Dispatch, Fields: []nft.Field{nft.OutIf}, Map: "ways"}},
				nft.Rule{Do: nft.Action{Verb: nft.Reject}})},
			{Name: "arriving", Hook: nft.Prerouting, NAT: true, Priority: priorityDestination, Rules: []nft.Rule{{Do: nft.Action{Verb: nft.TranslateDestination, Fields: source, Map: "addresses"}}}},
			{Name: "own", Hook: nft.Input, NAT: true, Priority: prioritySource, Rules: []nft.Rule{{Do: nft.Action{Verb: nft.TranslateSource, Fields: source, Map: "addresses"}}}},
			{Name: "leaving", Hook: nft.Postrouting, NAT: true, Priority: prioritySource, Rules: []nft.Rule{{Do: nft.Action{Verb: nft.TranslateSource, Fields: source, Map: "addresses"}}}},
		},
	}
}
