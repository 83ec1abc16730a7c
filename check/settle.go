package check

import (
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// settle draws a requirement's outcome from its stages, and says what decides.
// The document that decides is the deciding step's, or the first of the others
// that the estate holds.
func (w *world) settle(r *Requirement, others ...arm.ID) {
	value := verdict.Yes
	for _, s := range r.Stages {
		value = verdict.And(value, s.Verdict.Value)
	}
	r.Outcome = outcome(value, r.Must)
	step := w.decisive(*r)
	r.Reason = step.Reason
	if r.Must && r.Outcome != Holds && step.At != "" {
		r.Reason = step.At + ": " + step.Reason
	}
	if doc, ok := w.estate.Get(step.Resource); ok {
		r.Resource, r.Source = doc.ID, doc.Place(step.Part)
		return
	}
	for _, id := range append([]arm.ID{step.Resource}, others...) {
		if doc, ok := w.nearest(id); ok {
			r.Resource, r.Source = doc.ID, doc.Source
			return
		}
	}
}

// nearest is the document of an id or of the nearest thing above it: a node's
// cluster, a rule's group.
func (w *world) nearest(id arm.ID) (arm.Resource, bool) {
	for ; id != ""; id = id.Parent() {
		if doc, ok := w.estate.Get(id); ok && !doc.IsType(arm.TypeResourceGroup) {
			return doc, true
		}
	}
	return arm.Resource{}, false
}

// outcome of a flow whose stages together are value. A flow that must not be is
// kept from being by any one stage.
func outcome(value verdict.Value, must bool) Outcome {
	switch {
	case value == verdict.Unknown:
		return Unknown
	case (value == verdict.Yes) == must:
		return Holds
	}
	return Violated
}

// decisiveStage is the first stage that is no, else the first that is unknown,
// else the last.
func (r *Requirement) decisiveStage() Stage {
	for _, want := range []verdict.Value{verdict.No, verdict.Unknown} {
		for _, s := range r.Stages {
			if s.Verdict.Value == want {
				return s
			}
		}
	}
	if len(r.Stages) == 0 {
		return Stage{}
	}
	return r.Stages[len(r.Stages)-1]
}

// decisive is the step that settles a requirement. A missing peering makes an NSG
// deny as well, because the far network is no longer VirtualNetwork: then the
// route says the cause.
func (w *world) decisive(r Requirement) verdict.Step {
	stage := r.decisiveStage()
	step := stage.Verdict.Decisive()
	if stage.Name != StageConnect || step.Value != verdict.No {
		return step
	}
	if _, ok := w.unpeered(r.From.VNet, r.To); !ok {
		return step
	}
	for _, s := range stage.Verdict.Steps {
		if s.Value == verdict.No && strings.HasPrefix(s.At, "route") {
			return s
		}
	}
	return step
}

// resourceKind ends the name of a compute's Terraform resource.
func (p Place) resourceKind() string {
	if p.Kind == KindInstance {
		return "instance"
	}
	return "cluster"
}

func (p Place) label() string {
	switch p.Role {
	case RoleAgent:
		return "Agent"
	case RoleJumpHost:
		return "Jump host"
	case RoleCompute:
		switch {
		case p.Kind == KindInstance:
			return "Compute instance"
		case strings.EqualFold(p.Resource.Type(), service.TypeWorkspace):
			return "Serverless compute"
		}
		return "Compute cluster"
	case RoleServing:
		return "Kubernetes cluster"
	}
	return "Machine"
}

// serviceLabel names an endpoint for a title: "blob storage stmlops".
func serviceLabel(ep service.Endpoint) string {
	kinds := map[string]string{
		"api": "workspace", "notebooks": "notebooks of", "blob": "blob storage", "file": "file storage",
		"queue": "queue storage", "table": "table storage", "dfs": "data lake storage", "vault": "vault",
		"registry": "registry", "registrydata": "registry data of", "inference": "online endpoint", "insights": "Application Insights",
	}
	if kind, ok := kinds[ep.Service]; ok && ep.Resource != "" {
		return kind + " " + ep.Resource.Name()
	}
	return ep.Host
}
