package kept

import (
	"net/http"

	"github.com/cloister-ml/cloister/arm"
)

// The stores, queues, searches and models that solutions have beside them.
//
// Source: Azure's REST API reference, the responses of each type's operations.
var data = []kind{
	{name: "Microsoft.CognitiveServices/accounts", fills: cognitive, answers: map[string]func(arm.Resource) any{"listkeys": twoKeys("key1", "key2")}},
	{name: "Microsoft.Search/searchServices", fills: fixed(arm.Object{"status": "running"}), answers: map[string]func(arm.Resource) any{
		"listadminkeys": twoKeys("primaryKey", "secondaryKey"),
		"listquerykeys": func(r arm.Resource) any {
			return arm.Object{"value": []any{arm.Object{"name": nil, "key": key(r, "query")}}}
		},
	}},
	{name: "Microsoft.DBforPostgreSQL/flexibleServers", status: http.StatusAccepted, gone: http.StatusNoContent, fills: postgres},
	{name: "Microsoft.DBforPostgreSQL/flexibleServers/databases", status: http.StatusAccepted, gone: http.StatusNoContent},
	{
		name: "Microsoft.DBforPostgreSQL/flexibleServers/configurations", update: http.StatusAccepted,
		exists: map[string]func(arm.Resource) arm.Object{"*": fixed(arm.Object{"value": "", "defaultValue": "", "source": "system-default", "dataType": "String"})},
	},
	{name: "Microsoft.Kusto/clusters", fills: kusto},
	{name: "Microsoft.Cache/redis", fills: redis, answers: map[string]func(arm.Resource) any{"listkeys": twoKeys("primaryKey", "secondaryKey")}},
	{name: "Microsoft.Cache/redisEnterprise", fills: func(r arm.Resource) arm.Object {
		return arm.Object{"hostName": host(r, r.Location+".redis.azure.net"), "resourceState": "Running", "redisVersion": "7.4"}
	}},
	{name: "Microsoft.Cache/redisEnterprise/databases", fills: fixed(arm.Object{"resourceState": "Running", "port": 10000.0}), answers: map[string]func(arm.Resource) any{
		"listkeys": twoKeys("primaryKey", "secondaryKey"),
	}},
	{name: "Microsoft.EventHub/namespaces", fills: func(r arm.Resource) arm.Object {
		return arm.Object{"serviceBusEndpoint": "https://" + host(r, "servicebus.windows.net:443/"), "status": "Active", "maximumThroughputUnits": 0.0, "isAutoInflateEnabled": false}
	}},
	{name: "Microsoft.EventHub/namespaces/eventhubs", status: http.StatusOK, fills: fixed(arm.Object{"status": "Active"})},
	{name: "Microsoft.EventHub/namespaces/networkRuleSets", status: http.StatusOK, exists: rules},
	{name: "Microsoft.EventHub/namespaces/authorizationRules", status: http.StatusOK, exists: rootRule, answers: busKeys},
	{name: "Microsoft.ServiceBus/namespaces", fills: func(r arm.Resource) arm.Object {
		return arm.Object{"serviceBusEndpoint": "https://" + host(r, "servicebus.windows.net:443/"), "status": "Active"}
	}},
	{name: "Microsoft.ServiceBus/namespaces/queues", status: http.StatusOK, fills: fixed(arm.Object{"status": "Active"})},
	{name: "Microsoft.ServiceBus/namespaces/topics", status: http.StatusOK, fills: fixed(arm.Object{"status": "Active"})},
	{name: "Microsoft.ServiceBus/namespaces/topics/subscriptions", status: http.StatusOK, fills: fixed(arm.Object{"status": "Active"})},
	{name: "Microsoft.ServiceBus/namespaces/networkRuleSets", status: http.StatusOK, exists: rules},
	{name: "Microsoft.ServiceBus/namespaces/authorizationRules", status: http.StatusOK, exists: rootRule, answers: busKeys},
	{name: "Microsoft.DataFactory/factories", status: http.StatusOK},
	{name: "Microsoft.DocumentDB/databaseAccounts", status: http.StatusOK, gone: http.StatusNoContent, fills: cosmos, answers: map[string]func(arm.Resource) any{
		"listkeys": func(r arm.Resource) any {
			return arm.Object{
				"primaryMasterKey": key(r, "primary"), "secondaryMasterKey": key(r, "secondary"),
				"primaryReadonlyMasterKey": key(r, "primaryRead"), "secondaryReadonlyMasterKey": key(r, "secondaryRead"),
			}
		},
		"readonlykeys": func(r arm.Resource) any {
			return arm.Object{"primaryReadonlyMasterKey": key(r, "primaryRead"), "secondaryReadonlyMasterKey": key(r, "secondaryRead")}
		},
		"listconnectionstrings": func(arm.Resource) any { return arm.Object{"connectionStrings": []any{}} },
	}},
}

// rules is the rule set of a namespace that has none of its own.
var rules = map[string]func(arm.Resource) arm.Object{"default": fixed(arm.Object{
	"defaultAction": "Allow", "publicNetworkAccess": "Enabled", "trustedServiceAccessEnabled": false, "ipRules": []any{}, "virtualNetworkRules": []any{},
})}

// rootRule is what each namespace is made with.
var rootRule = map[string]func(arm.Resource) arm.Object{"rootmanagesharedaccesskey": fixed(arm.Object{"rights": []any{"Listen", "Manage", "Send"}})}

var busKeys = map[string]func(arm.Resource) any{"listkeys": func(r arm.Resource) any {
	endpoint := "Endpoint=sb://" + r.ID.Parent().Name() + ".servicebus.windows.net/;SharedAccessKeyName=" + r.Name + ";SharedAccessKey="
	first, second := key(r, "primary"), key(r, "secondary")
	return arm.Object{
		"keyName": r.Name, "primaryKey": first, "secondaryKey": second,
		"primaryConnectionString": endpoint + first, "secondaryConnectionString": endpoint + second,
	}
}}

func twoKeys(first, second string) func(arm.Resource) any {
	return func(r arm.Resource) any { return arm.Object{first: key(r, first), second: key(r, second)} }
}

func cognitive(r arm.Resource) arm.Object {
	name := r.Location
	if own := arm.String(r.Properties, "customSubDomainName"); own != "" {
		name = own
	}
	return arm.Object{"endpoint": "https://" + name + ".api.cognitive.microsoft.com/", "publicNetworkAccess": "Enabled"}
}

func postgres(r arm.Resource) arm.Object {
	return arm.Object{"fullyQualifiedDomainName": host(r, "postgres.database.azure.com"), "state": "Ready"}
}

func kusto(r arm.Resource) arm.Object {
	domain := host(r, r.Location+".kusto.windows.net")
	return arm.Object{"uri": "https://" + domain, "dataIngestionUri": "https://ingest-" + domain, "state": "Running"}
}

func redis(r arm.Resource) arm.Object {
	return arm.Object{
		"hostName": host(r, "redis.cache.windows.net"), "port": 6379.0, "sslPort": 6380.0, "redisVersion": "6.0",
		"redisConfiguration": arm.Object{"maxmemory-reserved": "125", "maxmemory-delta": "125", "maxmemory-policy": "volatile-lru", "maxfragmentationmemory-reserved": "125", "maxclients": "1000"},
	}
}

// cosmos fills where an account is served from: its locations, first the one that
// is written to.
func cosmos(r arm.Resource) arm.Object {
	var places []any
	for _, l := range arm.List(r.Properties, "locations") {
		place, _ := l.(arm.Object)
		place = arm.Clone(place)
		fill(place, arm.Object{
			"id": r.Name + "-" + arm.String(place, "locationName"), "provisioningState": "Succeeded", "isZoneRedundant": false,
			"documentEndpoint": "https://" + r.Name + "-" + arm.String(place, "locationName") + ".documents.azure.com:443/",
		})
		places = append(places, place)
	}
	return arm.Object{
		"documentEndpoint": "https://" + host(r, "documents.azure.com:443/"),
		"readLocations":    places, "writeLocations": places, "failoverPolicies": places,
		"backupPolicy": arm.Object{"type": "Periodic", "periodicModeProperties": arm.Object{
			"backupIntervalInMinutes": 240.0, "backupRetentionIntervalInHours": 8.0, "backupStorageRedundancy": "Geo",
		}},
		"publicNetworkAccess": "Enabled", "minimalTlsVersion": "Tls12",
	}
}
