package flowlog

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/arm"
)

// timeFormat has seven digits after the seconds, as Azure writes it.
const timeFormat = "2006-01-02T15:04:05.0000000Z"

type networkRecord struct {
	Time        string      `json:"time"`
	Version     int         `json:"flowLogVersion"`
	GUID        string      `json:"flowLogGUID"`
	MAC         string      `json:"macAddress"`
	Category    string      `json:"category"`
	FlowLog     string      `json:"flowLogResourceID"`
	Target      arm.ID      `json:"targetResourceID"`
	Operation   string      `json:"operationName"`
	FlowRecords flowRecords `json:"flowRecords"`
}

type flowRecords struct {
	Flows []*aclFlows `json:"flows"`
}

type aclFlows struct {
	ACL    string       `json:"aclID"`
	Groups []*flowGroup `json:"flowGroups"`
}

type flowGroup struct {
	Rule   string   `json:"rule"`
	Tuples []string `json:"flowTuples"`
}

type groupRecord struct {
	Time       string          `json:"time"`
	System     string          `json:"systemId"`
	MAC        string          `json:"macAddress"`
	Category   string          `json:"category"`
	Resource   string          `json:"resourceId"`
	Operation  string          `json:"operationName"`
	Properties groupProperties `json:"properties"`
}

type groupProperties struct {
	Version int          `json:"Version"`
	Flows   []*ruleFlows `json:"flows"`
}

type ruleFlows struct {
	Rule  string     `json:"rule"`
	Flows []macFlows `json:"flows"`
}

type macFlows struct {
	MAC    string   `json:"mac"`
	Tuples []string `json:"flowTuples"`
}

// Record is what one network interface met since the record before. ok is false
// where the log's format has nothing to say of it.
func (l Log) Record(at time.Time, mac string, events []Event) (record []byte, ok bool) {
	var v any
	if l.ofGroup() {
		v, ok = l.groupRecord(at, mac, events)
	} else {
		v, ok = l.networkRecord(at, mac, events), len(events) > 0
	}
	if !ok {
		return nil, false
	}
	record, err := json.Marshal(v)
	return record, err == nil
}

func (l Log) networkRecord(at time.Time, mac string, events []Event) networkRecord {
	const category = "FlowLogFlowEvent"
	r := networkRecord{
		Time: at.UTC().Format(timeFormat), Version: 4, GUID: arm.StableGUID(l.ID, "resourceGuid"), MAC: mac, Category: category,
		FlowLog: strings.ToUpper(string(l.ID)), Target: l.Target, Operation: category,
	}
	acls, rules := map[string]*aclFlows{}, map[[2]string]*flowGroup{}
	for _, e := range events {
		name := [2]string{e.acl(), e.rule()}
		acl := acls[name[0]]
		if acl == nil {
			acl = &aclFlows{ACL: name[0]}
			acls[name[0]] = acl
			r.FlowRecords.Flows = append(r.FlowRecords.Flows, acl)
		}
		g := rules[name]
		if g == nil {
			g = &flowGroup{Rule: name[1]}
			rules[name] = g
			acl.Groups = append(acl.Groups, g)
		}
		g.Tuples = append(g.Tuples, e.networkTuple())
	}
	return r
}

func (l Log) groupRecord(at time.Time, mac string, events []Event) (groupRecord, bool) {
	r := groupRecord{
		Time: at.UTC().Format(timeFormat), System: arm.StableGUID(l.Target, "resourceGuid"), MAC: mac, Category: "NetworkSecurityGroupFlowEvent",
		Resource: strings.ToUpper(string(l.Target)), Operation: "NetworkSecurityGroupFlowEvents", Properties: groupProperties{Version: max(1, l.Version)},
	}
	rules := map[string]*ruleFlows{}
	for _, e := range events {
		tuple, ok := e.groupTuple(l.Version)
		if !ok {
			continue
		}
		f := rules[e.rule()]
		if f == nil {
			f = &ruleFlows{Rule: e.rule(), Flows: []macFlows{{MAC: mac}}}
			rules[e.rule()] = f
			r.Properties.Flows = append(r.Properties.Flows, f)
		}
		f.Flows[0].Tuples = append(f.Flows[0].Tuples, tuple)
	}
	return r, len(rules) > 0
}
