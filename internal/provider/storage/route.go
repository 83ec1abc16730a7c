package storage

import "net/http"

// operation is one call of the protocol: what it needs and what it does.
type operation struct {
	need need
	do   func(*request) error
}

// The resource that a request is about.
const (
	onAccount   = "account"
	onContainer = "container"
	onBlob      = "blob"
)

// route key: resource, method, restype, comp.
type routeKey struct{ on, method, restype, comp string }

// operations is the whole protocol as it is offered.
var operations = map[routeKey]operation{
	{onAccount, http.MethodGet, "", "list"}:                      {needListContainers, (*request).listContainers},
	{onAccount, http.MethodPost, "service", "userdelegationkey"}: {needDelegationKey, (*request).delegationKey},
	{onAccount, http.MethodGet, "account", "properties"}:         {needAccountInfo, (*request).accountInfo},
	{onAccount, http.MethodHead, "account", "properties"}:        {needAccountInfo, (*request).accountInfo},
	{onContainer, http.MethodPut, "container", ""}:               {needCreateContainer, (*request).createContainer},
	{onContainer, http.MethodGet, "container", ""}:               {needReadContainer, (*request).containerProperties},
	{onContainer, http.MethodHead, "container", ""}:              {needReadContainer, (*request).containerProperties},
	{onContainer, http.MethodGet, "container", "metadata"}:       {needReadContainer, (*request).containerProperties},
	{onContainer, http.MethodHead, "container", "metadata"}:      {needReadContainer, (*request).containerProperties},
	{onContainer, http.MethodPut, "container", "metadata"}:       {needWriteContainer, (*request).setContainerMetadata},
	{onContainer, http.MethodDelete, "container", ""}:            {needDeleteContainer, (*request).deleteContainer},
	{onContainer, http.MethodGet, "container", "list"}:           {needListBlobs, (*request).listBlobs},
	{onBlob, http.MethodGet, "", ""}:                             {needReadBlob, (*request).getBlob},
	{onBlob, http.MethodHead, "", ""}:                            {needReadBlob, (*request).headBlob},
	{onBlob, http.MethodGet, "", "metadata"}:                     {needReadBlob, (*request).getMetadata},
	{onBlob, http.MethodHead, "", "metadata"}:                    {needReadBlob, (*request).getMetadata},
	{onBlob, http.MethodGet, "", "blocklist"}:                    {needReadBlob, (*request).getBlockList},
	{onBlob, http.MethodPut, "", ""}:                             {needPutBlob, (*request).putBlob},
	{onBlob, http.MethodPut, "", "block"}:                        {needPutBlob, (*request).putBlock},
	{onBlob, http.MethodPut, "", "blocklist"}:                    {needPutBlob, (*request).putBlockList},
	{onBlob, http.MethodPut, "", "metadata"}:                     {needWriteBlob, (*request).setMetadata},
	{onBlob, http.MethodPut, "", "properties"}:                   {needWriteBlob, (*request).setProperties},
	{onBlob, http.MethodDelete, "", ""}:                          {needDeleteBlob, (*request).deleteBlob},
	{onContainer, http.MethodGet, "account", "properties"}:       {needAccountInfo, (*request).accountInfo},
	{onBlob, http.MethodGet, "account", "properties"}:            {needAccountInfo, (*request).accountInfo},
}

func (q *request) route() (operation, error) {
	on := onBlob
	switch {
	case q.container == "":
		on = onAccount
	case q.blob == "":
		on = onContainer
	}
	op, ok := operations[routeKey{on, q.Method, q.query.Get("restype"), q.query.Get("comp")}]
	if ok {
		return op, nil
	}
	if q.query.Get("comp") != "" || q.query.Get("restype") != "" {
		return op, fail(http.StatusBadRequest, "InvalidQueryParameterValue",
			"The operation %s with restype %q and comp %q is not offered on this resource.", q.Method, q.query.Get("restype"), q.query.Get("comp"))
	}
	return op, fail(http.StatusMethodNotAllowed, "UnsupportedHttpVerb", "The resource doesn't support the specified HTTP verb.")
}
