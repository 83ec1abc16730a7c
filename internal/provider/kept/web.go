package kept

import (
	"net/http"

	"github.com/cloister-ml/cloister/arm"
)

// Apps, what they run on, and what tells them.
//
// Source: Azure's REST API reference, App Service, Event Grid and Container Apps.
var web = []kind{
	{name: "Microsoft.Web/serverfarms", status: http.StatusOK},
	{name: "Microsoft.Web/sites", status: http.StatusOK, fills: site},
	{name: "Microsoft.Web/sites/config", bare: true, status: http.StatusOK, fills: configDefaults, exists: siteConfig, answers: map[string]func(arm.Resource) any{
		"list": func(r arm.Resource) any {
			return arm.Object{"id": r.ID, "name": r.Name, "type": r.Type, "properties": r.Properties}
		},
	}},
	{name: "Microsoft.Web/sites/basicPublishingCredentialsPolicies", status: http.StatusOK, exists: map[string]func(arm.Resource) arm.Object{
		"ftp": fixed(arm.Object{"allow": true}), "scm": fixed(arm.Object{"allow": true}),
	}},
	{name: "Microsoft.EventGrid/eventSubscriptions", update: http.StatusCreated, fills: fixed(wholeFilter), answers: subscription},
	{name: "Microsoft.EventGrid/systemTopics/eventSubscriptions", update: http.StatusCreated, fills: fixed(wholeFilter), answers: subscription},
	{name: "Microsoft.App/managedEnvironments", fills: func(r arm.Resource) arm.Object {
		return arm.Object{"defaultDomain": host(r, r.Location+".azurecontainerapps.io"), "staticIp": "203.0.113.10", "peerAuthentication": arm.Object{"mtls": arm.Object{"enabled": false}}}
	}, secrets: []string{"sharedKey"}},
	{name: "Microsoft.App/containerApps", fills: func(r arm.Resource) arm.Object {
		return arm.Object{"latestRevisionName": r.Name + "--0000001", "latestRevisionFqdn": "", "outboundIpAddresses": []any{"203.0.113.10"}, "customDomainVerificationId": arm.StableGUID(r.ID, "verification")}
	}, answers: map[string]func(arm.Resource) any{"listsecrets": func(r arm.Resource) any {
		secrets := arm.List(r.Properties, "configuration.secrets")
		if secrets == nil {
			secrets = []any{}
		}
		return arm.Object{"value": secrets}
	}}, secrets: []string{"value"}},
}

// wholeFilter leaves no event out.
var wholeFilter = arm.Object{"filter": arm.Object{"subjectBeginsWith": "", "subjectEndsWith": ""}}

// noLogs is what a site keeps of what it says unless it is told to.
var noLogs = arm.Object{
	"applicationLogs":       arm.Object{"fileSystem": arm.Object{"level": "Off"}},
	"httpLogs":              arm.Object{"fileSystem": arm.Object{"enabled": false}},
	"failedRequestsTracing": arm.Object{"enabled": false},
	"detailedErrorMessages": arm.Object{"enabled": false},
}

func configDefaults(r arm.Resource) arm.Object {
	if r.Name == "logs" {
		return arm.Clone(noLogs)
	}
	return nil
}

// subscription answers what is not shown of where events go: an address with a
// secret in it, which only a web hook has, and headers.
var subscription = map[string]func(arm.Resource) any{
	"getfullurl": func(r arm.Resource) any {
		return arm.Object{"endpointUrl": arm.String(r.Properties, "destination.properties.endpointUrl")}
	},
	"getdeliveryattributes": func(arm.Resource) any { return arm.Object{"value": []any{}} },
}

func site(r arm.Resource) arm.Object {
	return arm.Object{
		"defaultHostName": host(r, "azurewebsites.net"), "hostNames": []any{host(r, "azurewebsites.net")}, "state": "Running",
		"outboundIpAddresses": "203.0.113.10", "possibleOutboundIpAddresses": "203.0.113.10",
		"customDomainVerificationId": arm.StableGUID(r.ID, "verification"), "keyVaultReferenceIdentity": "SystemAssigned",
	}
}

// siteConfig are the settings of a site before they are written one by one.
var siteConfig = map[string]func(arm.Resource) arm.Object{
	"web":                   webConfig,
	"appsettings":           appSettings,
	"connectionstrings":     empty,
	"azurestorageaccounts":  empty,
	"authsettings":          fixed(arm.Object{"enabled": false, "configVersion": "v1"}),
	"authsettingsv2":        empty,
	"slotconfignames":       empty,
	"logs":                  fixed(noLogs),
	"publishingcredentials": publishing,
}

func webConfig(site arm.Resource) arm.Object {
	config, _ := site.Properties["siteConfig"].(arm.Object)
	return arm.Clone(config)
}

// appSettings are a site's settings as it was made with them: pairs there, fields here.
func appSettings(site arm.Resource) arm.Object {
	out := arm.Object{}
	for _, e := range arm.List(site.Properties, "siteConfig.appSettings") {
		if pair, ok := e.(arm.Object); ok {
			out[arm.String(pair, "name")] = arm.String(pair, "value")
		}
	}
	return out
}

func publishing(site arm.Resource) arm.Object {
	return arm.Object{"publishingUserName": "$" + site.Name, "publishingPassword": key(site, "publishing"), "scmUri": "https://" + host(site, "scm.azurewebsites.net")}
}
