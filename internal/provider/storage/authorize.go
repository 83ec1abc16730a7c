package storage

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

// need is what an operation asks for: of a principal one of actions, of a
// signature one of the letters in permissions.
type need struct {
	actions     []action
	permissions string // of a SAS; "" where none suffices
	level       byte   // what an account SAS must have in srt: s, c or o
	public      string // container access levels that let anyone in, comma-separated
}

// action is a control action or a data action.
type action struct {
	name       string
	data       bool
	createOnly bool // it allows to make what is not there, and not to change what is
}

// grant is what an authorised request may do beyond its operation.
type grant struct{ createOnly bool }

const (
	actionPrefix = "Microsoft.Storage/storageAccounts/blobServices/"
	readBlobs    = actionPrefix + "containers/blobs/read"
	writeBlobs   = actionPrefix + "containers/blobs/write"
	addBlobs     = actionPrefix + "containers/blobs/add/action"
	deleteBlobs  = actionPrefix + "containers/blobs/delete"
)

// What the operations need.
var (
	needListContainers  = need{actions: control("containers/read"), permissions: "l", level: 's'}
	needDelegationKey   = need{actions: control("generateUserDelegationKey/action")}
	needAccountInfo     = need{actions: append(control("getInfo/action"), action{name: readBlobs, data: true}), permissions: "rwdlacup", level: 's'}
	needReadContainer   = need{actions: control("containers/read"), permissions: "r", level: 'c', public: "container"}
	needCreateContainer = need{actions: control("containers/write"), permissions: "cw", level: 'c'}
	needWriteContainer  = need{actions: control("containers/write"), permissions: "w", level: 'c'}
	needDeleteContainer = need{actions: control("containers/delete"), permissions: "d", level: 'c'}
	needListBlobs       = need{actions: data(readBlobs), permissions: "l", level: 'c', public: "container"}
	needReadBlob        = need{actions: data(readBlobs), permissions: "r", level: 'o', public: "container,blob"}
	needWriteBlob       = need{actions: data(writeBlobs), permissions: "w", level: 'o'}
	needDeleteBlob      = need{actions: data(deleteBlobs), permissions: "d", level: 'o'}
	needPutBlob         = need{
		actions: []action{{name: writeBlobs, data: true}, {name: addBlobs, data: true, createOnly: true}}, permissions: "wc", level: 'o',
	}
)

func control(name string) []action { return []action{{name: actionPrefix + name}} }
func data(name string) []action    { return []action{{name: name, data: true}} }

func mismatch(reason string) error {
	return fail(http.StatusForbidden, "AuthorizationPermissionMismatch",
		"This request is not authorized to perform this operation using this permission. %s", reason)
}

// authorize decides whether who may do what n asks for, in a container.
func (q *request) authorize(who *credential, n need, container, blob string) (grant, error) {
	switch {
	case who.key:
		return grant{}, nil
	case who.anonymous:
		return grant{}, q.authorizePublic(n, container)
	case who.sas != nil:
		g, err := authorizeSAS(who, n, blob)
		if err != nil || who.caller == nil {
			return g, err
		}
		delegated, err := q.authorizeCaller(who, n, container)
		return grant{createOnly: g.createOnly || delegated.createOnly}, err
	}
	return q.authorizeCaller(who, n, container)
}

// scope is the narrowest document that a role may have been assigned on.
func (q *request) scope(container string) arm.ID {
	if container == "" {
		return q.account.ID
	}
	return q.account.ID.Child("blobServices", "default").Child("containers", container)
}

func (q *request) authorizeCaller(who *credential, n need, container string) (grant, error) {
	var first verdict.Verdict
	for i, a := range n.actions {
		v := q.service.host.Authorize(*who.caller, a.name, a.data, q.scope(container))
		if v.Value == verdict.Yes {
			return grant{createOnly: a.createOnly}, nil
		}
		if i == 0 {
			first = v
		}
	}
	step := first.Decisive()
	return grant{}, mismatch(step.At + ": " + step.Reason)
}

func authorizeSAS(who *credential, n need, blob string) (grant, error) {
	sas := who.sas
	switch {
	case n.permissions == "":
		return grant{}, mismatch("The operation cannot be signed for.")
	case sas.IsAccount() && !strings.Contains(sas.Services, "b"):
		return grant{}, fail(http.StatusForbidden, "AuthorizationServiceMismatch",
			"This request is not authorized to perform this operation using this service.")
	case sas.IsAccount() && !strings.Contains(sas.ResourceTypes, string(n.level)),
		!sas.IsAccount() && !serviceSASReaches(sas.Resource, n, blob):
		return grant{}, fail(http.StatusForbidden, "AuthorizationResourceTypeMismatch",
			"This request is not authorized to perform this operation using this resource type.")
	}
	for _, letter := range sas.Permissions {
		if strings.ContainsRune(n.permissions, letter) && (letter != 'c' || n.level == 'c') {
			return grant{}, nil
		}
	}
	if strings.Contains(n.permissions, "c") && strings.Contains(sas.Permissions, "c") {
		return grant{createOnly: true}, nil
	}
	return grant{}, mismatch("The signature has the permissions " + sas.Permissions + ", and one of " + n.permissions + " is needed.")
}

// serviceSASReaches says which operations a container's or a blob's SAS is for:
// blobs, and of a container their listing.
func serviceSASReaches(resource string, n need, blob string) bool {
	return (n.level == 'o' && blob != "") || (resource == "c" && n.level == 'c' && n.permissions == needListBlobs.permissions)
}

// authorizePublic lets anyone read what the account and the container make public.
func (q *request) authorizePublic(n need, container string) error {
	if n.public == "" || container == "" || !arm.Bool(q.account.Properties, "allowBlobPublicAccess", false) {
		return q.noAuthentication()
	}
	c, err := q.blobs.Container(q.Context(), container)
	if err != nil || c.Access == "" || !strings.Contains(","+n.public+",", ","+c.Access+",") {
		return q.noAuthentication() // whether the container exists is not said
	}
	return nil
}

func decodeKey(text string) ([]byte, error) { return base64.StdEncoding.DecodeString(text) }
