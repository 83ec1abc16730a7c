package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/check"
	"github.com/cloister-ml/cloister/internal/fabric"
	"github.com/cloister-ml/cloister/internal/probe"
	"github.com/cloister-ml/cloister/internal/sandbox"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
)

// probeTime bounds what one place may take for all its tries.
const probeTime = 60 * time.Second

// Probe tries, from every place, what the proof predicts of the estate as it is,
// and hands over each place's comparisons as they come.
func (d *Daemon) Probe(ctx context.Context, each func([]probe.Comparison)) error {
	places := byPlace(slices.DeleteFunc(check.Matrix(d.cloud.Estate()), d.notBuilt))
	release, err := d.holdNodes(ctx, places)
	if err != nil {
		return err
	}
	defer release()
	if err := d.settleSpeakers(ctx); err != nil {
		return err
	}
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs []error
	)
	for _, cells := range places {
		wg.Go(func() {
			out, err := d.probePlace(ctx, cells)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs = append(errs, fmt.Errorf("probing from %s: %w", cells[0].From.Name, err))
				return
			}
			each(out)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// notBuilt reports a place that this machine does not build: what no gateway that is
// built leads to, what a managed network holds, instances of scale sets, and computes that only jobs bring about.
func (d *Daemon) notBuilt(c check.Cell) bool {
	if c.From.Remote() {
		_, built := d.outpost(c.From.Name)
		return !built
	}
	return c.From.Managed != "" || strings.EqualFold(c.From.Resource.Type(), "Microsoft.Compute/virtualMachineScaleSets") || c.From.NIC != "" && c.From.NIC.Equal(network.ServerlessNode(c.From.Resource))
}

// byPlace groups the cells of a matrix, which come place by place.
func byPlace(cells []check.Cell) [][]check.Cell {
	var out [][]check.Cell
	for len(cells) > 0 {
		n := slices.IndexFunc(cells, func(c check.Cell) bool { return c.From.Name != cells[0].From.Name })
		if n < 0 {
			n = len(cells)
		}
		out = append(out, cells[:n])
		cells = cells[n:]
	}
	return out
}

// holdNodes builds the networks of the compute nodes that are probed from, where
// no job has them running.
func (d *Daemon) holdNodes(ctx context.Context, places [][]check.Cell) (release func(), err error) {
	var held []arm.ID
	release = func() {
		d.nodes.release(held)
		if err := d.syncer.Sync(context.WithoutCancel(ctx)); err != nil {
			d.log.Error("removing the networks of probed nodes", "error", err)
		}
	}
	for _, cells := range places {
		if cells[0].From.Kind == check.KindCompute {
			held = append(held, cells[0].From.NIC)
		}
	}
	d.nodes.hold(held)
	if err := d.syncer.Sync(ctx); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

func (d *Daemon) probePlace(ctx context.Context, cells []check.Cell) ([]probe.Comparison, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	var tries []probe.Try
	for _, c := range cells {
		tries = append(tries, probe.TryOf(c))
	}
	input, err := json.Marshal(tries)
	if err != nil {
		return nil, err
	}
	output, err := d.tryFrom(ctx, cells[0].From, input)
	if err != nil {
		return nil, err
	}
	var seen []probe.Seen
	if err := json.Unmarshal(output, &seen); err != nil || len(seen) != len(cells) {
		return nil, fmt.Errorf("the tries gave no answer that can be read: %s", bytes.TrimSpace(output))
	}
	out := make([]probe.Comparison, len(cells))
	for i, c := range cells {
		out[i] = probe.Compare(c, seen[i])
	}
	return out, nil
}

// tryFrom runs `cloister probe try` in a machine, or in a sandbox of its own in a
// compute node's network.
func (d *Daemon) tryFrom(ctx context.Context, from check.Place, input []byte) ([]byte, error) {
	var out, said bytes.Buffer
	resolver := service.WireServer.String()
	id := from.Resource
	switch from.Kind {
	case check.KindCompute:
		return d.tryInNode(ctx, from, input)
	case check.KindInternet:
		id, resolver = outsiderID, outsiderResolver
	case check.KindPremises, check.KindVPNClient:
		o, _ := d.outpost(from.Name)
		id, resolver = o.id, o.resolver
	}
	status, err := d.boxes.Exec(ctx, d.boxName(id), sandbox.Exec{
		Args: []string{binaryPath, "probe", "try", "--resolver", resolver}, Stdin: bytes.NewReader(input), Stdout: &out, Stderr: &said,
	})
	return finished(out.Bytes(), said.Bytes(), status, err)
}

func finished(out, said []byte, status int, err error) ([]byte, error) {
	if err == nil && status != 0 {
		err = fmt.Errorf("exit status %d: %s", status, bytes.TrimSpace(said))
	}
	return out, err
}

func (d *Daemon) tryInNode(ctx context.Context, from check.Place, input []byte) ([]byte, error) {
	namespace, ok := d.fabric.Namespace(from.NIC)
	if !ok {
		return nil, errors.New("the node's network is not built")
	}
	layers, err := d.machineLayers(ctx)
	if err != nil {
		return nil, err
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var out, said bytes.Buffer
	files := d.systemFiles(from.Name, service.WireServer.String())
	files["/etc/cloister/tries.json"] = sandbox.File{Data: input, Mode: 0o600}
	status, err := d.boxes.Run(ctx, sandbox.Spec{
		Name: d.boxName(from.NIC) + "-probe", Layers: layers, Hostname: from.Name, NetNS: fabric.NamespacePath(namespace),
		Args: []string{binaryPath, "probe", "try", "--resolver", service.WireServer.String(), "--tries", "/etc/cloister/tries.json"},
		Env:  trustEnv(), Files: files, Machine: true,
		Mounts: []sandbox.Mount{{Source: exe, Target: binaryPath, ReadOnly: true}},
		Stdout: &out, Stderr: &said,
	})
	return finished(out.Bytes(), said.Bytes(), status, err)
}
