package compute

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/durable"
)

// maxScript is what Azure lets a script be ("Use the Azure Custom Script
// Extension Version 2 with Linux virtual machines").
const maxScript = 256 << 10

// ScriptOutput is the folder in a machine that keeps a script's stdout and stderr,
// where Azure's extension keeps them.
const ScriptOutput = "/var/lib/waagent/custom-script/download/0"

type extensions struct {
	host     cloud.Host
	machines Machines
	power    power
	dir      string
}

func prepareExtension(view cloud.View, _ *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if _, ok := view.Get(r.ID.Parent()); !ok {
		return r, cloud.Errorf(http.StatusNotFound, "ParentResourceNotFound", "the virtual machine %s of the extension %s does not exist", r.ID.Parent().Name(), r.Name)
	}
	if !isCustomScript(r) {
		return r, nil
	}
	if _, err := script(r); err != nil {
		return r, cloud.Errorf(http.StatusBadRequest, "InvalidParameter", "the extension %s: %v", r.Name, err)
	}
	return r, nil
}

func isCustomScript(r arm.Resource) bool {
	return strings.EqualFold(arm.String(r.Properties, "type"), "CustomScript") &&
		strings.EqualFold(arm.String(r.Properties, "publisher"), "Microsoft.Azure.Extensions")
}

// presentExtension never shows the protected settings.
func presentExtension(_ cloud.View, r arm.Resource) arm.Resource {
	r.Properties = arm.Clone(r.Properties)
	delete(r.Properties, "protectedSettings")
	return r
}

// settings are an extension's settings, which may come as an object or, as
// Terraform sends them, as a string of JSON.
func settings(r arm.Resource, key string) (arm.Object, error) {
	switch v := r.Properties[key].(type) {
	case nil:
		return nil, nil
	case map[string]any:
		return v, nil
	case string:
		var out arm.Object
		if err := json.Unmarshal([]byte(v), &out); err != nil {
			return nil, fmt.Errorf("%s is not JSON", key) // not err: it quotes the text
		}
		return out, nil
	}
	return nil, fmt.Errorf("%s is not an object", key)
}

// script is what a custom script extension runs: "script" (base64, also
// gzipped) or "commandToExecute", in one of the two settings.
func script(r arm.Resource) ([]byte, error) {
	var found []byte
	for _, key := range []string{"settings", "protectedSettings"} {
		s, err := settings(r, key)
		if err != nil {
			return nil, err
		}
		if len(arm.List(s, "fileUris")) > 0 {
			return nil, errors.New("fileUris is not served here; put the script itself into 'script', base64-encoded")
		}
		command, encoded := arm.String(s, "commandToExecute"), arm.String(s, "script")
		if command == "" && encoded == "" {
			continue
		}
		if found != nil || command != "" && encoded != "" {
			return nil, errors.New("give one of 'script' and 'commandToExecute', once")
		}
		if found = []byte(command); command == "" {
			if found, err = decodeScript(encoded); err != nil {
				return nil, err
			}
		}
	}
	if len(found) == 0 {
		return nil, errors.New("there is neither 'script' nor 'commandToExecute' in its settings")
	}
	return found, nil
}

func decodeScript(encoded string) ([]byte, error) {
	data, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, errors.New("'script' is not base64")
	}
	if zr, err := gzip.NewReader(bytes.NewReader(data)); err == nil {
		if data, err = io.ReadAll(io.LimitReader(zr, maxScript+1)); err != nil {
			return nil, errors.New("'script' is not whole gzip")
		}
	}
	if len(data) > maxScript {
		return nil, fmt.Errorf("'script' is larger than %d KiB", maxScript>>10)
	}
	return data, nil
}

// reconcile runs the script once for each content that it has had.
func (e extensions) reconcile(ctx context.Context, r arm.Resource) error {
	if !isCustomScript(r) {
		return nil // kept, not run
	}
	text, err := script(r)
	if err != nil {
		return fmt.Errorf("%w: %w", cloud.ErrPermanent, err)
	}
	vm, ok := e.host.Get(r.ID.Parent())
	if !ok {
		return fmt.Errorf("the virtual machine %s is not there", r.ID.Parent().Name())
	}
	sum := sha256.Sum256(text)
	done, run := e.mark(r.ID), hex.EncodeToString(sum[:])
	if last, err := os.ReadFile(done); err == nil && string(last) == run {
		return nil
	}
	if e.power.state(vm.ID) != running {
		return notRunning(vm)
	}
	if err := e.machines.Start(ctx, vm); err != nil {
		return err
	}
	status, output, err := e.machines.Script(ctx, vm.ID, text)
	if err != nil {
		return fmt.Errorf("running the extension %s in %s: %w", r.Name, vm.Name, err)
	}
	if status != 0 {
		return cloud.Permanent(cloud.Errorf(http.StatusConflict, "VMExtensionProvisioningError",
			"VM has reported a failure when processing extension '%s' (publisher 'Microsoft.Azure.Extensions' and type 'CustomScript'): its script ended in %s with exit status %d.\n%s\nWhat it wrote is in %s of %s; write the extension again to run it again",
			r.Name, vm.Name, status, output, ScriptOutput, vm.Name))
	}
	return durable.WriteFile(done, []byte(run))
}

func (e extensions) remove(_ context.Context, r arm.Resource) error {
	return removeFile(e.mark(r.ID))
}

// mark is the file that holds the hash of the script that has succeeded.
func (e extensions) mark(id arm.ID) string {
	return filepath.Join(e.dir, durable.NameOf(id.Key())+".done")
}
