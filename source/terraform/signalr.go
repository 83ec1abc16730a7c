package terraform

import "github.com/cloister-ml/cloister/arm"

// finishSignal lists the features and the categories of logs, which are switched by
// attributes of their own, and whose values are text.
func finishSignal(_ view, doc *arm.Resource) {
	flags, _ := doc.Properties["features"].(arm.Object)
	logs := []any{}
	for _, log := range []struct{ name, flag string }{
		{"MessagingLogs", "EnableMessagingLogs"}, {"ConnectivityLogs", "EnableConnectivityLogs"}, {"HttpRequestLogs", "HttpRequestLogs"},
	} {
		logs = append(logs, arm.Object{"name": log.name, "enabled": text(flags[log.flag])})
	}
	doc.Properties["resourceLogConfiguration"] = arm.Object{"categories": logs}
	features := []any{}
	for _, flag := range []string{"ServiceMode", "EnableConnectivityLogs", "EnableMessagingLogs", "EnableLiveTrace"} {
		features = append(features, arm.Object{"flag": flag, "value": text(flags[flag])})
	}
	doc.Properties["features"] = features
}
