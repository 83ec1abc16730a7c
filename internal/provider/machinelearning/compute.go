package machinelearning

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/job"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/schedule"
)

func (s *Service) computeType() cloud.Type {
	return cloud.Type{
		Name:      typeCompute,
		Prepare:   s.prepareCompute,
		Present:   s.presentCompute,
		Runs:      s.runs,
		Reconcile: s.reconcileCompute,
		Remove:    s.removeCompute,
		Actions:   map[string]cloud.Action{"listnodes": s.listNodes},
	}
}

// The kinds of compute that are run here. The others are kept.
const (
	kindCluster  = "AmlCompute"
	kindInstance = "ComputeInstance"
)

// computeKinds are Azure's: ComputeType of the REST API.
var computeKinds = []string{
	kindCluster, kindInstance, "Kubernetes", "AKS", "VirtualMachine", "HDInsight", "Databricks", "DataFactory", "DataLakeAnalytics", "SynapseSpark",
}

func isCluster(r arm.Resource) bool { return arm.String(r.Properties, "computeType") == kindCluster }

// runs reports whether a compute is made real.
func (s *Service) runs(r arm.Resource) bool { return isCluster(r) || s.isWorkstation(r) }

// isWorkstation reports whether a compute is an instance that is run: one without
// a subnet would be in a network that is not described here.
func (s *Service) isWorkstation(r arm.Resource) bool {
	return s.options.Workstations != nil && arm.String(r.Properties, "computeType") == kindInstance && arm.Ref(r.Properties, "properties.subnet.id") != ""
}

// maxNodes bounds a cluster on this machine.
const maxNodes = 100

var computeName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,30}[A-Za-z0-9]$`)

func (s *Service) prepareCompute(view cloud.View, _ *arm.Resource, r arm.Resource) (arm.Resource, error) {
	invalid := func(format string, args ...any) (arm.Resource, error) {
		return r, cloud.Errorf(http.StatusBadRequest, "ValidationError", format, args...)
	}
	if !computeName.MatchString(r.Name) {
		return invalid("%q is not a compute name: a letter, then letters, digits and '-', 2 to 32 characters.", r.Name)
	}
	r.Properties = arm.Clone(r.Properties)
	kind := arm.String(r.Properties, "computeType")
	if !slices.Contains(computeKinds, kind) {
		return invalid("computeType is %q; it is one of %s.", kind, strings.Join(computeKinds, ", "))
	}
	if id := arm.String(r.Properties, "properties.subnet.id"); id != "" {
		if _, ok := view.Get(arm.ID(id)); !ok {
			return invalid("subnet.id: the subnet %s was not found.", id)
		}
	}
	setDefault(r.Properties, "computeLocation", r.Location)
	setDefault(r.Properties, "disableLocalAuth", false)
	if kind != kindCluster {
		return r, nil
	}
	p, _ := r.Properties["properties"].(map[string]any)
	if p == nil {
		p = arm.Object{}
		r.Properties["properties"] = p
	}
	low, high := arm.Int(p, "scaleSettings.minNodeCount", 0), arm.Int(p, "scaleSettings.maxNodeCount", -1)
	if high < 0 || high > maxNodes || low < 0 || low > high {
		return invalid("scaleSettings: minNodeCount %d and maxNodeCount %d must be 0 <= min <= max <= %d.", low, high, maxNodes)
	}
	if idle := arm.String(p, "scaleSettings.nodeIdleTimeBeforeScaleDown"); idle != "" {
		if _, err := job.Duration(idle); err != nil {
			return invalid("scaleSettings.nodeIdleTimeBeforeScaleDown: %v.", err)
		}
	}
	setDefault(p, "vmPriority", "Dedicated")
	setDefault(p, "osType", "Linux")
	setDefault(p, "enableNodePublicIp", true)
	setDefault(p, "remoteLoginPortPublicAccess", "NotSpecified")
	setDefault(p, "isolatedNetwork", false)
	return r, nil
}

// claimTime is how long a node that has nothing to do may be silent.
const claimTime = 30 * time.Second

// scaleOf is how a cluster grows and shrinks.
func scaleOf(r arm.Resource, lease time.Duration) schedule.Scale {
	const shortest = time.Second
	p, _ := r.Properties["properties"].(map[string]any)
	idle := 2 * time.Minute // Azure's default
	if d, err := job.Duration(arm.String(p, "scaleSettings.nodeIdleTimeBeforeScaleDown")); err == nil {
		idle = max(d, shortest)
	}
	return schedule.Scale{
		Min: arm.Int(p, "scaleSettings.minNodeCount", 0), Max: arm.Int(p, "scaleSettings.maxNodeCount", 0),
		Idle: idle, Silence: claimTime + 2*lease,
	}
}

// presentCompute shows how many nodes there are.
func (s *Service) presentCompute(_ cloud.View, r arm.Resource) arm.Resource {
	if !isCluster(r) {
		return r
	}
	nodes, err := s.jobs.Nodes(context.Background(), r.ID)
	if err != nil {
		s.host.Log().Error("reading the nodes of a cluster", "cluster", r.ID, "error", err)
		return r
	}
	r.Properties = arm.Clone(r.Properties)
	p, _ := r.Properties["properties"].(map[string]any)
	if p == nil {
		return r
	}
	count := map[schedule.NodeState]int{}
	for _, n := range nodes {
		count[n.State]++
	}
	present := count[schedule.Idle] + count[schedule.Busy] + count[schedule.Starting]
	p["currentNodeCount"], p["targetNodeCount"] = float64(present), float64(present)
	p["allocationState"] = "Steady"
	if count[schedule.Starting]+count[schedule.Leaving] > 0 {
		p["allocationState"] = "Resizing"
	}
	p["nodeStateCounts"] = arm.Object{
		"idleNodeCount": float64(count[schedule.Idle]), "runningNodeCount": float64(count[schedule.Busy]),
		"preparingNodeCount": float64(count[schedule.Starting]), "leavingNodeCount": float64(count[schedule.Leaving]),
		"unusableNodeCount": 0.0, "preemptedNodeCount": 0.0,
	}
	if t, ok := s.troubleOf(r.ID); ok {
		p["errors"] = []any{arm.Object{"error": arm.Object{"code": "NodeStartFailed", "message": t.err.Error()}}}
	}
	return r
}

func (s *Service) troubleOf(cluster arm.ID) (trouble, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.troubles[cluster.Key()]
	return t, ok
}

func (s *Service) setTrouble(cluster arm.ID, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		delete(s.troubles, cluster.Key())
		return
	}
	s.troubles[cluster.Key()] = trouble{err, time.Now().Add(5 * time.Second)}
}

// reconcileCompute starts an instance's machine. For a cluster it has nothing to
// make: nodes come and go with the jobs.
func (s *Service) reconcileCompute(ctx context.Context, r arm.Resource) error {
	s.changed.wake()
	if s.isWorkstation(r) {
		return s.options.Workstations.Start(ctx, r)
	}
	return nil
}

func (s *Service) removeCompute(ctx context.Context, r arm.Resource) error {
	if s.isWorkstation(r) {
		return s.options.Workstations.Stop(ctx, r.ID, true)
	}
	nodes, err := s.jobs.Nodes(ctx, r.ID)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		if s.options.Nodes != nil {
			if err := s.options.Nodes.Stop(ctx, r.ID, n.N); err != nil {
				return err
			}
		}
		if err := s.jobs.NodeGone(ctx, r.ID, n.N); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) listNodes(ctx context.Context, r arm.Resource, _ json.RawMessage) (any, error) {
	nodes, err := s.jobs.Nodes(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	out := make([]any, 0, len(nodes))
	for _, n := range nodes {
		state := string(n.State)
		if n.State == schedule.Starting {
			state = "preparing"
		}
		out = append(out, map[string]any{"nodeId": nodeName(r.ID, n.N), "nodeState": state, "port": nil, "publicIpAddress": nil, "privateIpAddress": nil, "runId": nil})
	}
	return map[string]any{"nodes": out}, nil
}

func nodeName(cluster arm.ID, n int) string { return strings.ToLower(cluster.Name()) + "-" + itoa(n) }
