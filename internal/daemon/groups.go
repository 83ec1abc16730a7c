package daemon

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
)

// GroupCount is how often a rule of a network security group has decided about a
// new connection, in one virtual network.
type GroupCount struct {
	Group     string `json:"networkSecurityGroup"`
	ID        arm.ID `json:"id"`
	Network   string `json:"virtualNetwork"`
	Direction string `json:"direction"` // Inbound or Outbound
	Rule      string `json:"rule"`
	Access    string `json:"access"` // Allow or Deny
	Packets   uint64 `json:"packets"`
	Bytes     uint64 `json:"bytes"`
}

// getGroups answers the counts of every group, or of that whose name or id is
// asked for.
func (d *Daemon) getGroups(w http.ResponseWriter, r *http.Request) {
	want, found := r.URL.Query().Get("name"), false
	out := []GroupCount{}
	for _, g := range d.view().topology.NSGs {
		if want != "" && !strings.EqualFold(g.Name, want) && !g.ID.Equal(arm.ID(want)) {
			continue
		}
		found = true
		counts, err := d.fabric.Counters(g.ID)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		for _, c := range counts {
			access := "Deny"
			if c.Allow {
				access = "Allow"
			}
			out = append(out, GroupCount{g.Name, g.ID, c.VNet.Name(), string(c.Direction), c.Rule, access, c.Packets, c.Bytes})
		}
	}
	if want != "" && !found {
		http.Error(w, "there is no network security group "+want+": see cloister estate", http.StatusNotFound)
		return
	}
	cloud.WriteJSON(w, http.StatusOK, out)
}

// Groups are the counts of the rules of every network security group, or of one
// by its name or id, in the groups' and the rules' order.
func (c *Client) Groups(ctx context.Context, name string) (out []GroupCount, err error) {
	err = c.do(ctx, http.MethodGet, "/nsg?name="+url.QueryEscape(name), nil, &out)
	return out, err
}
