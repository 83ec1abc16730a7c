// Package planned reads what Terraform prints or keeps of resources whose
// configuration it has evaluated: a plan or a state as "terraform show -json"
// prints it, and a state file. It gives the resources in the form in which package
// lang gives those of a directory, so that one table of kinds serves both.
//
// A plan says of a value only that it is unknown. What it would refer to comes from
// the references in the plan's own configuration section; package planned follows
// them where they lead to one attribute of one resource, through variables, module
// outputs, their members, and count or for_each. A plan does not say what local values
// are made of, nor how an expression joins what it refers to: a value with several
// references, or one through a local value, stays unknown. Where the configuration is at
// hand, evaluated with the plan's variables and data sources, its values stand in; what
// the plan knows is never overridden, and what neither knows is unknown.
//
// Source: HashiCorp, "JSON Output Format" of Terraform, format versions 0.1 to 1.x;
// state file version 4.
package planned
