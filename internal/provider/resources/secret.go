package resources

import (
	"errors"
	"net/http"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/service"
)

// secret is the value of a parameter that is a reference to a secret of a key
// vault. The principal who deploys needs the action deploy on the vault, and the
// vault must be enabled for template deployment; a right to read its secrets is
// neither needed nor enough.
//
// Source: Microsoft Learn, "Use Azure Key Vault to pass secure parameter value
// during deployment".
func (d *deployer) secret(c client, name string, reference any) (string, error) {
	object, _ := reference.(map[string]any)
	id, err := arm.ParseID(arm.String(object, "keyVault.id"))
	if err != nil || !strings.EqualFold(id.Type(), service.TypeKeyVault) || arm.String(object, "secretName") == "" {
		return "", invalid("Deployment template validation failed: the reference of the parameter '%s' should name a key vault by keyVault.id and its secret by secretName.", name)
	}
	var out struct {
		Value string `json:"value"`
	}
	ask := arm.Object{"secretName": arm.String(object, "secretName"), "secretVersion": arm.String(object, "secretVersion")}
	_, err = c.call(http.MethodPost, address(id+"/deploy", anyVersion), ask, &out)
	var e *cloud.Error
	switch {
	case err == nil:
		return out.Value, nil
	case !errors.As(err, &e):
		return "", err
	case e.Status == http.StatusForbidden:
		return "", cloud.Errorf(http.StatusForbidden, "KeyVaultParameterReferenceAuthorizationFailed",
			"The secret of KeyVault parameter '%s' cannot be retrieved: %s", name, e.Message)
	case e.Code == "ResourceNotFound" || e.Code == "ResourceGroupNotFound":
		return "", cloud.Errorf(http.StatusBadRequest, "KeyVaultParameterReferenceNotFound", "The specified KeyVault '%s' could not be found.", id)
	}
	return "", cloud.Errorf(http.StatusBadRequest, "KeyVaultParameterReferenceSecretRetrieveFailed",
		"The secret of KeyVault parameter '%s' cannot be retrieved: %s", name, e.Message)
}
