package template

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/template/internal/eval"
	"github.com/cloister-ml/cloister/source/template/internal/function"
	"github.com/cloister-ml/cloister/source/template/internal/value"
)

// hosted are the functions about deployments and resources.
//
// Source: Microsoft Learn, "Deployment functions", "Resource functions" and "Scope
// functions for ARM templates".
var hosted map[string]func(d *Deployment, s *eval.Scope, c eval.Call) (any, error)

func init() {
	ids := func(d *Deployment, _ *eval.Scope, c eval.Call) (any, error) { return d.idFunction(c.Name, c.Args) }
	later := func(_ *Deployment, s *eval.Scope, c eval.Call) (any, error) { return later(s, c), nil }
	hosted = map[string]func(d *Deployment, s *eval.Scope, c eval.Call) (any, error){
		"resourceid": ids, "subscriptionresourceid": ids, "tenantresourceid": ids, "managementgroupresourceid": ids, "extensionresourceid": ids,
		"reference": (*Deployment).reference, "references": (*Deployment).references, "resourceinfo": (*Deployment).resourceInfo,
		"subscription": (*Deployment).subscription, "resourcegroup": (*Deployment).resourceGroup,
		"managementgroup": (*Deployment).managementGroup, "tenant": (*Deployment).tenant,
		"deployment": (*Deployment).deployment, "environment": environment,
		"utcnow": (*Deployment).utcNow, "fail": fail,
		// What these say only Azure knows, or changes with each deployment.
		"newguid": later, "deployer": later, "providers": later, "pickzones": later, "extensions": later, "roledefinitions": later,
		"tologicalzone": later, "tologicalzones": later, "tophysicalzone": later, "tophysicalzones": later, "externalinput": later,
	}
}

// Function answers the functions that are about the deployment.
func (d *Deployment) Function(s *eval.Scope, c eval.Call) (v any, known bool, err error) {
	if f, ok := hosted[c.Name]; ok {
		v, err = f(d, s, c)
		return v, true, err
	}
	if strings.HasPrefix(c.Name, "list") {
		v, err = d.list(s, c)
		return v, true, err
	}
	return nil, false, nil
}

// later is what is known when it is deployed.
func later(s *eval.Scope, c eval.Call) value.Unknown {
	u := value.NewUnknown(clip(c.Text), s.File(), c.At.Line)
	if c.Name == "newguid" {
		return u.As(value.Braced(fmt.Sprintf("newGuid():%d:%d", c.At.Line, c.At.Column)))
	}
	return u
}

// some is an object of which the rest is not known.
func some(s *eval.Scope, c eval.Call, known value.Object) value.Partial {
	return value.Partial{Known: known, Rest: later(s, c)}
}

func (d *Deployment) utcNow(s *eval.Scope, c eval.Call) (any, error) {
	if err := function.Arity(len(c.Args), 0, 1); err != nil {
		return nil, err
	}
	if d.run.opts.Now.IsZero() {
		return later(s, c), nil
	}
	return function.UTCNow(d.run.opts.Now, c.Args)
}

// fail ends the deployment with a message of the template's.
func fail(_ *Deployment, _ *eval.Scope, c eval.Call) (any, error) {
	if err := function.Arity(len(c.Args), 1, 1); err != nil {
		return nil, err
	}
	if u, unknown := value.Unsure(c.Args[0]); unknown {
		return u, nil
	}
	message, _ := value.Text(c.Args[0])
	return nil, errors.New("the template refuses to be deployed: " + clip(message))
}

func (d *Deployment) subscription(s *eval.Scope, c eval.Call) (any, error) {
	if d.said.level < arm.LevelSubscription {
		return nil, fmt.Errorf("a deployment to a %s is in no subscription", d.said.level)
	}
	known := value.Object{"id": text("/subscriptions/", d.said.subscription), "subscriptionId": d.said.subscription}
	if t := d.run.opts.TenantID; t != "" {
		known["tenantId"] = t
	}
	return some(s, c, known), nil
}

func (d *Deployment) resourceGroup(s *eval.Scope, c eval.Call) (any, error) {
	if d.said.level != arm.LevelGroup {
		return nil, fmt.Errorf("a deployment to a %s is in no resource group", d.said.level)
	}
	known := value.Object{
		"id": d.said.id(), "name": d.said.resources, "type": arm.TypeResourceGroup,
		"properties": value.Whole{"provisioningState": "Succeeded"},
	}
	if l := d.location(); l != "" {
		known["location"] = l
	}
	return some(s, c, known), nil
}

// location is where the resource group is: as given, or as a template around
// this one declares it.
func (d *Deployment) location() string {
	if d.depth > 0 {
		id, _ := arm.ParseID(value.Symbol(d.said.id()))
		if l, ok := d.run.groups()[id.Key()]; ok {
			return l
		}
	}
	if value.Symbol(d.said.resources) != value.Symbol(d.run.home.resources) {
		return ""
	}
	return d.run.opts.Location
}

func (d *Deployment) managementGroup(s *eval.Scope, c eval.Call) (any, error) {
	if d.said.level != arm.LevelManagementGroup {
		return nil, fmt.Errorf("a deployment to a %s is in no management group", d.said.level)
	}
	return some(s, c, value.Object{"id": d.said.id(), "name": d.said.group, "type": arm.TypeManagementGroup}), nil
}

func (d *Deployment) tenant(s *eval.Scope, c eval.Call) (any, error) {
	known := value.Object{}
	if t := d.run.opts.TenantID; t != "" {
		known["tenantId"] = t
	}
	return some(s, c, known), nil
}

func (d *Deployment) deployment(s *eval.Scope, c eval.Call) (any, error) {
	known := value.Object{"name": d.name, "properties": value.Object{
		"mode":     "Incremental",
		"template": value.Object{"contentVersion": d.root.Get("contentVersion").Str(), "$schema": d.root.Get("$schema").Str()},
	}}
	if l := d.run.opts.Location; l != "" && d.said.level < arm.LevelGroup {
		known["location"] = l
	}
	return some(s, c, known), nil
}

// environment is Azure's public cloud.
func environment(_ *Deployment, _ *eval.Scope, _ eval.Call) (any, error) {
	return value.Object{
		"name": "AzureCloud", "gallery": "https://gallery.azure.com/", "graph": "https://graph.windows.net/", "portal": "https://portal.azure.com",
		"graphAudience": "https://graph.windows.net/", "activeDirectoryDataLake": "https://datalake.azure.net/", "batch": "https://batch.core.windows.net/",
		"media": "https://rest.media.azure.net", "sqlManagement": "https://management.core.windows.net:8443/", "vmImageAliasDoc": "https://raw.githubusercontent.com/Azure/azure-rest-api-specs/master/arm-compute/quickstart-templates/aliases.json",
		"resourceManager": "https://management.azure.com/",
		"authentication": value.Object{
			"loginEndpoint": "https://login.microsoftonline.com/", "tenant": "common", "identityProvider": "AAD",
			"audiences": []any{"https://management.core.windows.net/", "https://management.azure.com/"},
		},
		"suffixes": value.Object{
			"acrLoginServer": ".azurecr.io", "azureDatalakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.net", "azureDatalakeStoreFileSystem": "azuredatalakestore.net",
			"azureFrontDoorEndpointSuffix": "azurefd.net", "keyvaultDns": ".vault.azure.net", "sqlServerHostname": ".database.windows.net", "storage": "core.windows.net",
		},
	}, nil
}

// address of a template for messages: as seen from where the user is.
func (d *Deployment) beside(path string) string { return filepath.Join(filepath.Dir(d.file), path) }
