package service

import "strings"

// cloud is a sovereign cloud: the public cloud with other suffixes.
type cloud struct {
	regions string // how its regions begin
	names   *strings.Replacer
}

// suffixes of the public cloud, of Azure Government and of Azure operated by
// 21Vianet. A suffix that ends as another does stands before it.
//
// Sources: Microsoft Learn, "Azure Private Endpoint private DNS zone values"
// (Government, China), "Azure Government developer guide", "Azure China developer
// guide".
var suffixes = [][3]string{
	{"vaultcore.azure.net", "vaultcore.usgovcloudapi.net", "vaultcore.azure.cn"},
	{"vault.azure.net", "vault.usgovcloudapi.net", "vault.azure.cn"},
	{"core.windows.net", "core.usgovcloudapi.net", "core.chinacloudapi.cn"},
	{"azurecr.io", "azurecr.us", "azurecr.cn"},
	{"api.azureml.ms", "api.ml.azure.us", "api.ml.azure.cn"},
	{"notebooks.azure.net", "notebooks.usgovcloudapi.net", "notebooks.chinacloudapi.cn"},
	{"inference.ml.azure.com", "inference.ml.azure.us", "inference.ml.azure.cn"},
	{"in.applicationinsights.azure.com", "in.applicationinsights.azure.us", "in.applicationinsights.azure.cn"},
	{"monitor.azure.com", "monitor.azure.us", "monitor.azure.cn"},
	{"opinsights.azure.com", "opinsights.azure.us", "opinsights.azure.cn"},
	{"azure-automation.net", "azure-automation.us", "azure-automation.cn"},
	{"search.windows.net", "search.windows.us", "search.azure.cn"},
	{"cognitiveservices.azure.com", "cognitiveservices.azure.us", "cognitiveservices.azure.cn"},
	{"openai.azure.com", "openai.azure.us", "openai.azure.cn"},
	{"servicebus.windows.net", "servicebus.usgovcloudapi.net", "servicebus.chinacloudapi.cn"},
	{"database.windows.net", "database.usgovcloudapi.net", "database.chinacloudapi.cn"},
	{"database.azure.com", "database.usgovcloudapi.net", "database.chinacloudapi.cn"},
	{"documents.azure.com", "documents.azure.us", "documents.azure.cn"},
	{"cosmos.azure.com", "cosmos.azure.us", "cosmos.azure.cn"},
	{"redis.cache.windows.net", "redis.cache.usgovcloudapi.net", "redis.cache.chinacloudapi.cn"},
	{"batch.azure.com", "batch.usgovcloudapi.net", "batch.chinacloudapi.cn"},
	{"eventgrid.azure.net", "eventgrid.azure.us", "eventgrid.azure.cn"},
	{"azurewebsites.net", "azurewebsites.us", "chinacloudsites.cn"},
	{"azconfig.io", "azconfig.azure.us", "azconfig.azure.cn"},
	{"datafactory.azure.net", "datafactory.azure.us", "datafactory.azure.cn"},
}

var sovereign = []cloud{
	{"usgov", replacer(1)},
	{"usdod", replacer(1)},
	{"china", replacer(2)},
}

func replacer(column int) *strings.Replacer {
	var pairs []string
	for _, s := range suffixes {
		pairs = append(pairs, s[0], s[column])
	}
	return strings.NewReplacer(pairs...)
}

// cloudOf is the sovereign cloud that a location is in, or nil for the public one.
func cloudOf(location string) *cloud {
	region := Region(location)
	for i := range sovereign {
		if strings.HasPrefix(region, sovereign[i].regions) {
			return &sovereign[i]
		}
	}
	return nil
}

// renamed gives endpoints the names that they have in the cloud of a location.
func renamed(list []Endpoint, location string) []Endpoint {
	c := cloudOf(location)
	if c == nil {
		return list
	}
	for i := range list {
		for _, s := range []*string{&list[i].Host, &list[i].Private, &list[i].Zone} {
			*s = c.names.Replace(*s)
		}
	}
	return list
}
