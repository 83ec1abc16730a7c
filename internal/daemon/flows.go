package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/fabric"
)

// Flow is what a network security group decided about the beginning of a
// connection. Ports are 0 for protocols that have none.
type Flow struct {
	Time        time.Time      `json:"time"`
	Network     string         `json:"virtualNetwork"`
	NIC         arm.ID         `json:"networkInterface"`
	Group       arm.ID         `json:"networkSecurityGroup,omitempty"` // none for security admin rules
	Direction   string         `json:"direction"`                      // Inbound or Outbound
	Rule        string         `json:"rule,omitempty"`                 // none where no rule is for it
	Access      string         `json:"access"`                         // Allow or Deny
	Protocol    string         `json:"protocol"`
	Source      netip.AddrPort `json:"source"`
	Destination netip.AddrPort `json:"destination"`
}

// flowLine is one line of the answer: a flow, or why there are no more.
type flowLine struct {
	Flow  *Flow  `json:"flow,omitempty"`
	Error string `json:"error,omitempty"`
}

// getFlows answers with a line for each decision until the caller goes.
func (d *Daemon) getFlows(w http.ResponseWriter, r *http.Request) {
	lines, flush := json.NewEncoder(w), http.NewResponseController(w)
	w.Header().Set("Content-Type", "application/x-ndjson")
	_ = flush.Flush()
	err := d.fabric.Flows(r.Context(), func(f fabric.Flow) {
		access := "Deny"
		if f.Allow {
			access = "Allow"
		}
		_ = lines.Encode(flowLine{Flow: &Flow{
			f.Time.UTC(), f.VNet.Name(), f.NIC, f.NSG, string(f.Direction), f.Rule, access, protocolName(f.Protocol), f.Source, f.Destination,
		}})
		_ = flush.Flush()
	})
	if err != nil {
		_ = lines.Encode(flowLine{Error: err.Error()})
	}
}

// protocolName is what security rules call a protocol, or its number.
func protocolName(n uint8) string {
	if name, ok := map[uint8]string{1: "Icmp", 6: "Tcp", 17: "Udp", 50: "Esp", 51: "Ah"}[n]; ok {
		return name
	}
	return strconv.Itoa(int(n))
}

// Concerns reports whether a flow is of a group, by its name or id.
func (f Flow) Concerns(group string) bool {
	return group == "" || f.Group != "" && (strings.EqualFold(f.Group.Name(), group) || f.Group.Equal(arm.ID(group)))
}

// Flows hands over the decisions of the security groups until ctx ends.
func (c *Client) Flows(ctx context.Context, each func(Flow) error) error {
	resp, err := c.send(ctx, http.MethodGet, "/nsg/flows", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := json.NewDecoder(resp.Body)
	for {
		var line flowLine
		switch err := lines.Decode(&line); {
		case ctx.Err() != nil || errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("reading the flows: %w", err)
		case line.Error != "":
			return errors.New(line.Error)
		case line.Flow != nil:
			if err := each(*line.Flow); err != nil {
				return err
			}
		}
	}
}
