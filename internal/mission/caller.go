package mission

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/cloister-ml/cloister/access"
	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/client"
	"github.com/cloister-ml/cloister/internal/daemon"
)

// Caller calls the control plane as the service principal that AZURE_CLIENT_ID and
// AZURE_CLIENT_SECRET name or, without them, as the cloud's owner.
func Caller(d *daemon.Client) (*client.Client, error) {
	id, secret := os.Getenv("AZURE_CLIENT_ID"), os.Getenv("AZURE_CLIENT_SECRET")
	if id == "" || secret == "" {
		return Owner(d)
	}
	owner, err := daemon.ReadOwner(d.Dir())
	if err != nil {
		return nil, err
	}
	return clientAs(d.State, owner.Tenant, id, secret)
}

// loginRole is what [AssignLogin] gives.
const loginRole = "Virtual Machine Administrator Login"

// AssignLogin lets the caller log in to a virtual machine as its administrator, by
// a role assignment that the caller makes; one that is there is left as it is.
func AssignLogin(ctx context.Context, d *daemon.Client, machine string) error {
	caller, err := Caller(d)
	if err != nil {
		return err
	}
	estate, err := d.Estate(ctx)
	if err != nil {
		return err
	}
	for _, vm := range estate.OfType("Microsoft.Compute/virtualMachines") {
		if strings.EqualFold(vm.Name, machine) || vm.ID.Equal(arm.ID(machine)) {
			return assign(ctx, caller, vm.ID)
		}
	}
	return fmt.Errorf("there is no virtual machine %q", machine)
}

func assign(ctx context.Context, caller *client.Client, vm arm.ID) error {
	token, err := caller.Token(ctx)
	if err != nil {
		return err
	}
	principal, err := objectID(token)
	if err != nil {
		return err
	}
	role, ok := access.RoleByName(loginRole)
	if !ok {
		return fmt.Errorf("the role %s is not known", loginRole)
	}
	id := arm.ID(string(vm) + "/providers/Microsoft.Authorization/roleAssignments/" + arm.StableGUID(vm, loginRole+" "+principal))
	_, err = caller.Put(ctx, arm.Resource{ID: id, Name: id.Name(), Type: "Microsoft.Authorization/roleAssignments", Properties: arm.Object{
		"principalId": principal, "principalType": "ServicePrincipal",
		"roleDefinitionId": "/subscriptions/" + vm.Subscription() + "/providers/Microsoft.Authorization/roleDefinitions/" + role.ID,
	}})
	var refused *client.Error
	if errors.As(err, &refused) && refused.Code == "RoleAssignmentExists" {
		return nil
	}
	if err != nil {
		return fmt.Errorf("assigning %s on %s: %w", loginRole, vm.Name(), err)
	}
	return nil
}

// objectID reads whose an access token is. Its signature is the control plane's to
// check, which made it.
func objectID(token string) (string, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", errors.New("the access token is not a JSON Web Token")
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", errors.New("the access token's claims cannot be read")
	}
	var claims struct {
		ObjectID string `json:"oid"`
	}
	if err := json.Unmarshal(data, &claims); err != nil || claims.ObjectID == "" {
		return "", errors.New("the access token names no principal")
	}
	return claims.ObjectID, nil
}
