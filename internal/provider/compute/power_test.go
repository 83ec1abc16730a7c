package compute

import (
	"errors"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/provider/providertest"
)

// What is switched off stays off, until it is switched on.
func TestPower(t *testing.T) {
	machines := &recorder{}
	typ := typeOf(t, New(providertest.NewHost(t, machine()), machines), TypeMachine)
	state := func() string {
		t.Helper()
		view, err := typ.Views["instanceview"](t.Context(), machine())
		if err != nil {
			t.Fatal(err)
		}
		return view.(arm.Object)["statuses"].([]arm.Object)[1]["code"].(string)
	}
	for _, step := range []struct {
		action, state, code string
		starts              int // so far
	}{
		{"restart", "PowerState/running", "", 1},
		{"poweroff", "PowerState/stopped", "", 1},
		{"restart", "PowerState/stopped", "OperationNotAllowed", 1},
		{"deallocate", "PowerState/deallocated", "", 1},
		{"poweroff", "PowerState/deallocated", "OperationNotAllowed", 1},
		{"reconcile", "PowerState/deallocated", "", 1}, // as after a PUT, or a new start of the cloud
		{"start", "PowerState/running", "", 2},
		{"reconcile", "PowerState/running", "", 3},
	} {
		var err error
		if step.action == "reconcile" {
			err = typ.Reconcile(t.Context(), machine())
		} else {
			_, err = typ.Actions[step.action](t.Context(), machine(), nil)
		}
		var e *cloud.Error
		if errors.As(err, &e) != (step.code != "") || e != nil && e.Code != step.code {
			t.Errorf("%s: error %v, want %q", step.action, err, step.code)
		}
		if got := state(); got != step.state || machines.started != step.starts {
			t.Errorf("after %s it is %s and was started %d times, want %s and %d", step.action, got, machines.started, step.state, step.starts)
		}
	}
}

// A script waits for its machine, and does not start one that is switched off.
func TestScriptOfAMachineThatIsOff(t *testing.T) {
	machines := &recorder{}
	p := New(providertest.NewHost(t, machine()), machines)
	if _, err := typeOf(t, p, TypeMachine).Actions["deallocate"](t.Context(), machine(), nil); err != nil {
		t.Fatal(err)
	}
	err := typeOf(t, p, TypeExtension).Reconcile(t.Context(), extension(nil, map[string]any{"script": encoded("a")}))
	var e *cloud.Error
	if !errors.As(err, &e) || e.Code != "OperationNotAllowed" || machines.started+machines.scripts != 0 {
		t.Errorf("error %v, %d starts, %d scripts", err, machines.started, machines.scripts)
	}
}
