package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/fabric"
	"github.com/cloister-ml/cloister/internal/flowlog"
	"github.com/cloister-ml/cloister/network"
)

// flowLogs writes the estate's flow logs.
type flowLogs struct {
	writer *flowlog.Writer

	mu     sync.Mutex
	failed map[string]error // by the log's key: why it could not be written the last time
}

// serveFlowLogs follows what passes the networks that have a flow log.
func (d *Daemon) serveFlowLogs(ctx context.Context) error {
	d.scheduler.Go(func() { d.logs.writer.Run(ctx) })
	return d.fabric.WatchConnections(ctx, func(vnet arm.ID) bool { return d.view().logged[vnet.Key()] }, func(e fabric.FlowEvent) {
		d.logs.writer.Add(eventOf(e))
	})
}

func (d *Daemon) openFlowLogs() {
	d.logs.failed = map[string]error{}
	d.logs.writer = flowlog.NewWriter(flowlog.Options{
		Logs:   func() []flowlog.Log { return d.view().logs },
		Client: func(as arm.ID) *http.Client { return d.cloud.Client(as) },
		Wrote:  d.wroteFlowLog,
	})
}

func (d *Daemon) wroteFlowLog(l flowlog.Log, err error, lost int) {
	if lost > 0 {
		d.log.Warn("more flows than a flow log holds: some are left out", "flowLog", l.ID.Name(), "lost", lost)
	}
	if err != nil {
		d.log.Warn("writing a flow log", "flowLog", l.ID.Name(), "error", err)
	}
	d.logs.mu.Lock()
	defer d.logs.mu.Unlock()
	d.logs.failed[l.ID.Key()] = err
}

// failures puts into the states of flow logs why they could not be written.
func (f *flowLogs) failures(list []cloud.Status) []cloud.Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, s := range list {
		if err := f.failed[s.ID.Key()]; err != nil && s.Error == "" && strings.EqualFold(s.Type, flowlog.Type) {
			list[i].Ready, list[i].Error = false, err.Error()
		}
	}
	return list
}

// Check implements the network provider's FlowLogs.
func (s *syncer) Check(ctx context.Context, r arm.Resource) error {
	l, ok := flowlog.Of(r)
	if !ok {
		return nil // what is not known before deployment is not written
	}
	return s.d.logs.writer.Check(ctx, l)
}

var states = map[fabric.FlowState]flowlog.State{
	fabric.FlowBegins: flowlog.Begin, fabric.FlowGoesOn: flowlog.Continue, fabric.FlowEnds: flowlog.End, fabric.FlowDenied: flowlog.Deny,
}

func eventOf(e fabric.FlowEvent) flowlog.Event {
	return flowlog.Event{
		Time: e.Time, State: states[e.State], VNet: e.VNet, Subnet: e.Subnet, NIC: e.NIC, NSG: e.NSG, Rule: e.Rule, Default: e.Default,
		Inbound: e.Direction == network.Inbound, Protocol: e.Protocol, Source: e.Source, Destination: e.Destination,
		Sent: flowlog.Volume(e.Sent), Received: flowlog.Volume(e.Received),
	}
}

// logsOf are an estate's flow logs that are written, and the networks that they
// are about.
func logsOf(e *arm.Estate, t *network.Topology) (logs []flowlog.Log, logged map[string]bool) {
	logged = map[string]bool{}
	for _, r := range e.OfType(flowlog.Type) {
		l, ok := flowlog.Of(r)
		if !ok || !l.Enabled {
			continue
		}
		logs = append(logs, l)
		for _, v := range t.VNets {
			if l.Target.Within(v.ID) {
				logged[v.ID.Key()] = true
			}
		}
		for _, s := range t.Subnets {
			if s.NSG.Equal(l.Target) {
				logged[s.ID.Parent().Key()] = true
			}
		}
		for _, n := range t.NICs {
			if n.NSG.Equal(l.Target) || n.ID.Equal(l.Target) {
				logged[n.Subnet.Parent().Key()] = true
			}
		}
	}
	return logs, logged
}

// getFlowLogs answers with a line for each record that is written, until the caller
// goes.
func (d *Daemon) getFlowLogs(w http.ResponseWriter, r *http.Request) {
	of := r.URL.Query().Get("of")
	out := newLines[json.RawMessage](w)
	found := false
	for _, l := range d.view().logs {
		found = found || concerns(l, of)
	}
	if !found {
		out.fail(noFlowLog(of))
		return
	}
	records := make(chan []byte)
	leave := d.logs.writer.Listen(func(l flowlog.Log, record []byte) {
		if !concerns(l, of) {
			return
		}
		select {
		case records <- record:
		case <-r.Context().Done():
		}
	})
	defer leave()
	for {
		select {
		case <-r.Context().Done():
			return
		case record := <-records:
			out.item(record)
		}
	}
}

func noFlowLog(of string) error {
	if of == "" {
		return errors.New("the cloud has no flow log that is enabled: add an azurerm_network_watcher_flow_log, or a Microsoft.Network/networkWatchers/flowLogs")
	}
	return fmt.Errorf("the cloud has no enabled flow log called %s, nor one of a network or security group of that name", of)
}

// concerns reports whether a log is meant by a name or id: its own or its target's.
func concerns(l flowlog.Log, of string) bool {
	return of == "" || named(l.ID, of) || named(l.Target, of)
}

// FlowLogs hands over the records of flow logs as they are written, until ctx ends:
// of all, or of those that of names.
func (c *Client) FlowLogs(ctx context.Context, of string, each func(record []byte) error) error {
	path := "/nsg/flowlogs?" + url.Values{"of": {of}}.Encode()
	return untilDone(ctx, follow(ctx, c, http.MethodGet, path, "the flow logs", func(r json.RawMessage) error { return each(r) }))
}
