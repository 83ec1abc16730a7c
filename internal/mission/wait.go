package mission

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/cloud/store"
	"github.com/cloister-ml/cloister/internal/daemon"
	"github.com/cloister-ml/cloister/internal/provider/compute"
)

// await polls the cloud until done says so, or a document has failed.
func (u *up) await(ctx context.Context, done func(daemon.Status) bool) (daemon.Status, error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		s, err := u.under.daemon.Status(ctx)
		if err != nil {
			return s, err
		}
		u.j.shown.documents(s.Resources)
		for _, r := range s.Resources {
			if r.State == store.Failed && !ofAMachine(r) {
				return s, fmt.Errorf("%s failed: %s", r.ID, r.Error)
			}
		}
		if done(s) {
			return s, nil
		}
		select {
		case <-ctx.Done():
			return s, fmt.Errorf("waiting for %s: %w", pending(s), ctx.Err())
		case <-tick.C:
		}
	}
}

// ofAMachine reports an extension: where it fails, its machine and all else stay.
func ofAMachine(r cloud.Status) bool {
	return strings.EqualFold(r.Type, compute.TypeExtension)
}

// failed are the extensions whose scripts have failed.
func failed(resources []cloud.Status) []cloud.Status {
	var out []cloud.Status
	for _, r := range resources {
		if r.State == store.Failed && ofAMachine(r) {
			out = append(out, r)
		}
	}
	return out
}

// pending names what is not ready, with the last error of the first.
func pending(s daemon.Status) string {
	var names []string
	why := ""
	for _, r := range s.Resources {
		if !r.Ready && !r.Kept {
			names = append(names, r.ID.Name())
			if why == "" && r.Error != "" {
				why = " (" + r.Error + ")"
			}
		}
	}
	return strings.Join(names, ", ") + why
}

// awaitNetwork returns when every document of Microsoft.Network is real.
func (u *up) awaitNetwork(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	count := map[string]int{}
	s, err := u.await(ctx, func(s daemon.Status) bool {
		return allReady(s.Resources, func(r cloud.Status) bool { return strings.HasPrefix(strings.ToLower(r.Type), "microsoft.network/") })
	})
	for _, r := range s.Resources {
		count[strings.ToLower(r.Type)]++
	}
	return fmt.Sprintf("%d virtual networks, %d subnets, %d private endpoints, %d private DNS zones",
		count["microsoft.network/virtualnetworks"], count["microsoft.network/virtualnetworks/subnets"],
		count["microsoft.network/privateendpoints"], count["microsoft.network/privatednszones"]), err
}

func allReady(resources []cloud.Status, which func(cloud.Status) bool) bool {
	for _, r := range resources {
		if which(r) && !r.Ready && !r.Kept && r.State != store.Failed {
			return false
		}
	}
	return true
}

// machineTime is how long machines, with their extensions, may take.
const machineTime = 5 * time.Minute

// awaitMachines returns when everything is real and the agents are online. It waits
// for no agent where an extension has failed: that may have been to install it.
func (u *up) awaitMachines(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, machineTime, errors.New("the machines take too long"))
	defer cancel()
	s, err := u.await(ctx, func(s daemon.Status) bool {
		return allReady(s.Resources, func(cloud.Status) bool { return true }) &&
			(u.project.DevOps == nil || online(s) > 0 && online(s) == len(s.Agents) || len(failed(s.Resources)) > 0)
	})
	u.failed = failed(s.Resources)
	var names []string
	for _, m := range s.Machines {
		if m.Running && (m.Kind == "virtual machine" || m.Kind == "compute instance") {
			names = append(names, m.Name)
		}
	}
	return fmt.Sprintf("%s run; %d agents are online", strings.Join(names, ", "), online(s)), err
}

func online(s daemon.Status) int {
	n := 0
	for _, a := range s.Agents {
		if a.Online {
			n++
		}
	}
	return n
}
