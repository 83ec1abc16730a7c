package cloud

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/store"
)

// platform answers what belongs to no resource provider: tenants, subscriptions
// and groups.
func (q *request) platform() error {
	t := q.target
	if t.scope == "" {
		return q.tenant()
	}
	if t.scope.ResourceGroup() == "" {
		return q.subscription()
	}
	if len(t.rest) == 0 {
		return q.group(t.scope)
	}
	if len(t.rest) == 1 && strings.EqualFold(t.rest[0], "resources") && q.r.Method == http.MethodGet {
		if err := q.may("Microsoft.Resources/subscriptions/resourceGroups/resources/read", t.scope); err != nil {
			return err
		}
		if err := q.mustHave(t.scope); err != nil {
			return err
		}
		return q.listResources(t.scope)
	}
	return unknownPath()
}

func unknownPath() error {
	return Errorf(http.StatusNotFound, "InvalidRequestUri", "There is nothing at this address.")
}

func (q *request) tenant() error {
	if q.r.Method != http.MethodGet || len(q.target.rest) != 1 {
		return unknownPath()
	}
	switch strings.ToLower(q.target.rest[0]) {
	case "subscriptions":
		var items []item
		if q.knownHere() {
			items = append(items, item{"", q.showSubscription})
		}
		return q.page(items)
	case "tenants":
		return q.page([]item{{"", func() arm.Object {
			return arm.Object{"id": "/tenants/" + q.c.options.Tenant, "tenantId": q.c.options.Tenant, "displayName": "Cloister", "tenantCategory": "Home"}
		}}})
	case "providers":
		return q.providers("")
	}
	return unknownPath()
}

// knownHere reports whether the caller may read the subscription or anything in
// it: to others the subscription does not exist.
func (q *request) knownHere() bool {
	sub := arm.ID("/subscriptions/" + q.c.options.Subscription)
	if q.allowed("Microsoft.Resources/subscriptions/read", sub) {
		return true
	}
	for _, r := range q.at.rows {
		if q.allowed(actionName(r.Resource.Type, "read"), r.Resource.ID) {
			return true
		}
	}
	return false
}

func (q *request) showSubscription() arm.Object {
	return arm.Object{
		"id": "/subscriptions/" + q.c.options.Subscription, "subscriptionId": q.c.options.Subscription, "tenantId": q.c.options.Tenant,
		"displayName": "Cloister", "state": "Enabled", "authorizationSource": "RoleBased", "managedByTenants": []any{},
		"subscriptionPolicies": arm.Object{"locationPlacementId": "Public_2014-09-01", "quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off"},
	}
}

func (q *request) subscription() error {
	t := q.target
	if q.r.Method != http.MethodGet {
		return methodNotAllowed(q.r)
	}
	what := strings.ToLower(strings.Join(t.rest, "/"))
	action, ok := map[string]string{
		"":               "Microsoft.Resources/subscriptions/read",
		"locations":      "Microsoft.Resources/subscriptions/locations/read",
		"resources":      "Microsoft.Resources/subscriptions/resources/read",
		"resourcegroups": "Microsoft.Resources/subscriptions/resourceGroups/read",
		"providers":      "Microsoft.Resources/subscriptions/providers/read",
	}[what]
	if !ok {
		return unknownPath()
	}
	if err := q.mayRead(what, action); err != nil {
		return err
	}
	switch what {
	case "locations":
		return q.locations()
	case "resources":
		return q.listResources(t.scope)
	case "resourcegroups":
		return q.groups()
	case "providers":
		return q.providers(t.scope)
	}
	WriteJSON(q.w, http.StatusOK, q.showSubscription())
	return nil
}

// mayRead refuses the question, unless its answer holds only what the caller may
// read: lists do, and whoever may read anything in the subscription may see that
// it is there.
func (q *request) mayRead(what, action string) error {
	switch what {
	case "resources", "resourcegroups":
		q.entry.Action, q.entry.Scope, q.entry.Allowed = action, q.target.scope, true
		return nil
	case "":
		if q.knownHere() {
			return nil
		}
	}
	return q.may(action, q.target.scope)
}

// locations are those that documents name, since every name is taken.
func (q *request) locations() error {
	names := []string{"westeurope"}
	for _, r := range q.at.rows {
		if l := r.Resource.Location; l != "" && l != "global" && !slices.Contains(names, l) {
			names = append(names, l)
		}
	}
	slices.Sort(names)
	var items []item
	for _, n := range names {
		items = append(items, item{n, func() arm.Object {
			return arm.Object{"id": "/subscriptions/" + q.c.options.Subscription + "/locations/" + n, "name": n, "displayName": n, "regionalDisplayName": n, "type": "Region"}
		}})
	}
	return q.page(items)
}

func (q *request) groups() error {
	pass, err := resourceFilter(q.r.URL.Query())
	if err != nil {
		return err
	}
	var items []item
	for _, row := range q.at.ordered(func(r *store.Row) bool {
		return r.Resource.IsType(arm.TypeResourceGroup) && pass(r) && q.allowed(actionName(arm.TypeResourceGroup, "read"), r.Resource.ID)
	}) {
		items = append(items, item{row.Key(), func() arm.Object { return q.c.show(q.at, row) }})
	}
	return q.page(items)
}

var groupName = regexp.MustCompile(`^[-\p{L}\p{N}_.()]+$`)

const maxGroupName = 90 // characters

// group answers for one resource group.
func (q *request) group(id arm.ID) error {
	if q.r.Method == http.MethodPut && (!groupName.MatchString(id.Name()) || utf8.RuneCountInString(id.Name()) > maxGroupName || strings.HasSuffix(id.Name(), ".")) {
		return Errorf(http.StatusBadRequest, "InvalidResourceGroup",
			"The provided resource group name '%s' has these invalid characters or is longer than 90 characters. The name can only be a letter, digit, '-', '.', '(', ')' or '_', and does not end with a period.", id.Name())
	}
	return q.resource(q.c.types.lookup(arm.TypeResourceGroup), id)
}

// resourcesProvider is what ARM itself holds.
func resourcesProvider() Provider {
	return Provider{Namespace: "Microsoft.Resources", Types: []Type{{Name: arm.TypeResourceGroup, Prepare: prepareGroup}}}
}

func prepareGroup(_ View, old *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if r.Location == "" {
		return r, Errorf(http.StatusBadRequest, "LocationRequired", "The location property is required for this definition.")
	}
	if old != nil && !strings.EqualFold(old.Location, r.Location) {
		return r, conflict("InvalidResourceGroupLocation",
			"Invalid resource group location '%s'. The Resource group already exists in location '%s'.", r.Location, old.Location)
	}
	r.Properties = arm.Object{}
	return r, nil
}

// providers lists the registered resource providers.
func (q *request) providers(scope arm.ID) error {
	var items []item
	for _, n := range q.c.types.namespaces {
		items = append(items, item{strings.ToLower(n), func() arm.Object { return q.showProvider(scope, n) }})
	}
	return q.page(items)
}

// namespace answers for one resource provider.
func (q *request) namespace() error {
	n := q.target.namespace
	if q.r.Method != http.MethodGet {
		return methodNotAllowed(q.r)
	}
	if err := q.may("Microsoft.Resources/subscriptions/providers/read", q.target.scope); err != nil {
		return err
	}
	i := slices.IndexFunc(q.c.types.namespaces, func(known string) bool { return strings.EqualFold(known, n) })
	if i < 0 {
		return Errorf(http.StatusNotFound, "InvalidResourceNamespace", "The resource namespace '%s' is invalid.", n)
	}
	WriteJSON(q.w, http.StatusOK, q.showProvider(q.target.scope, q.c.types.namespaces[i]))
	return nil
}

func (q *request) showProvider(scope arm.ID, namespace string) arm.Object {
	types := []arm.Object{}
	for _, t := range q.c.types.in(namespace) {
		types = append(types, arm.Object{
			"resourceType": t.Name[len(namespace)+1:], "locations": []string{}, "apiVersions": []string{"2025-01-01"}, "capabilities": "SupportsTags, SupportsLocation",
		})
	}
	return arm.Object{
		"id": string(scope) + "/providers/" + namespace, "namespace": namespace,
		"registrationState": "Registered", "registrationPolicy": "RegistrationFree", "resourceTypes": types,
	}
}
