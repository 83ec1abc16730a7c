package storage

import (
	"net/http"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
)

const typeFlowLog = "Microsoft.Network/networkWatchers/flowLogs"

// flowLogContainers are where Network Watcher writes. Source: Microsoft Learn,
// "Virtual network flow logs" and "Flow logging for network security groups".
var flowLogContainers = []string{"insights-logs-flowlogflowevent", "insights-logs-networksecuritygroupflowevent"}

// fromFlowLog reports whether Network Watcher calls on behalf of a flow log that is
// to be written to this account. Nobody outside of the process can say so.
func (q *request) fromFlowLog() bool {
	log := cloud.CallFrom(q.Context()).Source.Trusted
	if log == "" || !strings.EqualFold(log.Type(), typeFlowLog) || !slices.Contains(flowLogContainers, q.container) {
		return false
	}
	doc, ok := q.service.host.Get(log)
	return ok && arm.Ref(doc.Properties, "storageId").Equal(q.account.ID)
}

// asFlowLog is who writes a flow log: its managed identity, or the account's key,
// which Network Watcher was given when the log was made.
func (q *request) asFlowLog() (*credential, error) {
	doc, _ := q.service.host.Get(cloud.CallFrom(q.Context()).Source.Trusted)
	if doc.Identity != nil {
		for user := range doc.Identity.User {
			id := arm.ID(user)
			return &credential{caller: &cloud.Caller{ObjectID: arm.PrincipalID(id), Tenant: q.service.host.Tenant(), Name: id.Name(), Resource: id}}, nil
		}
	}
	if err := keysAllowed(q.account); err != nil {
		return nil, fail(http.StatusForbidden, "KeyBasedAuthenticationNotPermitted",
			"The flow log writes with the account's key, and allowSharedKeyAccess is false: give the flow log a user-assigned identity that may write blobs.")
	}
	return &credential{key: true}, nil
}
