package compute

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/provider/providertest"
)

const (
	vmID  = arm.ID("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm")
	nicID = arm.ID("/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkInterfaces/nic")
)

func machine() arm.Resource {
	return arm.Resource{ID: vmID, Name: "vm", Type: TypeMachine, Properties: arm.Object{
		"networkProfile": map[string]any{"networkInterfaces": []any{map[string]any{"id": string(nicID)}}},
		"osProfile":      map[string]any{"computerName": "vm", "adminPassword": "p4ss", "customData": "c3Vw"},
	}}
}

func extension(settings, protected any) arm.Resource {
	id := vmID.Child("extensions", "install")
	return arm.Resource{ID: id, Name: "install", Type: TypeExtension, Properties: arm.Object{
		"publisher": "Microsoft.Azure.Extensions", "type": "CustomScript", "settings": settings, "protectedSettings": protected,
	}}
}

func encoded(script string) string { return base64.StdEncoding.EncodeToString([]byte(script)) }

func zipped(script string) string {
	var buf bytes.Buffer
	zw := gzip.NewWriter(&buf)
	_, _ = zw.Write([]byte(script)) // a buffer takes everything
	_ = zw.Close()
	return base64.StdEncoding.EncodeToString(buf.Bytes())
}

func TestScript(t *testing.T) {
	tests := []struct {
		name                string
		settings, protected any
		want, err           string
	}{
		{name: "a script in the protected settings", protected: map[string]any{"script": encoded("echo a")}, want: "echo a"},
		{name: "a zipped script", settings: map[string]any{"script": zipped("echo b")}, want: "echo b"},
		{name: "a command", settings: map[string]any{"commandToExecute": "echo c"}, want: "echo c"},
		{name: "settings as a string of JSON", settings: `{"commandToExecute": "echo d"}`, want: "echo d"},
		{name: "nothing to run", settings: map[string]any{}, err: "neither"},
		{name: "two scripts", settings: map[string]any{"commandToExecute": "a"}, protected: map[string]any{"script": encoded("b")}, err: "once"},
		{name: "files to download", settings: map[string]any{"fileUris": []any{"https://x/y"}}, err: "fileUris"},
		{name: "not base64", settings: map[string]any{"script": "%"}, err: "base64"},
		{name: "not JSON", protected: "{s3cret", err: "not JSON"},
		{name: "not an object", settings: 7.0, err: "not an object"},
		{name: "too large", settings: map[string]any{"script": zipped(strings.Repeat("#", maxScript+1))}, err: "larger"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := script(extension(tt.settings, tt.protected))
			if tt.err == "" && (err != nil || string(got) != tt.want) {
				t.Errorf("got %q, error %v", got, err)
			}
			if tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error %v, want one with %q", err, tt.err)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Error("the error shows the settings")
			}
		})
	}
}

// recorder runs nothing and remembers what was asked of it.
type recorder struct {
	started, scripts int
	status           int
}

func (r *recorder) Start(context.Context, arm.Resource) error { r.started++; return nil }

func (r *recorder) Stop(context.Context, arm.ID, bool) error { return nil }

func (r *recorder) Script(context.Context, arm.ID, []byte) (int, string, error) {
	r.scripts++
	return r.status, "what it said", nil
}

func typeOf(t *testing.T, p cloud.Provider, name string) cloud.Type {
	t.Helper()
	for _, typ := range p.Types {
		if typ.Name == name {
			return typ
		}
	}
	t.Fatalf("there is no type %s", name)
	return cloud.Type{}
}

func TestAScriptRunsOnceForEachContent(t *testing.T) {
	machines := &recorder{status: 3}
	ext := typeOf(t, New(providertest.NewHost(t, machine()), machines), TypeExtension)
	run := func(text string, wantErr string, scripts int) {
		t.Helper()
		err := ext.Reconcile(t.Context(), extension(nil, map[string]any{"script": encoded(text)}))
		if (err == nil) != (wantErr == "") || err != nil && !strings.Contains(err.Error(), wantErr) {
			t.Errorf("error %v, want %q", err, wantErr)
		}
		if machines.scripts != scripts {
			t.Errorf("%d runs so far, want %d", machines.scripts, scripts)
		}
	}
	run("a", "exit status 3.\nwhat it said", 1)
	machines.status = 0
	run("a", "", 2) // it failed, so it is tried again
	run("a", "", 2)
	run("b", "", 3)
	if err := ext.Remove(t.Context(), extension(nil, nil)); err != nil {
		t.Fatal(err)
	}
	run("b", "", 4)
}

func TestWrongSettingsAreForGood(t *testing.T) {
	ext := typeOf(t, New(providertest.NewHost(t, machine()), &recorder{}), TypeExtension)
	if err := ext.Reconcile(t.Context(), extension(nil, "{")); !errors.Is(err, cloud.ErrPermanent) {
		t.Errorf("error %v would be tried again", err)
	}
}

// A script that fails has failed for good, as on Azure, and with Azure's code.
func TestAFailedScriptIsForGood(t *testing.T) {
	ext := typeOf(t, New(providertest.NewHost(t, machine()), &recorder{status: 3}), TypeExtension)
	err := ext.Reconcile(t.Context(), extension(nil, map[string]any{"script": encoded("exit 3")}))
	var answer *cloud.Error
	if !errors.Is(err, cloud.ErrPermanent) || !errors.As(err, &answer) || answer.Code != "VMExtensionProvisioningError" {
		t.Errorf("error %v", err)
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	host := providertest.NewHost(t)
	p := New(host, &recorder{})
	vm := typeOf(t, p, TypeMachine).Present(host, machine())
	ext := typeOf(t, p, TypeExtension).Present(host, extension(nil, map[string]any{"script": "s3cret"}))
	for _, path := range []string{"osProfile.adminPassword", "osProfile.customData"} {
		if _, ok := arm.Lookup(vm.Properties, path); ok {
			t.Errorf("%s is shown", path)
		}
	}
	if _, ok := ext.Properties["protectedSettings"]; ok {
		t.Error("the protected settings are shown")
	}
}

func TestMachinesAreChecked(t *testing.T) {
	host := providertest.NewHost(t, arm.Resource{ID: nicID, Name: "nic", Type: nicID.Type(), Properties: arm.Object{}})
	prepare := typeOf(t, New(host, &recorder{}), TypeMachine).Prepare
	tests := []struct {
		name   string
		change func(*arm.Resource)
		code   string
	}{
		{"as it should be", func(*arm.Resource) {}, ""},
		{"a name with a slash", func(r *arm.Resource) { r.Name = "a/b" }, "InvalidParameter"},
		{"no network interface", func(r *arm.Resource) { delete(r.Properties, "networkProfile") }, "InvalidParameter"},
		{"an interface that is not there", func(r *arm.Resource) {
			r.Properties["networkProfile"] = map[string]any{"networkInterfaces": []any{map[string]any{"id": string(nicID) + "2"}}}
		}, "InvalidResourceReference"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			vm := machine()
			tt.change(&vm)
			_, err := prepare(host, nil, vm)
			var e *cloud.Error
			if errors.As(err, &e) != (tt.code != "") || e != nil && e.Code != tt.code {
				t.Errorf("error %v, want the code %q", err, tt.code)
			}
		})
	}
}
