package daemon

import (
	"context"
	"os"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
)

func (d *Daemon) status(ctx context.Context) Status {
	s := Status{
		Name: d.options.Name, PID: os.Getpid(), Mode: d.mode(), Tenant: d.cloud.Tenant(), Subscription: d.cloud.Subscription(),
		Resources: d.logs.failures(d.cloud.Status()), Agents: d.devops.agents(ctx), Notes: d.fabric.Plan().Notes, Limits: d.boxes.Unenforced(),
	}
	for _, nic := range d.view().topology.NICs {
		if m, ok := d.machineOf(nic); ok {
			s.Machines = append(s.Machines, m)
		}
	}
	for _, o := range d.outposts() {
		s.Machines = append(s.Machines, Machine{
			Name: o.name, Kind: o.kind, Address: o.address, Namespace: o.namespace, Sandbox: d.boxName(o.id), Running: d.machines.isRunning(o.id),
		})
	}
	s.Machines = append(s.Machines, Machine{
		Name: outsider, Kind: "internet", Namespace: d.fabric.OutsiderNamespace(), Sandbox: d.boxName(outsiderID), Running: d.machines.isRunning(outsiderID),
	})
	return s
}

// machineOf describes the machine behind a network interface; a private endpoint
// is none, and neither is a compute node that does not run.
func (d *Daemon) machineOf(nic network.NIC) (Machine, bool) {
	m := Machine{Name: nic.Name, Kind: string(nic.Kind), ID: nic.Owner}
	m.Namespace, _ = d.fabric.Namespace(nic.ID)
	for _, a := range nic.Addrs {
		switch {
		case a.Is4() && m.Address == "":
			m.Address = a.String()
		case a.Is6() && m.Address6 == "":
			m.Address6 = a.String()
		}
	}
	switch nic.Kind {
	case network.KindVM:
		m.Running = d.machines.isRunning(nic.Owner)
		m.Sandbox = d.boxName(nic.Owner)
	case network.KindCompute:
		if d.machines.isRunning(nic.Owner) {
			m.Name, m.Kind, m.Running, m.Sandbox = nic.Owner.Name(), "compute instance", true, d.boxName(nic.Owner)
			break
		}
		m.ID, m.Running = nic.ID, d.nodes.isRunning(nic.ID)
	default:
		return Machine{}, false
	}
	return m, m.Running || nic.Kind == network.KindVM
}

// nodeID is the network interface of a compute node, as network names it.
func nodeID(cluster arm.ID, n string) arm.ID { return cluster.Child("nodes", n) }
