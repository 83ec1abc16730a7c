package compute

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/durable"
)

// Power states that a machine is left in ("States and billing status of Azure
// Virtual Machines"). A machine without one runs.
const (
	running     = "running"
	stopped     = "stopped"
	deallocated = "deallocated"
)

// power is whether machines run. What a user has switched off stays off, also
// after the cloud was started anew.
type power struct {
	machines Machines
	dir      string
}

// file holds the state of a machine that was switched off.
func (p power) file(vm arm.ID) string {
	return filepath.Join(p.dir, durable.NameOf(vm.Key())+".power")
}

func (p power) state(vm arm.ID) string {
	data, err := os.ReadFile(p.file(vm))
	if state := string(data); err == nil && (state == stopped || state == deallocated) {
		return state
	}
	return running
}

// reconcile starts the machine, unless it was switched off.
func (p power) reconcile(ctx context.Context, vm arm.Resource) error {
	if p.state(vm.ID) != running {
		return p.machines.Stop(ctx, vm.ID, false)
	}
	return p.machines.Start(ctx, vm)
}

// remove ends the machine for good.
func (p power) remove(ctx context.Context, vm arm.Resource) error {
	return errors.Join(p.machines.Stop(ctx, vm.ID, true), removeFile(p.file(vm.ID)))
}

// off is the action that switches a machine off; with deallocate it gives its
// processors back as well, which on one machine is no difference.
func (p power) off(state string) cloud.Action {
	return func(ctx context.Context, vm arm.Resource, _ json.RawMessage) (any, error) {
		if state == stopped && p.state(vm.ID) == deallocated {
			return nil, notRunning(vm)
		}
		if err := durable.WriteFile(p.file(vm.ID), []byte(state)); err != nil {
			return nil, fmt.Errorf("keeping that %s is %s: %w", vm.Name, state, err)
		}
		return cloud.Accepted{}, p.machines.Stop(ctx, vm.ID, false)
	}
}

func (p power) on(ctx context.Context, vm arm.Resource, _ json.RawMessage) (any, error) {
	if err := removeFile(p.file(vm.ID)); err != nil {
		return nil, err
	}
	return cloud.Accepted{}, p.machines.Start(ctx, vm)
}

func (p power) restart(ctx context.Context, vm arm.Resource, _ json.RawMessage) (any, error) {
	if p.state(vm.ID) != running {
		return nil, notRunning(vm)
	}
	if err := p.machines.Stop(ctx, vm.ID, false); err != nil {
		return nil, err
	}
	return cloud.Accepted{}, p.machines.Start(ctx, vm)
}

func notRunning(vm arm.Resource) error {
	return cloud.Errorf(http.StatusConflict, "OperationNotAllowed", "Operation is not allowed on VM '%s' since the VM is not running. Start it first.", vm.Name)
}

// instance is what a machine is at this moment (GET {id}/instanceView).
func (p power) instance(_ context.Context, vm arm.Resource) (any, error) {
	state := p.state(vm.ID)
	return arm.Object{
		"computerName": arm.String(vm.Properties, "osProfile.computerName"),
		"statuses": []arm.Object{
			{"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded"},
			{"code": "PowerState/" + state, "level": "Info", "displayStatus": "VM " + state},
		},
	}, nil
}

// sizes are those that the machine could have without moving: its own alone, for
// any other is given to it while it is deallocated.
func sizes(_ context.Context, vm arm.Resource) (any, error) {
	return arm.Object{"value": []arm.Object{{"name": arm.String(vm.Properties, "hardwareProfile.vmSize")}}}, nil
}

func removeFile(name string) error {
	if err := os.Remove(name); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
