package oracle

import (
	"net/http"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// statuses are what the first write of a type is answered with, in lower case, where
// the provider does not take a 200.
var statuses = map[string]int{
	"microsoft.authorization/policyassignments":                http.StatusCreated,
	"microsoft.authorization/roleassignmentschedulerequests":   http.StatusCreated,
	"microsoft.authorization/roleeligibilityschedulerequests":  http.StatusCreated,
	"microsoft.dbforpostgresql/flexibleservers":                http.StatusAccepted,
	"microsoft.dbforpostgresql/flexibleservers/databases":      http.StatusAccepted,
	"microsoft.dbforpostgresql/flexibleservers/administrators": http.StatusAccepted,
	"microsoft.dbforpostgresql/flexibleservers/configurations": http.StatusAccepted,
	"microsoft.dbforpostgresql/flexibleservers/firewallrules":  http.StatusAccepted,
	"microsoft.eventgrid/domains":                              http.StatusCreated,
	"microsoft.eventgrid/eventsubscriptions":                   http.StatusCreated,
	"microsoft.eventgrid/systemtopics/eventsubscriptions":      http.StatusCreated,
	"microsoft.eventgrid/topics":                               http.StatusCreated,
	"microsoft.operationsmanagement/solutions":                 http.StatusCreated,
}

// created is the status of a first or a further write.
func created(doc arm.Object, again bool) int {
	if status, ok := statuses[strings.ToLower(arm.String(doc, "type"))]; ok && !again {
		return status
	}
	return http.StatusOK
}

// operations is where the operations are that a 202 has begun; all have succeeded.
const operations = "/providers/Oracle/operations/done"
