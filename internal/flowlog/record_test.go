package flowlog

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/arm"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	sub     = "/subscriptions/7d9a1c5e-2f63-4a8b-9e1d-3c4b5a697887"
	inGroup = sub + "/resourceGroups/rg/providers/Microsoft.Network/"
	vnet    = arm.ID(inGroup + "virtualNetworks/vnet")
	subnet  = vnet + "/subnets/agents"
	nic     = arm.ID(inGroup + "networkInterfaces/nic")
	nsg     = arm.ID(inGroup + "networkSecurityGroups/nsg")
	account = arm.ID(sub + "/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/stlogs")
	logID   = arm.ID(sub + "/resourceGroups/NetworkWatcherRG/providers/Microsoft.Network/networkWatchers/NetworkWatcher_westeurope/flowLogs/fl")
	mac     = "000D3A112233"
)

var noon = time.Date(2026, 3, 4, 12, 5, 6, 789_000_000, time.UTC)

func ends(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// conversation is one connection out, one in that is denied, and what nothing
// guards.
func conversation() []Event {
	out := Event{
		Time: noon, State: Begin, VNet: vnet, Subnet: subnet, NIC: nic, NSG: nsg, Rule: "AllowVnetOutBound", Default: true,
		Protocol: protoTCP, Source: ends("10.1.0.4:40000"), Destination: ends("10.2.0.4:443"),
	}
	on, end := out, out
	on.Time, on.State, on.Sent, on.Received = noon.Add(5*time.Minute), Continue, Volume{1021, 588096}, Volume{8005, 4610880}
	end.Time, end.State, end.Sent, end.Received = noon.Add(6*time.Minute), End, Volume{52, 29952}, Volume{47, 27072}
	denied := out
	denied.State, denied.Inbound, denied.Rule, denied.Default = Deny, true, "no-ssh", false
	denied.Source, denied.Destination = ends("10.2.0.4:50000"), ends("10.1.0.4:22")
	query := out
	query.Protocol, query.NSG, query.Rule, query.Default, query.Destination = protoUDP, "", "", false, ends("[2001:db8::1]:53")
	query.Source = ends("[2001:db8::4]:5353")
	return []Event{out, on, end, denied, query}
}

func TestRecord(t *testing.T) {
	for _, c := range []struct {
		golden string
		log    Log
		events []Event
	}{
		{"network.json", Log{ID: logID, Target: vnet}, conversation()},
		{"group-1.json", Log{ID: logID, Target: nsg, Version: 1}, conversation()[:4]},
		{"group-2.json", Log{ID: logID, Target: nsg, Version: 2}, conversation()[:4]},
	} {
		t.Run(c.golden, func(t *testing.T) {
			record, ok := c.log.Record(noon, mac, c.events)
			if !ok {
				t.Fatal("no record")
			}
			var got bytes.Buffer
			if err := json.Indent(&got, record, "", "  "); err != nil {
				t.Fatal(err)
			}
			got.WriteByte('\n')
			name := filepath.Join("testdata", c.golden)
			if *update {
				if err := os.WriteFile(name, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("got %s", got.Bytes())
			}
		})
	}
	if _, ok := (Log{Target: nsg, Version: 1}).Record(noon, mac, conversation()[1:3]); ok {
		t.Error("the first version has a record of what only goes on")
	}
}

func TestBlob(t *testing.T) {
	for _, c := range []struct {
		log  Log
		want string
	}{
		{Log{ID: logID, Target: vnet}, "insights-logs-flowlogflowevent/flowLogResourceID=/7D9A1C5E-2F63-4A8B-9E1D-3C4B5A697887_NETWORKWATCHERRG/NETWORKWATCHER_WESTEUROPE_FL/y=2026/m=03/d=04/h=12/m=00/macAddress=000D3A112233/PT1H.json"},
		{Log{ID: logID, Target: nsg}, "insights-logs-networksecuritygroupflowevent/resourceId=/SUBSCRIPTIONS/7D9A1C5E-2F63-4A8B-9E1D-3C4B5A697887/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.NETWORK/NETWORKSECURITYGROUPS/NSG/y=2026/m=03/d=04/h=12/m=00/macAddress=000D3A112233/PT1H.json"},
	} {
		name := c.log.Blob(noon, mac)
		if got := c.log.Container() + "/" + name; got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
		if hour, ok := c.log.hourOf(name); !ok || !hour.Equal(noon.Truncate(time.Hour)) {
			t.Errorf("%s is of %s (%v)", name, hour, ok)
		}
	}
}

func TestFor(t *testing.T) {
	on := func(target arm.ID) Log {
		return Log{ID: arm.ID(string(target) + "-log"), Target: target, Enabled: true}
	}
	off := on(nic)
	off.Enabled = false
	tcp := conversation()[0]
	ping := tcp
	ping.Protocol = 1
	for _, c := range []struct {
		name string
		logs []Log
		of   Event
		want []arm.ID
	}{
		{"of the network", []Log{on(vnet)}, tcp, []arm.ID{vnet}},
		{"the closest of network, subnet and interface", []Log{on(nic), on(vnet), on(subnet)}, tcp, []arm.ID{nic}},
		{"one that is not enabled is none", []Log{off, on(vnet)}, tcp, []arm.ID{vnet}},
		{"of the group as well", []Log{on(vnet), on(nsg)}, tcp, []arm.ID{nsg, vnet}},
		{"a group's has TCP and UDP only", []Log{on(vnet), on(nsg)}, ping, []arm.ID{vnet}},
		{"of another group", []Log{on(nsg + "2")}, tcp, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := For(c.logs, c.of)
			if len(got) != len(c.want) {
				t.Fatalf("got %v, want %v", got, c.want)
			}
			for i := range got {
				if got[i].Target != c.want[i] {
					t.Errorf("got %v, want %v", got, c.want)
				}
			}
		})
	}
}

func TestBatchIsBounded(t *testing.T) {
	b := &batch{of: map[arm.ID][]Event{}, seen: map[key]bool{}}
	e := conversation()[0]
	for i := range MaxEvents + 10 {
		e.Source = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 16), 4}), uint16(i))
		b.add(e)
		b.add(e) // the same again
	}
	if b.n != MaxEvents || len(b.of[nic]) != MaxEvents || b.lost != 20 {
		t.Errorf("kept %d, lost %d", b.n, b.lost)
	}
}
