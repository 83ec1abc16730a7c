package check

import (
	"net/netip"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// Kind is what a place is.
type Kind string

const (
	KindMachine  Kind = "virtual machine"
	KindCompute  Kind = "compute node"
	KindInstance Kind = "compute instance"
	KindCluster  Kind = "Kubernetes node"
	KindInternet Kind = "internet"
	KindBastion  Kind = "bastion"
	KindService  Kind = "service"
	KindNetwork  Kind = "virtual network"
)

// Role is what a place is for; roles.go says how it is told from the documents.
type Role string

const (
	RoleAgent    Role = "agent"
	RoleJumpHost Role = "jump host"
	RoleCompute  Role = "compute"
	RoleServing  Role = "serving" // nodes of a Kubernetes cluster that is attached to a workspace
	RoleOther    Role = ""
)

// Place is where a flow starts.
type Place struct {
	Name     string     `json:"name"`
	Kind     Kind       `json:"kind"`
	Role     Role       `json:"role,omitempty"`
	Resource arm.ID     `json:"resource,omitempty"` // virtual machine, cluster, ...
	NIC      arm.ID     `json:"nic,omitempty"`
	Addr     netip.Addr `json:"address,omitzero"`
	VNet     arm.ID     `json:"network,omitempty"`
	Subnet   arm.ID     `json:"subnet,omitempty"`
	// Managed is the workspace in whose managed network it is, or in a network of
	// Microsoft's where that is not isolated; "" where it is in neither.
	Managed  arm.ID `json:"managedNetwork,omitempty"`
	Identity string `json:"identity,omitempty"` // object id that it acts as, or ""
}

// Target is where a flow leads.
type Target struct {
	Name     string           `json:"name"` // host name, machine or network
	Service  string           `json:"service,omitempty"`
	Resource arm.ID           `json:"resource,omitempty"`
	Addr     netip.Addr       `json:"address,omitzero"`
	Port     uint16           `json:"port,omitempty"`
	Endpoint service.Endpoint `json:"-"`
}

// Names of the stages of a flow, in their order.
const (
	StageResolve   = "resolve"   // the name leads to the address that it should
	StageConnect   = "connect"   // packets arrive
	StageAdmit     = "admit"     // the service's own firewall lets them in
	StageAuthorize = "authorize" // the identity may do what it asks
	StageConfigure = "configure" // the document says what it should
)

// Stage is one part of a flow and how it is answered.
type Stage struct {
	Name    string          `json:"name"`
	Verdict verdict.Verdict `json:"verdict"`
}

// Outcome of a requirement.
type Outcome string

const (
	Holds    Outcome = "holds"
	Violated Outcome = "violated"
	Unknown  Outcome = "unknown"
	Off      Outcome = "off" // switched off by the user, with a reason
)

// Severity of a requirement that does not hold.
type Severity string

const (
	Critical Severity = "critical"
	High     Severity = "high"
	Medium   Severity = "medium"
	Low      Severity = "low"
)

// Requirement is one thing that must be so, and whether it is.
type Requirement struct {
	ID       string     `json:"id"`   // stable: rule:from:to
	Rule     string     `json:"rule"` // a [Rule]'s id
	Title    string     `json:"title"`
	Why      string     `json:"why,omitempty"` // what in the estate it is derived from
	From     Place      `json:"from,omitzero"`
	To       Target     `json:"to,omitzero"`
	As       string     `json:"as,omitempty"` // the name of the identity
	Must     bool       `json:"must"`         // the flow must be; otherwise it must not
	Stages   []Stage    `json:"stages"`
	Outcome  Outcome    `json:"outcome"`
	Reason   string     `json:"reason"`             // what decides, in words
	Resource arm.ID     `json:"resource,omitempty"` // the document that decides
	Source   arm.Source `json:"source,omitzero"`    // where that is declared
	Severity Severity   `json:"severity"`
	Remedy   string     `json:"remedy,omitempty"` // the smallest change that mends it
	// Because is the id of the requirement that falls for the same fault and says
	// it best; "" where this one does. What follows from a fault is not a finding
	// of its own.
	Because string `json:"because,omitempty"`

	faults []fault // what it falls for, to find the others that do
}

// Finding reports whether the requirement falls and does not follow from another
// that does.
func (r *Requirement) Finding() bool { return r.Outcome == Violated && r.Because == "" }

// At is a place in the user's files where a resource is declared.
type At struct {
	File string
	Line int
}

// Remark is what the user wrote beside a resource.
type Remark struct {
	// Ignored are the attributes that lifecycle.ignore_changes leaves to others;
	// "all" stands for each.
	Ignored []string
	// Suppressed are the rules that are switched off for the resource.
	Suppressed []Suppression
}

// Suppression is a rule that is switched off for one resource.
type Suppression struct {
	Rule   string
	Reason string
	At     At
}

// Options change what [Prove] asks for.
type Options struct {
	// Remarks are what is written beside the resources.
	Remarks map[At]Remark
	// Asks are the user's own requirements.
	Asks []Ask
	// Disables switch rules off for what they select.
	Disables []Disable
	// Severities replace those of rules, by rule id.
	Severities map[string]Severity
	// Disable switches requirements off, by rule or by requirement id, with a reason.
	Disable map[string]string
}

// Report is what was proved.
type Report struct {
	Requirements []Requirement `json:"requirements"` // in the order of the rules, then by id
	Places       []Place       `json:"places"`
	Resources    int           `json:"resources"` // documents in the estate
	Unread       int           `json:"unread"`    // resources that are declared and not in the estate
	UnreadTypes  []string      `json:"unreadTypes,omitempty"`
	// Unmatched are the parts of the user's own requirements that select nothing:
	// errors, each with where it is written.
	Unmatched []Unmatched `json:"-"`
}

// Count is the number of requirements with an outcome.
func (r *Report) Count(o Outcome) int {
	n := 0
	for i := range r.Requirements {
		if r.Requirements[i].Outcome == o {
			n++
		}
	}
	return n
}

// Findings are the requirements that fall, each fault once: without those that
// follow from it.
func (r *Report) Findings() []Requirement {
	var out []Requirement
	for _, q := range r.Requirements {
		if q.Finding() {
			out = append(out, q)
		}
	}
	return out
}

// With are the requirements with an outcome, in order.
func (r *Report) With(o Outcome) []Requirement {
	var out []Requirement
	for _, q := range r.Requirements {
		if q.Outcome == o {
			out = append(out, q)
		}
	}
	return out
}
