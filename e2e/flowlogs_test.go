//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// listBlobs prints the names and the texts of a container's blobs, with the machine's
// own identity: a JSON object a line.
const listBlobs = `
import json, sys, urllib.error, urllib.parse, urllib.request
import xml.etree.ElementTree as xml
def get(url, **headers):
    return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10).read().decode()
account, container = sys.argv[1:]
ask = "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://storage.azure.com/"
bearer = {"Authorization": "Bearer " + json.loads(get(ask, Metadata="true"))["access_token"], "x-ms-version": "2023-11-03"}
at = "https://%s.blob.core.windows.net/%s" % (account, container)
try:
    page = get(at + "?restype=container&comp=list", **bearer)
except urllib.error.HTTPError as e:
    sys.exit(0 if e.code == 404 else str(e))
for name in xml.fromstring(page).iter("Name"):
    print(json.dumps({"name": name.text, "text": get(at + "/" + urllib.parse.quote(name.text), **bearer)}))
`

// blobsIn are the texts of a container's blobs by name, as a machine reads them.
func blobsIn(t *testing.T, c cloud, machine, account, container string) map[string]string {
	t.Helper()
	out, status := c.in(t, machine, nil, "python3", "-c", listBlobs, account, container)
	if status != 0 {
		t.Fatalf("reading %s: %s", container, out)
	}
	blobs := map[string]string{}
	for line := range strings.Lines(out) {
		var b struct{ Name, Text string }
		if err := json.Unmarshal([]byte(line), &b); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		blobs[b.Name] = b.Text
	}
	return blobs
}

// flowsOf is what both forms of a flow log's record have in common.
type flowsOf struct {
	Category string
	// Records of a network.
	FlowRecords struct {
		Flows []struct {
			FlowGroups []struct {
				Rule       string
				FlowTuples []string
			}
		}
	}
	// Records of a security group.
	Properties struct {
		Flows []struct {
			Rule  string
			Flows []struct{ FlowTuples []string }
		}
	}
}

// tuples are those of every record in the blobs, each with its rule before it.
func tuples(t *testing.T, blobs map[string]string, category string) []string {
	t.Helper()
	var out []string
	for name, text := range blobs {
		if !strings.HasSuffix(name, "/PT1H.json") {
			t.Errorf("a blob of a flow log is called %s", name)
		}
		var file struct{ Records []flowsOf }
		if err := json.Unmarshal([]byte(text), &file); err != nil {
			t.Fatalf("%s is not JSON: %v: %s", name, err, text)
		}
		for _, r := range file.Records {
			if r.Category != category {
				t.Errorf("the category is %s, want %s", r.Category, category)
			}
			for _, flow := range r.FlowRecords.Flows {
				for _, group := range flow.FlowGroups {
					for _, tuple := range group.FlowTuples {
						out = append(out, group.Rule+" "+tuple)
					}
				}
			}
			for _, rule := range r.Properties.Flows {
				for _, flow := range rule.Flows {
					for _, tuple := range flow.FlowTuples {
						out = append(out, rule.Rule+" "+tuple)
					}
				}
			}
		}
	}
	return out
}

// anyHas reports a text in which all parts are.
func anyHas(texts []string, parts ...string) bool {
	for _, text := range texts {
		has := true
		for _, part := range parts {
			has = has && strings.Contains(text, part)
		}
		if has {
			return true
		}
	}
	return false
}

// What the group allows and denies is in the storage account, as Azure's flow logs of
// both kinds write it, and `nsg flows` says it as it happens.
func TestFlowLogs(t *testing.T) {
	c := newCloud(t, "l")
	c.must(t, "up", "testdata/flowlogs")

	ctx, cancel := context.WithCancel(t.Context())
	watch := exec.CommandContext(ctx, "../bin/cloister", "nsg", "flows", "nsg-machines")
	watch.Env = append(os.Environ(), "CLOISTER_NAME="+c.name, "CLOISTER_DATA="+c.dir)
	watch.Cancel = func() error { return watch.Process.Signal(os.Interrupt) }
	said, err := watch.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := watch.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); _ = watch.Wait() }()
	lines := make(chan string, 1024)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(said); s.Scan(); {
			lines <- s.Text()
		}
	}()

	var live []string
	network, group := []string(nil), []string(nil)
	done := func() bool {
		return anyHas(network, "DefaultRule_AllowVnet", "10.1.0.4,10.1.0.5", ",22,6,O,B,") &&
			anyHas(network, "UserRule_no-8080", "10.1.0.4,10.1.0.5", ",8080,6,I,D,") &&
			anyHas(group, "DefaultRule_AllowVnet", "10.1.0.4,10.1.0.5", ",22,T,O,A,B,") &&
			anyHas(group, "UserRule_no-8080", "10.1.0.4,10.1.0.5", ",8080,T,I,D,")
	}
	for end := time.Now().Add(3 * time.Minute); !done() && time.Now().Before(end); time.Sleep(5 * time.Second) {
		for port, want := range map[string]string{"22": "open", "8080": "timed out"} {
			if out, _ := c.in(t, "vm-one", nil, "python3", "-c", knock, "10.1.0.5", port); strings.TrimSpace(out) != want {
				t.Errorf("port %s is %s, want %s", port, out, want)
			}
		}
		network = tuples(t, blobsIn(t, c, "vm-one", "stflowlogse2e", "insights-logs-flowlogflowevent"), "FlowLogFlowEvent")
		group = tuples(t, blobsIn(t, c, "vm-one", "stflowlogse2e", "insights-logs-networksecuritygroupflowevent"), "NetworkSecurityGroupFlowEvent")
		for more := true; more; {
			select {
			case line := <-lines:
				live = append(live, line)
			default:
				more = false
			}
		}
	}
	if !done() {
		t.Errorf("of the network's log: %s\nof the group's: %s", strings.Join(network, "\n"), strings.Join(group, "\n"))
	}
	if !anyHas(live, "Allow", "10.1.0.5:22", "AllowVnet") || !anyHas(live, "Deny", "10.1.0.5:8080", "no-8080") {
		t.Errorf("nsg flows says:\n%s", strings.Join(live, "\n"))
	}
	if out, _ := c.in(t, "vm-two", nil, "python3", "-c", listBlobs, "stflowlogse2e", "insights-logs-flowlogflowevent"); !strings.Contains(out, "403") {
		t.Errorf("a machine without a role reads the flow log: %s", out)
	}
}
