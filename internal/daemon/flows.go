package daemon

import (
	"context"
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

// getFlows answers with a line for each decision until the caller goes.
func (d *Daemon) getFlows(w http.ResponseWriter, r *http.Request) {
	out := newLines[Flow](w)
	out.fail(d.fabric.Flows(r.Context(), func(f fabric.Flow) {
		access := "Deny"
		if f.Allow {
			access = "Allow"
		}
		out.item(Flow{
			f.Time.UTC(), f.VNet.Name(), f.NIC, f.NSG, string(f.Direction), f.Rule, access, protocolName(f.Protocol), f.Source, f.Destination,
		})
	}))
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
	return group == "" || f.Group != "" && named(f.Group, group)
}

// named reports whether a document is meant by a name or id.
func named(id arm.ID, of string) bool {
	return strings.EqualFold(id.Name(), of) || id.Equal(arm.ID(of))
}

// Flows hands over the decisions of the security groups until ctx ends.
func (c *Client) Flows(ctx context.Context, each func(Flow) error) error {
	return untilDone(ctx, follow(ctx, c, http.MethodGet, "/nsg/flows", "the flows", each))
}
