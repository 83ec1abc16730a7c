// Package access is the meaning of identities, roles and role assignments: who
// may do which action where, and by which assignment.
//
// [Model.Allows] is asked by every service of a running cloud before it acts, and
// by check before anything is deployed. Nothing is allowed that no assignment
// allows. A question whose answer hangs on what the estate does not hold (a role
// that is defined elsewhere, a group's members, an attribute condition) is
// answered unknown with that reason; a service must take unknown as no.
//
// A deny assignment goes before every role. The condition of an assignment is
// decided as far as the action and the container of the call decide it. [Model.May]
// adds what account keys give to who may list them, and [Model.Escalates] says who
// can give rights to itself.
//
// The package does not authenticate anyone, and does not know whether a request
// could reach the service (network).
//
// Sources: Microsoft Learn, "Azure built-in roles", "Understand Azure role
// definitions", "Understand scope for Azure RBAC", "Assign a Key Vault access
// policy", "Understand Azure deny assignments", "Azure role assignment condition
// format and syntax".
package access
