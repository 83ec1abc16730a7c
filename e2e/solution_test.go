//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/access"
	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/mission"
	"github.com/cloister-ml/cloister/service"
)

// TestSolution brings the example up once; its parts use and break it in turn.
func TestSolution(t *testing.T) {
	c := newCloud(t, "")
	out := c.must(t, "up", example)
	t.Log(out[max(0, len(out)-3000):])

	t.Run("claims hold", func(t *testing.T) { allHold(t, c.claims(t)) })
	t.Run("phases are written", func(t *testing.T) { phasesAreWritten(t, c) })
	t.Run("official clients", func(t *testing.T) { officialClients(t, c) })
	t.Run("telemetry", func(t *testing.T) { telemetry(t, c) })
	t.Run("plain mlflow client", func(t *testing.T) { plainMLflow(t, c) })
	t.Run("token authentication", func(t *testing.T) { tokenAuthentication(t, c) })
	t.Run("cluster grows to two nodes", func(t *testing.T) { twoNodes(t, c) })
	t.Run("cluster goes back to no nodes", func(t *testing.T) { noNodes(t, c) })
	t.Run("broken on purpose", func(t *testing.T) { brokenOnPurpose(t, c) })
	t.Run("killed", func(t *testing.T) { killed(t, c) })
	t.Run("restored from a backup", func(t *testing.T) { restored(t, c) })
	t.Run("nothing is left", func(t *testing.T) { nothingIsLeft(t, c) })
}

// allHold also says which claims there are: none may go missing.
func allHold(t *testing.T, claims map[string]mission.Claim) {
	t.Helper()
	for _, name := range []string{"model", "score", "refused", "packets", "proof"} {
		if claim, ok := claims[name]; !ok || !claim.Holds {
			t.Errorf("the claim %s: holds %v: %s", name, claim.Holds, claim.Text)
		}
	}
}

func phasesAreWritten(t *testing.T, c cloud) {
	data, err := os.ReadFile(mission.PhasesFile(c.dir))
	if err != nil {
		t.Fatal(err)
	}
	var phases struct{ Phases []mission.Phase }
	if err := json.Unmarshal(data, &phases); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range phases.Phases {
		names = append(names, p.Name)
	}
	if got, want := strings.Join(names, " "), "read prove prepare start accept network machines train deploy verify"; got != want {
		t.Errorf("the phases are %s, want %s", got, want)
	}
}

// officialClients runs the official Go clients in a machine inside, and from where
// the network must refuse them.
func officialClients(t *testing.T, c cloud) {
	program := installClients(t, c, "vm-agent-0", "internet")
	hosts := serviceHosts(t, c)
	e := c.estate(t)

	out, status := c.in(t, "vm-agent-0", nil, program, "vault", hosts["vault"])
	if status == 0 || !strings.Contains(out, "setSecret") {
		t.Errorf("an agent that may only read sets a secret: status %d: %s", status, out)
	}
	grant(t, c, e, "vm-agent-0", "Key Vault Secrets Officer", service.TypeKeyVault)
	for _, name := range []string{"blob", "vault", "registry"} {
		if out, status := c.in(t, "vm-agent-0", nil, program, name, hosts[name]); status != 0 {
			t.Errorf("%s from inside ends with %d: %s", name, status, out)
		}
		if out, status := c.in(t, "internet", nil, "timeout", "5", program, name, hosts[name]); status == 0 {
			t.Errorf("%s from the internet works: %s", name, out)
		}
	}
}

// grant gives a virtual machine's identity a role on the only document of a type.
func grant(t *testing.T, c cloud, e *arm.Estate, vm, role, typ string) {
	t.Helper()
	machine := find(t, e, "Microsoft.Compute/virtualMachines", named(vm))
	scope := find(t, e, typ, func(arm.Resource) bool { return true })
	r, ok := access.RoleByName(role)
	if !ok {
		t.Fatalf("there is no role %s", role)
	}
	id := scope.ID.Extension("Microsoft.Authorization", "roleAssignments", uuid.NewString())
	_, err := c.owner(t).Put(t.Context(), arm.Resource{ID: id, Name: id.Name(), Type: id.Type(), Properties: arm.Object{
		"roleDefinitionId": "/subscriptions/" + scope.ID.Subscription() + "/providers/Microsoft.Authorization/roleDefinitions/" + r.ID,
		"principalId":      arm.PrincipalID(machine.ID), "principalType": "ServicePrincipal",
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// telemetry is sent from a machine inside and asked for with `cloister logs`.
func telemetry(t *testing.T, c cloud) {
	if logs := c.must(t, "logs", "--table", "availabilityResults"); !strings.Contains(logs, "diabetes") {
		t.Errorf("the deploy pipeline's availability result is not there: %s", logs)
	}
	component := find(t, c.estate(t), service.TypeAppInsights, func(arm.Resource) bool { return true })
	key := arm.String(component.Properties, "InstrumentationKey")
	if key == "" {
		t.Fatal("the component has no instrumentation key")
	}
	item := `[{"name":"Microsoft.ApplicationInsights.Message","time":"` + time.Now().UTC().Format(time.RFC3339) + `","iKey":"` + key +
		`","data":{"baseType":"MessageData","baseData":{"ver":2,"message":"hello from inside","severityLevel":1}}}]`
	host := service.Endpoints(component)[0].Host
	out, status := c.in(t, "vm-agent-0", []byte(item), "curl", "--silent", "--fail-with-body", "--header", "Content-Type: application/json", "--data-binary", "@-", "https://"+host+"/v2.1/track")
	if status != 0 || !strings.Contains(out, `"itemsAccepted":1`) {
		t.Fatalf("tracking ends with %d: %s", status, out)
	}
	if logs := c.must(t, "logs", "--table", "traces"); !strings.Contains(logs, "hello from inside") {
		t.Errorf("the logs are %q", logs)
	}
}

// plainMLflow runs the plain Python client in a machine inside, against the
// workspace, with the machine's own token.
func plainMLflow(t *testing.T, c cloud) {
	script, err := os.ReadFile("../internal/provider/machinelearning/mlflow/testdata/client.py")
	if err != nil {
		t.Fatal(err)
	}
	ws := find(t, c.estate(t), service.TypeWorkspace, func(arm.Resource) bool { return true })
	out, status := c.in(t, "vm-agent-0", script, "/bin/sh", "-c", `
		cat >/opt/client.py
		token=$(curl -s -H Metadata:true 'http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://ml.azure.com' |
			python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')
		MLFLOW_TRACKING_TOKEN=$token MLFLOW_TRACKING_URI=$0 python3 /opt/client.py`,
		"https://"+service.Endpoints(ws)[0].Host+"/mlflow/v1.0"+string(ws.ID))
	if status != 0 {
		t.Errorf("the client ends with %d: %s", status, out)
	}
}

// tokenAuthentication scores with a token in place of a key, and without either.
func tokenAuthentication(t *testing.T, c cloud) {
	ml := func(args ...string) (string, int) {
		return c.cloister(t, append([]string{"ml"}, args...)...)
	}
	for _, args := range [][]string{
		{"online-endpoint", "create", "-n", "tokens", "--auth-mode", "aml_token"},
		{"online-deployment", "create", "-f", example + "/ml/deployment.yml", "-e", "tokens", "--all-traffic"},
		{"online-endpoint", "invoke", "-n", "tokens", "-r", example + "/ml/sample-request.json"},
	} {
		if out, status := ml(args...); status != 0 {
			t.Fatalf("cloister ml %s ends with %d: %s", strings.Join(args, " "), status, out)
		}
	}
	endpoint := find(t, c.estate(t), service.TypeOnlineEndpoint, named("tokens"))
	out, _ := c.in(t, "vm-jump", nil, "curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--data", "{}",
		"--header", "Authorization: Bearer no-token", "https://"+service.Endpoints(endpoint)[0].Host+"/score")
	if out != "401" {
		t.Errorf("a call with a token that is none is answered with %s", out)
	}
	if out, status := ml("online-endpoint", "delete", "-n", "tokens", "--yes"); status != 0 {
		t.Errorf("deleting the endpoint: %s", out)
	}
}

// twoNodes submits two jobs at once: the cluster starts a node for each.
func twoNodes(t *testing.T, c cloud) {
	file := filepath.Join(t.TempDir(), "job.yml")
	const job = "type: command\ncommand: sleep 8\nenvironment:\n  image: cloister/python\ncompute: azureml:cpu-cluster\n"
	if err := os.WriteFile(file, []byte(job), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if out, status := c.cloister(t, "ml", "job", "create", "-f", file); status != 0 {
			t.Fatalf("submitting ends with %d: %s", status, out)
		}
	}
	awaitNodes(t, c, 2)
}
