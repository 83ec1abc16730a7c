package keyvault

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
)

// deploy gives a secret to a deployment whose template has a parameter that refers
// to it. Who deploys was asked for the right Microsoft.KeyVault/vaults/deploy/action;
// to anyone else the vault has no such action, as on Azure.
func (vs *vaults) deploy(ctx context.Context, r arm.Resource, body json.RawMessage) (any, error) {
	if !cloud.Acting(ctx) {
		return nil, cloud.Errorf(http.StatusNotFound, "InvalidAction", "The resource type '%s' has no action 'deploy'.", r.Type)
	}
	if !arm.Bool(r.Properties, "enabledForTemplateDeployment", false) {
		return nil, cloud.Errorf(http.StatusForbidden, "KeyVaultNotEnabledForDeployment", "the vault %s is not enabled for template deployment: set enabledForTemplateDeployment on it", r.Name)
	}
	var asked struct{ SecretName, SecretVersion string }
	if err := json.Unmarshal(body, &asked); err != nil {
		return nil, badRequest("BadRequest", "the secret that is asked for is not named")
	}
	v, err := vs.get(r.ID)
	if err != nil {
		return nil, err
	}
	s, err := v.get(ctx, asked.SecretName, asked.SecretVersion)
	if err != nil {
		return nil, badRequest("SecretNotFound", "the vault %s has no secret %s that is enabled", r.Name, asked.SecretName)
	}
	return arm.Object{"value": string(s.Value)}, nil
}
