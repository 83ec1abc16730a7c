package oracle

import (
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// isSetting reports whether an id is of a part of a web app's settings, which the
// provider writes beside the app or reads without having written it.
func isSetting(id arm.ID) bool {
	typ := strings.ToLower(id.Type())
	return typ == "microsoft.web/sites/config" || typ == "microsoft.web/sites/networkconfig" || typ == "microsoft.web/sites/basicpublishingcredentialspolicies"
}

// setting is a part of an app's settings that no one has written by itself.
func (e *Endpoint) setting(id arm.ID) arm.Object {
	props := any(arm.Object{})
	switch site := e.docs[id.Parent().Key()]; strings.ToLower(id.Name()) {
	case "web":
		if config, ok := arm.Lookup(site.doc, "properties.siteConfig"); ok {
			props = config
		}
	case "ftp", "scm":
		props = arm.Object{"allow": true}
	}
	return arm.Object{"id": string(id), "name": id.Name(), "type": id.Type(), "properties": props}
}

// foldSetting puts what was written to a part of an app's settings into the app,
// where Azure takes it just as well. It reports whether there is a place for it.
func foldSetting(site *Body, part string, props arm.Object) bool {
	all, ok := site.Body["properties"].(map[string]any)
	if !ok {
		return false
	}
	config, ok := all["siteConfig"].(map[string]any)
	if !ok {
		config = arm.Object{}
		all["siteConfig"] = config
	}
	switch strings.ToLower(part) {
	case "appsettings":
		config["appSettings"] = pairsOf(props)
	case "metadata":
		config["metadata"] = pairsOf(props)
	case "connectionstrings":
		config["connectionStrings"] = connections(props)
	case "azurestorageaccounts":
		config["azureStorageAccounts"] = props
	case "web":
		for k, v := range props {
			config[k] = v
		}
	case "virtualnetwork":
		all["virtualNetworkSubnetId"] = props["subnetResourceId"]
	default:
		return false
	}
	return true
}

// pairsOf is an object as a list of names and values.
func pairsOf(props arm.Object) []any {
	list := make([]any, 0, len(props))
	for _, name := range sortedKeys(props) {
		list = append(list, arm.Object{"name": name, "value": props[name]})
	}
	return list
}

// connections are an app's connection strings as a site's configuration has them.
func connections(props arm.Object) []any {
	list := make([]any, 0, len(props))
	for _, name := range sortedKeys(props) {
		c, _ := props[name].(map[string]any)
		list = append(list, arm.Object{"name": name, "connectionString": c["value"], "type": c["type"]})
	}
	return list
}
