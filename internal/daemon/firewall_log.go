package daemon

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/fabric"
	"github.com/cloister-ml/cloister/internal/fabric/sieve"
	"github.com/cloister-ml/cloister/network"
)

// Tables of Azure Firewall's resource-specific logs. Source: Azure Monitor
// reference, tables "AZFWNetworkRule", "AZFWApplicationRule" and "AZFWNatRule".
const (
	tableNetwork     = "AZFWNetworkRule"
	tableApplication = "AZFWApplicationRule"
	tableNAT         = "AZFWNatRule"
)

// FirewallRecord is a row of one of the tables, with the columns' own names; those
// that the table does not have are left out.
type FirewallRecord struct {
	Type                string    `json:"Type"`
	TimeGenerated       time.Time `json:"TimeGenerated"`
	ResourceID          arm.ID    `json:"_ResourceId"`
	Protocol            string    `json:"Protocol"`
	SourceIP            string    `json:"SourceIp"`
	SourcePort          int       `json:"SourcePort"`
	DestinationIP       string    `json:"DestinationIp,omitempty"`
	DestinationPort     int       `json:"DestinationPort"`
	Fqdn                string    `json:"Fqdn,omitempty"`
	IsTLSInspected      *bool     `json:"IsTlsInspected,omitempty"`
	TranslatedIP        string    `json:"TranslatedIp,omitempty"`
	TranslatedPort      int       `json:"TranslatedPort,omitzero"`
	Action              string    `json:"Action,omitempty"` // Allow or Deny
	Policy              string    `json:"Policy,omitempty"`
	RuleCollectionGroup string    `json:"RuleCollectionGroup,omitempty"`
	RuleCollection      string    `json:"RuleCollection,omitempty"`
	Rule                string    `json:"Rule,omitempty"`
	ActionReason        string    `json:"ActionReason,omitempty"`
}

func (r *FirewallRecord) written(o network.FirewallOrigin) {
	r.Policy, r.RuleCollectionGroup, r.RuleCollection, r.Rule = o.Policy.Name(), o.Group, o.Collection, o.Rule
}

func access(allow bool) string {
	if allow {
		return "Allow"
	}
	return "Deny"
}

var protocolNames = map[uint8]string{1: "ICMP", 6: "TCP", 17: "UDP"}

// networkRecord is what the packet filter of a firewall did.
func networkRecord(g fabric.Guard, e fabric.GuardEvent) FirewallRecord {
	r := FirewallRecord{
		Type: tableNetwork, TimeGenerated: e.Time.UTC(), ResourceID: g.Firewall, Protocol: protocolNames[e.Protocol],
		SourceIP: e.From.Addr().String(), SourcePort: int(e.From.Port()),
		DestinationIP: e.To.Addr().String(), DestinationPort: int(e.To.Port()),
	}
	if public, ok := g.Fronts[e.To.Addr()]; ok {
		r.DestinationIP = public.String()
	}
	if e.Rule < 0 || e.Rule >= len(g.Rules) {
		r.Action, r.ActionReason = "Deny", "Default Action"
		return r
	}
	rule := g.Rules[e.Rule]
	r.written(rule.Origin)
	r.Action = access(rule.Allow)
	if rule.Kind == "NAT" {
		r.Type, r.Action = tableNAT, ""
		r.TranslatedIP, r.TranslatedPort = rule.To.Addr().String(), int(rule.To.Port())
	}
	return r
}

// applicationRecord is what the proxy of a firewall did.
func applicationRecord(g fabric.Guard, d sieve.Decision) FirewallRecord {
	inspected := false
	r := FirewallRecord{
		Type: tableApplication, TimeGenerated: d.Time.UTC(), ResourceID: g.Firewall, Protocol: strings.ToUpper(d.Scheme),
		SourceIP: d.Source.Addr().Unmap().String(), SourcePort: int(d.Source.Port()), DestinationPort: int(d.To.Port()),
		Fqdn: d.Host, IsTLSInspected: &inspected, Action: access(d.Allow),
	}
	if d.Rule < 0 || d.Rule >= len(g.Origins) {
		r.ActionReason = "Default Action"
		return r
	}
	r.written(g.Origins[d.Rule])
	return r
}

// keptRecords is how many rows are kept, the newest.
const keptRecords = 10_000

// firewallLog keeps the newest rows.
type firewallLog struct {
	mu   sync.Mutex
	rows []FirewallRecord
}

func (l *firewallLog) add(r FirewallRecord) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.rows) >= keptRecords+keptRecords/10 {
		l.rows = slices.Clone(l.rows[len(l.rows)-keptRecords:])
	}
	l.rows = append(l.rows, r)
}

// list is what is kept of one firewall, or with no name of all.
func (l *firewallLog) list(name string) []FirewallRecord {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := []FirewallRecord{}
	for _, r := range l.rows {
		if name == "" || strings.EqualFold(r.ResourceID.Name(), name) {
			out = append(out, r)
		}
	}
	return out
}
