package compute

import (
	"context"
	"net/http"
	"regexp"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
)

// The types of this provider.
const (
	TypeMachine   = "Microsoft.Compute/virtualMachines"
	TypeExtension = "Microsoft.Compute/virtualMachines/extensions"
)

// Machines runs virtual machines.
type Machines interface {
	// Start makes the machine run; one that runs already is left alone.
	Start(ctx context.Context, vm arm.Resource) error
	// Stop ends the machine; with its disk when forget is set.
	Stop(ctx context.Context, vm arm.ID, forget bool) error
	// Script runs a shell script as root in the running machine, keeps what it writes
	// in [ScriptOutput], and returns its exit status and the end of what it wrote.
	Script(ctx context.Context, vm arm.ID, script []byte) (status int, output string, err error)
}

// New makes the provider.
func New(host cloud.Host, machines Machines) cloud.Provider {
	dir := host.Dir("compute")
	switches := power{machines: machines, dir: dir}
	ext := extensions{host: host, machines: machines, power: switches, dir: dir}
	return cloud.Provider{
		Namespace: "Microsoft.Compute",
		Types: []cloud.Type{
			{
				Name:      TypeMachine,
				Prepare:   prepareMachine,
				Present:   presentMachine,
				Reconcile: switches.reconcile,
				Remove:    switches.remove,
				Actions: map[string]cloud.Action{
					"start": switches.on, "restart": switches.restart, "poweroff": switches.off(stopped), "deallocate": switches.off(deallocated),
				},
				Views: map[string]cloud.ViewOf{"instanceview": switches.instance, "vmsizes": sizes},
			},
			{
				Name:      TypeExtension,
				After:     "Microsoft.Network",
				Prepare:   prepareExtension,
				Present:   presentExtension,
				Reconcile: ext.reconcile,
				Remove:    ext.remove,
			},
		},
	}
}

// machineName is Azure's rule for Linux virtual machines.
var machineName = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9._-]{0,62}[a-zA-Z0-9_])?$`)

func prepareMachine(view cloud.View, old *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if !machineName.MatchString(r.Name) {
		return r, cloud.Errorf(http.StatusBadRequest, "InvalidParameter", "%q is not a virtual machine name: 1 to 64 letters, digits, '.', '_' and '-'", r.Name)
	}
	nics := arm.Objects(r.Properties, "networkProfile.networkInterfaces")
	if len(nics) == 0 {
		return r, cloud.Errorf(http.StatusBadRequest, "InvalidParameter", "the virtual machine %s has no network interface (properties.networkProfile.networkInterfaces)", r.Name)
	}
	for _, nic := range nics {
		id := arm.Ref(nic, "id")
		doc, ok := view.Get(id)
		if !ok {
			return r, cloud.Errorf(http.StatusBadRequest, "InvalidResourceReference", "the network interface %s of the virtual machine %s does not exist", id, r.Name)
		}
		if owner := arm.Ref(doc.Properties, "virtualMachine.id"); owner != "" && !owner.Equal(r.ID) {
			return r, cloud.Errorf(http.StatusBadRequest, "NetworkInterfaceInUse", "the network interface %s belongs to %s already", id, owner)
		}
	}
	if old != nil && arm.String(old.Properties, "osProfile.computerName") != arm.String(r.Properties, "osProfile.computerName") {
		return r, cloud.Errorf(http.StatusConflict, "PropertyChangeNotAllowed", "changing property 'osProfile.computerName' is not allowed")
	}
	if capabilities, ok := r.Properties["additionalCapabilities"].(arm.Object); ok && len(capabilities) == 0 {
		delete(r.Properties, "additionalCapabilities") // to clients, there or not there is a difference
	}
	r.Properties["vmId"] = arm.StableGUID(r.ID, "vmId")
	return r, nil
}

// presentMachine keeps what Azure never shows again.
func presentMachine(_ cloud.View, r arm.Resource) arm.Resource {
	r.Properties = arm.Clone(r.Properties)
	if profile, ok := r.Properties["osProfile"].(map[string]any); ok {
		delete(profile, "adminPassword")
		delete(profile, "customData")
	}
	return r
}
