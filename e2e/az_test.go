//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// azure is the real az, signed in in a folder of its own.
type azure struct {
	t       *testing.T
	program string
	dir     string
	env     []string
	vars    map[string]string
}

func newAzure(t *testing.T, c cloud) azure {
	t.Helper()
	program := os.Getenv("AZ")
	if program == "" {
		t.Skip("AZ names no program: run `make e2e-az`")
	}
	a := azure{t: t, program: program, dir: t.TempDir(), vars: map[string]string{}}
	if err := json.Unmarshal([]byte(c.must(t, "env", "--json")), &a.vars); err != nil {
		t.Fatal(err)
	}
	a.env = append(os.Environ(), "AZURE_CONFIG_DIR="+a.dir, "AZURE_CORE_COLLECT_TELEMETRY=false", "AZURE_CORE_NO_COLOR=true", "AZURE_CORE_ONLY_SHOW_ERRORS=true")
	for name, value := range a.vars {
		a.env = append(a.env, name+"="+value)
	}
	return a
}

func (a azure) command(args ...string) *exec.Cmd {
	cmd := exec.Command(a.program, args...)
	cmd.Dir, cmd.Env = a.dir, a.env
	return cmd
}

// run runs az and returns what it printed, and its error output where it failed.
func (a azure) run(args ...string) (out, problem string) {
	a.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := a.command(args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), err.Error() + ": " + tail(stderr.String(), 2000)
	}
	return strings.TrimSpace(stdout.String()), ""
}

// must is what a query prints, of a command that succeeds.
func (a azure) must(args ...string) string {
	a.t.Helper()
	out, problem := a.run(args...)
	if problem != "" {
		a.t.Errorf("az %s: %s", strings.Join(args, " "), problem)
	}
	return out
}

// step is a command of az and what it prints; $NAME is a variable of cloister env.
type step struct {
	line  string
	query string // JMESPath, printed as text
	want  string
	fails string // instead: what the error has in it
}

func (a azure) steps(steps []step) {
	a.t.Helper()
	for _, s := range steps {
		args := strings.Fields(os.Expand(s.line, func(name string) string { return a.vars[name] }))
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "~", " ")
		}
		if s.query != "" {
			args = append(args, "--query", s.query, "-o", "tsv")
		}
		out, problem := a.run(args...)
		want := os.Expand(s.want, func(name string) string { return a.vars[name] })
		switch {
		case s.fails != "" && !strings.Contains(problem, s.fails):
			a.t.Errorf("az %s: want an error with %q, got %q %s", s.line, s.fails, out, problem)
		case s.fails == "" && problem != "":
			a.t.Errorf("az %s: %s", s.line, problem)
		case s.fails == "" && s.query != "" && out != want:
			a.t.Errorf("az %s --query %s: got %q, want %q", s.line, s.query, out, want)
		}
	}
}

func (a azure) file(name, text string) {
	a.t.Helper()
	if err := os.WriteFile(filepath.Join(a.dir, name), []byte(text), 0o600); err != nil {
		a.t.Fatal(err)
	}
}

// TestAz runs the real Azure CLI against a cloud of its own. `make e2e-az` installs
// it and says where it is.
func TestAz(t *testing.T) {
	if os.Getenv("AZ") == "" {
		t.Skip("AZ names no program: run `make e2e-az`")
	}
	c := newCloud(t, "z")
	t.Log(c.must(t, "up", "--empty", "--no-run", emptyProject(t)))
	a := newAzure(t, c)
	a.must("login", "--service-principal", "-u", a.vars["ARM_CLIENT_ID"], "-p", a.vars["ARM_CLIENT_SECRET"], "--tenant", a.vars["ARM_TENANT_ID"])
	t.Run("control plane", func(t *testing.T) { a.with(t).steps(controlPlane); a.with(t).deployments() })
	t.Run("deployment stacks", func(t *testing.T) { a.with(t).stacks() })
	t.Run("data planes", func(t *testing.T) { a.with(t).dataPlanes() })
	t.Run("directory", func(t *testing.T) { a.with(t).steps(directorySteps) })
	t.Run("sign-in", func(t *testing.T) { signIns(t, c, a.with(t)) })
	t.Run("without the proxy", func(t *testing.T) { a.direct(t).steps(directSteps) })
	t.Run("the end", func(t *testing.T) {
		a.with(t).steps([]step{
			{line: "group delete -n rg -y"},
			{line: "group exists -n rg", query: "@", want: "false"},
		})
	})
}

// TestPythonSDK runs the SDK for Python against a cloud of its own.
func TestPythonSDK(t *testing.T) {
	python := os.Getenv("AZURE_PYTHON")
	if python == "" {
		t.Skip("AZURE_PYTHON names no program: run `make e2e-az`")
	}
	c := newCloud(t, "y")
	t.Log(c.must(t, "up", "--empty", "--no-run", emptyProject(t)))
	a := newAzure(t, c)
	script, err := filepath.Abs("clients/sdk.py")
	if err != nil {
		t.Fatal(err)
	}
	cmd := a.command()
	cmd.Path, cmd.Args = python, []string{python, script}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.HasSuffix(strings.TrimSpace(string(out)), "all done") {
		t.Errorf("%v: %s", err, tail(string(out), 4000))
	}
}

func emptyProject(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func (a azure) with(t *testing.T) azure { a.t = t; return a }

var controlPlane = []step{
	{line: "account show", query: "[id,tenantId,user.type]", want: "$ARM_SUBSCRIPTION_ID\n$ARM_TENANT_ID\nservicePrincipal"},
	{line: "account list", query: "length(@)", want: "1"},
	{line: "group create -n rg -l westeurope --tags team=ml", query: "properties.provisioningState", want: "Succeeded"},
	{line: "group list", query: "[].name", want: "rg"},
	{line: "network vnet create -g rg -n vnet --address-prefix 10.0.0.0/16", query: "newVNet.provisioningState", want: "Succeeded"},
	{line: "network nsg create -g rg -n nsg", query: "NewNSG.provisioningState", want: "Succeeded"},
	{line: "network nsg rule create -g rg --nsg-name nsg -n https --priority 100 --access Allow --protocol Tcp --direction Inbound --source-address-prefixes 10.0.0.0/16 --destination-port-ranges 443", query: "[access,priority]", want: "Allow\n100"},
	{line: "network vnet subnet create -g rg --vnet-name vnet -n pe --address-prefixes 10.0.1.0/24 --network-security-group nsg", query: "addressPrefix", want: "10.0.1.0/24"},
	{line: "network vnet subnet create -g rg --vnet-name vnet -n twice --address-prefixes 10.0.1.0/25", fails: "NetcfgSubnetRangesOverlap"},
	{line: "network private-dns zone create -g rg -n privatelink.blob.core.windows.net", query: "numberOfVirtualNetworkLinks", want: "0"},
	{line: "network private-dns link vnet create -g rg -z privatelink.blob.core.windows.net -n link -v vnet -e false", query: "provisioningState", want: "Succeeded"},
	{line: "storage account create -g rg -n stazcli -l westeurope --sku Standard_LRS --min-tls-version TLS1_2", query: "provisioningState", want: "Succeeded"},
	{line: "storage account show -g rg -n stazcli", query: "primaryEndpoints.blob", want: "https://stazcli.blob.core.windows.net/"},
	{line: "storage account keys list -g rg -n stazcli", query: "length(@)", want: "2"},
	{line: "network private-endpoint create -g rg -n pe --vnet-name vnet --subnet pe --private-connection-resource-id /subscriptions/$ARM_SUBSCRIPTION_ID/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/stazcli --group-id blob --connection-name one -l westeurope", query: "provisioningState", want: "Succeeded"},
	{line: "network private-endpoint dns-zone-group create -g rg --endpoint-name pe -n default --private-dns-zone privatelink.blob.core.windows.net --zone-name blob", query: "provisioningState", want: "Succeeded"},
	{line: "network private-dns record-set a show -g rg -z privatelink.blob.core.windows.net -n stazcli", query: "aRecords[].ipv4Address", want: "10.0.1.4"},
	{line: "vm list", query: "length(@)", want: "0"},
	{line: "role definition list --name Reader", query: "[].roleName", want: "Reader"},
	{line: "role assignment create --assignee $ARM_CLIENT_ID --role Key~Vault~Secrets~Officer --scope /subscriptions/$ARM_SUBSCRIPTION_ID", query: "principalType", want: "ServicePrincipal"},
	{line: "role assignment create --assignee $ARM_CLIENT_ID --role Storage~Blob~Data~Contributor --scope /subscriptions/$ARM_SUBSCRIPTION_ID", query: "principalType", want: "ServicePrincipal"},
	{line: "role assignment create --assignee $ARM_CLIENT_ID --role Reader --scope /subscriptions/$ARM_SUBSCRIPTION_ID", query: "principalType", want: "ServicePrincipal"},
	{line: "role assignment list --all", query: "length(@)", want: "3"},
	{line: "role assignment delete --assignee $ARM_CLIENT_ID --role Reader --scope /subscriptions/$ARM_SUBSCRIPTION_ID"},
	{line: "role assignment list --assignee $ARM_CLIENT_ID --all", query: "length(@)", want: "2"},
	{line: "resource list -g rg --resource-type Microsoft.Network/virtualNetworks", query: "[].name", want: "vnet"},
	{line: "resource show -g rg -n vnet --resource-type Microsoft.Network/virtualNetworks", query: "properties.addressSpace.addressPrefixes", want: "10.0.0.0/16"},
	{line: "resource tag --tags a=b -g rg -n vnet --resource-type Microsoft.Network/virtualNetworks", query: "tags.a", want: "b"},
	{line: "lock create -n keep --lock-type CanNotDelete -g rg", query: "level", want: "CanNotDelete"},
	{line: "group delete -n rg -y", fails: "ScopeLocked"},
	{line: "lock delete -n keep -g rg"},
	{line: "lock list -g rg", query: "length(@)", want: "0"},
	{line: "monitor activity-log list -g rg", query: "length(@) > `5`", want: "true"},
	{line: "group show -n none", fails: "ResourceGroupNotFound"},
}

func (a azure) deployments() {
	a.t.Helper()
	a.file("template.json", `{
  // az sends the file as it is
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
  "parameters": {"name": {"type": "string"}},
  "resources": [{"type": "Microsoft.Network/virtualNetworks", "apiVersion": "2023-09-01", "name": "[parameters('name')]", "location": "[resourceGroup().location]",
    "properties": {"addressSpace": {"addressPrefixes": ["10.5.0.0/16"]}}}],
  "outputs": {"id": {"type": "string", "value": "[resourceId('Microsoft.Network/virtualNetworks', parameters('name'))]"}}
}`)
	a.steps([]step{
		{line: "deployment group what-if -g rg -f template.json -p name=deployed --no-pretty-print", query: "changes[?changeType=='Create'].after.name", want: "deployed"},
		{line: "network vnet show -g rg -n deployed", fails: "ResourceNotFound"},
		{line: "deployment group create -g rg -f template.json -p name=deployed", query: "properties.outputs.id.value", want: "/subscriptions/$ARM_SUBSCRIPTION_ID/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/deployed"},
		{line: "network vnet show -g rg -n deployed", query: "provisioningState", want: "Succeeded"},
	})
}

// stacks are tried with a template that has no comments: az reads it here.
func (a azure) stacks() {
	a.t.Helper()
	a.file("plain.json", `{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
  "parameters": {"name": {"type": "string"}},
  "resources": [{"type": "Microsoft.Network/virtualNetworks", "apiVersion": "2023-09-01", "name": "[parameters('name')]", "location": "[resourceGroup().location]",
    "properties": {"addressSpace": {"addressPrefixes": ["10.6.0.0/16"]}}}]
}`)
	a.steps(stackSteps)
}

// A stack deploys a template, and nobody else changes what it has.
var stackSteps = []step{
	{line: "stack group create -n st -g rg -f plain.json -p name=stacked --deny-settings-mode denyWriteAndDelete --deny-settings-apply-to-child-scopes --action-on-unmanage deleteResources --yes", query: "[provisioningState,resources[0].denyStatus]", want: "succeeded\ndenyWriteAndDelete"},
	{line: "stack group list -g rg", query: "[].name", want: "st"},
	{line: "network vnet subnet create -g rg --vnet-name stacked -n more --address-prefixes 10.6.1.0/24", fails: "DenyAssignmentAuthorizationFailed"},
	{line: "network vnet delete -g rg -n stacked", fails: "DenyAssignmentAuthorizationFailed"},
	{line: "group delete -n rg -y", fails: "DenyAssignmentAuthorizationFailed"},
	{line: "rest --method get --url /subscriptions/$ARM_SUBSCRIPTION_ID/resourceGroups/rg/providers/Microsoft.Authorization/denyAssignments?api-version=2022-04-01", query: "value[].properties.excludePrincipals", want: ""},
	{line: "stack group create -n st -g rg -f plain.json -p name=restacked --deny-settings-mode none --action-on-unmanage deleteResources --yes", query: "deletedResources[].id", want: "/subscriptions/$ARM_SUBSCRIPTION_ID/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/stacked"},
	{line: "network vnet subnet create -g rg --vnet-name restacked -n more --address-prefixes 10.6.1.0/24", query: "name", want: "more"},
	{line: "stack group delete -n st -g rg --action-on-unmanage detachAll --yes"},
	{line: "network vnet show -g rg -n restacked", query: "name", want: "restacked"},
	{line: "stack group show -n st -g rg", fails: "DeploymentStackNotFound"},
}

func (a azure) dataPlanes() {
	a.t.Helper()
	a.file("hello.txt", "hello, az\n")
	a.steps([]step{
		{line: "storage container create -n data --account-name stazcli", query: "created", want: "true"},
		{line: "storage blob upload --account-name stazcli -c data -n hello.txt -f hello.txt --no-progress"},
		{line: "storage blob list --account-name stazcli -c data --auth-mode login", query: "[].name", want: "hello.txt"},
		{line: "storage blob download --account-name stazcli -c data -n hello.txt -f again.txt --no-progress --auth-mode login"},
		{line: "keyvault create -g rg -n kvazcli -l westeurope", query: "properties.provisioningState", want: "Succeeded"},
		{line: "keyvault secret set --vault-name kvazcli -n key --value secret", query: "attributes.enabled", want: "true"},
		{line: "keyvault secret show --vault-name kvazcli -n key", query: "value", want: "secret"},
		{line: "keyvault secret list --vault-name kvazcli", query: "[].name", want: "key"},
		{line: "acr create -g rg -n crazcli --sku Premium -l westeurope", query: "loginServer", want: "crazcli.azurecr.io"},
		{line: "acr login -n crazcli --expose-token", query: "loginServer", want: "crazcli.azurecr.io"},
		{line: "acr repository list -n crazcli", query: "length(@)", want: "0"},
	})
	if data, err := os.ReadFile(filepath.Join(a.dir, "again.txt")); err != nil || string(data) != "hello, az\n" {
		a.t.Errorf("downloaded: %q, %v", data, err)
	}
}

var directorySteps = []step{
	{line: "ad sp show --id $ARM_CLIENT_ID", query: "displayName", want: "owner"},
	{line: "ad app list --display-name owner", query: "[].appId", want: "$ARM_CLIENT_ID"},
	{line: "ad sp create-for-rbac -n robot --role Reader --scopes /subscriptions/$ARM_SUBSCRIPTION_ID/resourceGroups/rg", query: "displayName", want: "robot"},
	{line: "ad sp list --display-name robot", query: "[].servicePrincipalType", want: "Application"},
	{line: "ad user create --display-name Bob --user-principal-name bob@cloister.onmicrosoft.com --password Very-secret-1", query: "displayName", want: "Bob"},
	{line: "ad user list", query: "[].userPrincipalName", want: "bob@cloister.onmicrosoft.com"},
	{line: "ad group create --display-name devs --mail-nickname devs", query: "securityEnabled", want: "true"},
	{line: "ad group list", query: "[].displayName", want: "devs"},
	{line: "ad user show --id nobody@cloister.onmicrosoft.com", fails: "does not exist"},
}

var deviceCode = regexp.MustCompile(`the code ([A-Z]{9}) `)

// direct is az in a folder of its own that asks the control plane at its address,
// as docs/az.md says of "Without the proxy".
func (a azure) direct(t *testing.T) azure {
	t.Helper()
	a.t, a.dir = t, t.TempDir()
	a.env = append(slices.Clone(a.env), "AZURE_CONFIG_DIR="+a.dir, "HTTPS_PROXY=", "https_proxy=",
		"ARM_CLOUD_METADATA_URL=https://"+a.vars["ARM_METADATA_HOSTNAME"]+"/metadata/endpoints?api-version=2019-05-01")
	return a
}

var directSteps = []step{
	{line: "cloud set -n Cloister"},
	{line: "config set core.instance_discovery=false"},
	{line: "login --service-principal -u $ARM_CLIENT_ID -p $ARM_CLIENT_SECRET --tenant $ARM_TENANT_ID", query: "[].cloudName", want: "Cloister"},
	{line: "group show -n rg", query: "name", want: "rg"},
	{line: "ad sp show --id $ARM_CLIENT_ID", query: "displayName", want: "owner"},
	{line: "role assignment list --assignee $ARM_CLIENT_ID --all", query: "length(@) > `0`", want: "true"},
	{line: "deployment group list -g rg", query: "length(@) > `0`", want: "true"},
	{line: "network vnet create -g rg -n direct --address-prefix 10.9.0.0/16", query: "newVNet.provisioningState", want: "Succeeded"},
	{line: "network vnet delete -g rg -n direct"},
}

// signIns are the ways in of users, and of an application with a certificate.
func signIns(t *testing.T, c cloud, a azure) {
	bob := a.must("ad", "user", "show", "--id", "bob@cloister.onmicrosoft.com", "--query", "id", "-o", "tsv")
	group := a.must("ad", "group", "show", "-g", "devs", "--query", "id", "-o", "tsv")
	a.must("ad", "group", "member", "add", "-g", "devs", "--member-id", bob)
	a.must("role", "assignment", "create", "--assignee-object-id", group, "--assignee-principal-type", "Group", "--role", "Contributor",
		"--scope", "/subscriptions/"+a.vars["ARM_SUBSCRIPTION_ID"]+"/resourceGroups/rg")
	application := struct{ AppID, FileWithCertAndPrivateKey string }{}
	made := a.must("ad", "sp", "create-for-rbac", "-n", "certified", "--create-cert", "--role", "Reader", "--scopes", "/subscriptions/"+a.vars["ARM_SUBSCRIPTION_ID"])
	if err := json.Unmarshal([]byte(made), &application); err != nil {
		t.Fatalf("create-for-rbac --create-cert: %v: %s", err, made)
	}
	t.Cleanup(func() { os.Remove(application.FileWithCertAndPrivateKey) }) // az puts it into the home folder

	other := a
	other.dir = t.TempDir()
	other.env = append(other.env, "AZURE_CONFIG_DIR="+other.dir)
	asBob := []step{
		{line: "account show", query: "user.name", want: "bob@cloister.onmicrosoft.com"},
		{line: "ad signed-in-user show", query: "displayName", want: "Bob"},
		{line: "network vnet show -g rg -n vnet", query: "name", want: "vnet"},
		{line: "group create -n another -l westeurope", fails: "AuthorizationFailed"},
		{line: "ad user create --display-name Eve --user-principal-name eve@cloister.onmicrosoft.com --password Very-secret-1", fails: "Insufficient privileges"},
		{line: "logout"},
	}
	other.steps(append([]step{
		{line: "login -u bob@cloister.onmicrosoft.com -p wrong-password", fails: "AADSTS50126"},
		{line: "login -u bob@cloister.onmicrosoft.com -p Very-secret-1", query: "[].user.type", want: "user"},
	}, asBob...))
	other.byDevice(c)
	other.steps(append(asBob, []step{
		{line: "login --service-principal -u " + application.AppID + " --certificate " + application.FileWithCertAndPrivateKey + " --tenant $ARM_TENANT_ID", query: "[].user.type", want: "servicePrincipal"},
		{line: "group show -n rg", query: "name", want: "rg"},
		{line: "ad user list", query: "length(@)", want: "0"},
	}...))
}

// byDevice signs in by a code that is approved in another terminal.
func (a azure) byDevice(c cloud) {
	a.t.Helper()
	file := filepath.Join(a.dir, "login.txt")
	to, err := os.Create(file)
	if err != nil {
		a.t.Fatal(err)
	}
	defer to.Close()
	cmd := a.command("login", "--use-device-code")
	cmd.Env = append(cmd.Env, "AZURE_CORE_ONLY_SHOW_ERRORS=false") // the code is a warning
	cmd.Stdout, cmd.Stderr = to, to
	if err := cmd.Start(); err != nil {
		a.t.Fatal(err)
	}
	var code string
	for end := time.Now().Add(time.Minute); code == "" && time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if data, _ := os.ReadFile(file); deviceCode.Match(data) {
			code = string(deviceCode.FindSubmatch(data)[1])
		}
	}
	if code == "" {
		_ = cmd.Process.Kill()
	} else if out := c.must(a.t, "principal", "approve", code, "--user", "bob"); !strings.Contains(out, "Microsoft Azure CLI") {
		a.t.Errorf("approved: %s", out)
	}
	if err := cmd.Wait(); err != nil {
		data, _ := os.ReadFile(file)
		a.t.Errorf("az login --use-device-code: %v: %s", err, tail(string(data), 2000))
	}
}
