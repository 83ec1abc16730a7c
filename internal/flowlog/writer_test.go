package flowlog_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
	"github.com/cloister-ml/cloister/internal/flowlog"
	"github.com/cloister-ml/cloister/internal/provider/network"
	"github.com/cloister-ml/cloister/internal/provider/storage"
	"github.com/cloister-ml/cloister/service"
)

// desk is a cloud with a network, a storage account and a flow log, whose writer is
// under test.
type desk struct {
	*testing.T
	cloud     *cloudtest.Cloud
	vnet, log arm.ID
	account   arm.Resource
	writer    *flowlog.Writer
	written   []error
}

func at(typ, name string) arm.ID { return arm.ResourceID(cloudtest.Subscription, "rg", typ, name) }

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{T: t, vnet: at("Microsoft.Network/virtualNetworks", "vnet")}
	d.cloud = cloudtest.Start(t, func(host cloud.Host) []cloud.Provider {
		return []cloud.Provider{network.New(nil), storage.New(host)}
	})
	d.account = arm.Resource{ID: at(service.TypeStorageAccount, "stlogs"), Location: "westeurope", Kind: "StorageV2", SKU: arm.Object{"name": "Standard_LRS"}, Properties: arm.Object{}}
	watcher := at("Microsoft.Network/networkWatchers", "nw")
	d.log = watcher.Child("flowLogs", "fl")
	d.put(arm.Resource{ID: arm.GroupID(cloudtest.Subscription, "rg"), Location: "westeurope"})
	d.put(d.account)
	d.put(arm.Resource{ID: d.vnet, Location: "westeurope", Properties: arm.Object{"addressSpace": arm.Object{"addressPrefixes": []any{"10.1.0.0/16"}}}})
	d.put(arm.Resource{ID: watcher, Location: "westeurope", Properties: arm.Object{}})
	d.put(arm.Resource{ID: d.log, Location: "westeurope", Properties: arm.Object{
		"targetResourceId": string(d.vnet), "storageId": string(d.account.ID), "enabled": true,
		"format": arm.Object{"type": "JSON", "version": 2}, "retentionPolicy": arm.Object{"enabled": true, "days": 7},
	}})
	d.writer = flowlog.NewWriter(flowlog.Options{
		Logs:   func() []flowlog.Log { return []flowlog.Log{d.read()} },
		Client: func(as arm.ID) *http.Client { return d.cloud.Cloud.Client(as) },
		Wrote:  func(_ flowlog.Log, err error, _ int) { d.written = append(d.written, err) },
	})
	return d
}

func (d *desk) read() flowlog.Log {
	doc, _ := d.cloud.Get(d.log)
	l, ok := flowlog.Of(doc)
	if !ok {
		d.Fatal("the flow log cannot be read")
	}
	return l
}

func (d *desk) put(r arm.Resource) {
	d.Helper()
	if _, err := d.cloud.Client().Put(d.Context(), r); err != nil {
		d.Fatal(err)
	}
}

// with changes a property of the storage account.
func (d *desk) with(name string, value any) {
	d.Helper()
	r := d.account
	r.Properties = arm.Object{name: value}
	d.put(r)
}

var noon = time.Date(2026, 3, 4, 12, 5, 6, 0, time.UTC)

func (d *desk) event(port uint16) flowlog.Event {
	return flowlog.Event{
		Time: noon, State: flowlog.Begin, VNet: d.vnet, NIC: at("Microsoft.Network/networkInterfaces", "nic"), Protocol: 6,
		Source: netip.MustParseAddrPort("10.1.0.4:40000"), Destination: netip.AddrPortFrom(netip.MustParseAddr("10.1.0.5"), port),
	}
}

// flush writes an event at a time and says what went wrong.
func (d *desk) flush(now time.Time, port uint16) error {
	d.written = nil
	d.writer.Add(d.event(port))
	d.writer.Flush(d.Context(), now)
	if len(d.written) == 0 {
		d.Fatal("nothing was said of the writing")
	}
	return d.written[0]
}

// blob reads a blob as its owner does, with the account's key.
func (d *desk) blob(hour time.Time) (string, error) {
	d.Helper()
	var keys struct{ Keys []struct{ Value string } }
	if err := d.cloud.Client().Post(d.Context(), d.account.ID, "listKeys", nil, &keys); err != nil {
		d.Fatal(err)
	}
	credential, err := azblob.NewSharedKeyCredential("stlogs", keys.Keys[0].Value)
	if err != nil {
		d.Fatal(err)
	}
	client, err := azblob.NewClientWithSharedKeyCredential("https://stlogs.blob.core.windows.net/", credential,
		&azblob.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: d.cloud.Cloud.Client("")}})
	if err != nil {
		d.Fatal(err)
	}
	l := d.read()
	mac := strings.ReplaceAll(service.MAC(at("Microsoft.Network/networkInterfaces", "nic")), "-", "")
	answer, err := client.DownloadStream(d.Context(), l.Container(), l.Blob(hour, mac), nil)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return string(body), err
}

func TestHoursBlobGrows(t *testing.T) {
	d := newDesk(t)
	for i, now := range []time.Time{noon, noon.Add(time.Minute), noon.Add(2 * time.Minute)} {
		if err := d.flush(now, uint16(443+i)); err != nil {
			t.Fatal(err)
		}
	}
	body, err := d.blob(noon)
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Records []struct {
			Time        string
			FlowRecords struct {
				Flows []struct {
					FlowGroups []struct{ FlowTuples []string }
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &all); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	if len(all.Records) != 3 || all.Records[2].Time != "2026-03-04T12:07:06.0000000Z" {
		t.Fatalf("got %s", body)
	}
	if got, want := all.Records[2].FlowRecords.Flows[0].FlowGroups[0].FlowTuples[0], "1772625906000,10.1.0.4,10.1.0.5,40000,445,6,O,B,NX,0,0,0,0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestStorageAccountDecides(t *testing.T) {
	d := newDesk(t)
	for _, c := range []struct {
		name, property string
		value          any
		want           string // of the error
	}{
		{"trusted services pass the firewall", "networkAcls", arm.Object{"defaultAction": "Deny", "bypass": "AzureServices"}, ""},
		{"unless the account lets none in", "networkAcls", arm.Object{"defaultAction": "Deny", "bypass": "None"}, "AuthorizationFailure"},
		{"or does not let keys be used", "allowSharedKeyAccess", false, "KeyBasedAuthenticationNotPermitted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d.with(c.property, c.value)
			err := d.flush(noon, 443)
			checked := d.writer.Check(t.Context(), d.read())
			for _, err := range []error{err, checked} {
				if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want %q", err, c.want)
				}
			}
		})
	}
}

func TestIdentityWrites(t *testing.T) {
	d := newDesk(t)
	d.with("allowSharedKeyAccess", false)
	user := at("Microsoft.ManagedIdentity/userAssignedIdentities", "id-logs")
	d.put(arm.Resource{ID: user, Location: "westeurope", Properties: arm.Object{}})
	doc, _ := d.cloud.Get(d.log)
	doc.Identity = &arm.Identity{Type: "UserAssigned", User: map[string]arm.Object{string(user): {}}}
	d.put(doc)
	if err := d.flush(noon, 443); err == nil || !strings.Contains(err.Error(), "AuthorizationPermissionMismatch") {
		t.Errorf("an identity without a role: %v", err)
	}
}

func TestRetention(t *testing.T) {
	d := newDesk(t)
	if err := d.flush(noon, 443); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		after time.Duration
		there bool
	}{{7 * 24 * time.Hour, true}, {7*24*time.Hour + time.Hour, false}} {
		d.writer.Flush(t.Context(), noon.Add(c.after))
		if _, err := d.blob(noon); (err == nil) != c.there {
			t.Errorf("after %s: %v", c.after, err)
		}
	}
}
