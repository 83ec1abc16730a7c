package oracle

import (
	"github.com/cloister-ml/cloister/arm"
)

// serviceAdditions are what Azure adds to the documents of the services that
// workloads run on and with, by type in lower case.
var serviceAdditions = map[string]addition{
	"microsoft.cache/redisenterprise": func(id arm.ID, _, props arm.Object) []arm.Object {
		props["resourceState"], props["hostName"] = "Running", id.Name()+".westeurope.redis.azure.net"
		return nil
	},
	"microsoft.cache/redisenterprise/databases": func(_ arm.ID, _, props arm.Object) []arm.Object {
		props["resourceState"] = "Running"
		return nil
	},
	"microsoft.documentdb/databaseaccounts": func(id arm.ID, _, props arm.Object) []arm.Object {
		props["documentEndpoint"] = "https://" + id.Name() + ".documents.azure.com:443/"
		if props["backupPolicy"] == nil {
			props["backupPolicy"] = arm.Object{"type": "Periodic", "periodicModeProperties": arm.Object{
				"backupIntervalInMinutes": 240, "backupRetentionIntervalInHours": 8, "backupStorageRedundancy": "Geo",
			}}
		}
		return nil
	},
	"microsoft.cache/redis": func(id arm.ID, _, props arm.Object) []arm.Object {
		props["hostName"], props["sslPort"], props["port"] = id.Name()+".redis.cache.windows.net", 6380, 6379
		return nil
	},
	"microsoft.devices/iothubs": func(id arm.ID, _, props arm.Object) []arm.Object {
		props["hostName"] = id.Name() + ".azure-devices.net"
		props["eventHubEndpoints"] = arm.Object{"events": arm.Object{
			"endpoint": "sb://" + id.Name() + ".servicebus.windows.net/", "path": id.Name(), "partitionCount": 4, "retentionTimeInDays": 1, "partitionIds": []any{},
		}}
		return nil
	},
	"microsoft.eventhub/namespaces": func(_ arm.ID, _, props arm.Object) []arm.Object {
		if props["maximumThroughputUnits"] == nil {
			props["maximumThroughputUnits"] = 0
		}
		return nil
	},
	"microsoft.logic/workflows": func(_ arm.ID, _, props arm.Object) []arm.Object {
		definition, ok := props["definition"].(map[string]any)
		if ok && definition["parameters"] == nil {
			definition["parameters"] = arm.Object{}
		}
		return nil
	},
	"microsoft.machinelearningservices/workspaces/datastores": func(_ arm.ID, _, props arm.Object) []arm.Object {
		if props["isDefault"] == nil {
			props["isDefault"] = false
		}
		return nil
	},
}
