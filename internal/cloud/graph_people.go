package cloud

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/directory"
)

// handle registers a call.
type handle = func(pattern string, f func(*graphCall) error)

func graphPeople(handle handle) {
	handle("GET /me", (*graphCall).me)
	handle("GET /me/ownedObjects", (*graphCall).owned)
	handle("GET /me/memberOf", (*graphCall).myGroups)
	handle("GET /me/transitiveMemberOf", (*graphCall).myGroups)
	handle("GET /users", func(q *graphCall) error { return q.list("users", q.users()) })
	handle("POST /users", (*graphCall).createUser)
	handle("GET /users/{id}", func(q *graphCall) error { return q.get("users", q.users()) })
	handle("PATCH /users/{id}", (*graphCall).changeUser)
	handle("DELETE /users/{id}", (*graphCall).deleteUser)
	for _, kind := range []string{"users", "servicePrincipals", "groups", "directoryObjects"} {
		handle("GET /"+kind+"/{id}/memberOf", (*graphCall).memberOf)
		handle("GET /"+kind+"/{id}/transitiveMemberOf", (*graphCall).memberOf)
		handle("POST /"+kind+"/{id}/getMemberGroups", (*graphCall).memberGroups)
		handle("POST /"+kind+"/{id}/getMemberObjects", (*graphCall).memberGroups)
		handle("POST /"+kind+"/{id}/checkMemberGroups", (*graphCall).memberGroups)
	}
	handle("GET /groups", func(q *graphCall) error { return q.list("groups", q.groups()) })
	handle("POST /groups", (*graphCall).createGroup)
	handle("GET /groups/{id}", func(q *graphCall) error { return q.get("groups", q.groups()) })
	handle("PATCH /groups/{id}", (*graphCall).changeGroup)
	handle("DELETE /groups/{id}", (*graphCall).deleteGroup)
	for _, part := range []string{"members", "owners"} {
		handle("GET /groups/{id}/"+part, func(q *graphCall) error { return q.groupPart(part) })
		handle("POST /groups/{id}/"+part+"/$ref", func(q *graphCall) error { return q.addToGroup(part) })
		handle("DELETE /groups/{id}/"+part+"/{member}/$ref", func(q *graphCall) error { return q.removeFromGroup(part) })
	}
	handle("GET /groups/{id}/transitiveMembers", func(q *graphCall) error { return q.groupPart("members") })
}

// get answers with the object that the path names.
func (q *graphCall) get(kind string, all []arm.Object) error {
	found, err := q.find(all, q.r.PathValue("id"))
	if err != nil {
		return err
	}
	return q.one(kind, found)
}

func (q *graphCall) users() []arm.Object {
	var out []arm.Object
	for _, u := range q.c.directory.Users() {
		out = append(out, showUser(u))
	}
	return out
}

func showUser(u directory.User) arm.Object {
	nick, _, _ := strings.Cut(u.Name, "@")
	o := arm.Object{
		"@odata.type": "#microsoft.graph.user", "id": u.ID, "userPrincipalName": u.Name, "displayName": u.DisplayName, "mailNickname": nick, "mail": nil,
		"accountEnabled": !u.Disabled, "userType": "Member", "createdDateTime": u.Created.Format(time.RFC3339), "businessPhones": []any{},
		"givenName": nil, "surname": nil, "jobTitle": nil, "mobilePhone": nil, "officeLocation": nil, "preferredLanguage": nil,
	}
	if u.Mail != "" {
		o["mail"] = u.Mail
	}
	return o
}

func (q *graphCall) groups() []arm.Object {
	var out []arm.Object
	for _, g := range q.c.directory.Groups() {
		out = append(out, showGroup(g))
	}
	return out
}

func showGroup(g directory.Group) arm.Object {
	o := arm.Object{
		"@odata.type": "#microsoft.graph.group", "id": g.ID, "displayName": g.Name, "mailNickname": g.Nickname, "description": nil, "mail": nil,
		"securityEnabled": true, "mailEnabled": false, "groupTypes": []any{}, "createdDateTime": g.Created.Format(time.RFC3339),
		"isAssignableToRole": nil, "visibility": nil, "proxyAddresses": []any{}, "resourceProvisioningOptions": []any{}, "resourceBehaviorOptions": []any{}, "creationOptions": []any{},
	}
	if g.Description != "" {
		o["description"] = g.Description
	}
	return o
}

func (q *graphCall) me() error {
	if !q.caller.User {
		return Errorf(http.StatusBadRequest, "Request_BadRequest", "/me request is only valid with delegated authentication flow.")
	}
	u, ok := q.c.directory.User(q.caller.ObjectID)
	if !ok {
		return graphMissing(q.caller.ObjectID)
	}
	return q.one("users", showUser(u))
}

func (q *graphCall) owned() error {
	if !q.caller.User {
		return Errorf(http.StatusBadRequest, "Request_BadRequest", "/me request is only valid with delegated authentication flow.")
	}
	var out []arm.Object
	for _, o := range append(q.applications(), q.principals()...) {
		if slices.Contains(q.c.principals.proofsOf(arm.String(o, "appId")).Owners, q.caller.ObjectID) {
			out = append(out, o)
		}
	}
	return q.list("directoryObjects", out)
}

func (q *graphCall) createUser() error {
	body, err := q.body()
	if err != nil {
		return err
	}
	enabled, given := body["accountEnabled"].(bool)
	u, err := q.c.directory.CreateUser(q.r.Context(), directory.User{
		Name: arm.String(body, "userPrincipalName"), DisplayName: arm.String(body, "displayName"), Mail: arm.String(body, "mail"), Disabled: given && !enabled,
	}, arm.String(body, "passwordProfile.password"))
	if err != nil {
		return err
	}
	return q.answer(http.StatusCreated, "users", showUser(u))
}

// changeUser sets what a PATCH names. Another password ends the user's sessions.
func (q *graphCall) changeUser() error {
	body, err := q.body()
	if err != nil {
		return err
	}
	u, ok := q.c.directory.User(q.r.PathValue("id"))
	if !ok {
		return graphMissing(q.r.PathValue("id"))
	}
	if password := arm.String(body, "passwordProfile.password"); password != "" {
		if err := q.c.SetUserPassword(q.r.Context(), u.ID, password); err != nil {
			return err
		}
	}
	err = q.c.directory.ChangeUser(q.r.Context(), u.ID, func(u *directory.User) {
		set(body, "displayName", &u.DisplayName)
		set(body, "mail", &u.Mail)
		if enabled, ok := body["accountEnabled"].(bool); ok {
			u.Disabled = !enabled
		}
	})
	if err != nil {
		return err
	}
	return q.none()
}

func set(body arm.Object, name string, to *string) {
	if v, ok := body[name].(string); ok {
		*to = v
	}
}

func (q *graphCall) deleteUser() error {
	if err := q.c.DeleteUser(q.r.Context(), q.r.PathValue("id")); err != nil {
		return err
	}
	return q.none()
}

func (q *graphCall) createGroup() error {
	body, err := q.body()
	if err != nil {
		return err
	}
	if mail, _ := body["mailEnabled"].(bool); mail {
		return Errorf(http.StatusBadRequest, "Request_BadRequest", "Only security groups are offered: mailEnabled must be false.")
	}
	g := directory.Group{Name: arm.String(body, "displayName"), Nickname: arm.String(body, "mailNickname"), Description: arm.String(body, "description")}
	if g.Members, err = q.bound(body, "members"); err != nil {
		return err
	}
	if g.Owners, err = q.bound(body, "owners"); err != nil {
		return err
	}
	g, err = q.c.directory.CreateGroup(q.r.Context(), g)
	if err != nil {
		return err
	}
	return q.answer(http.StatusCreated, "groups", showGroup(g))
}

// bound are the objects that a body binds to a property.
func (q *graphCall) bound(body arm.Object, name string) ([]string, error) {
	refs, _ := body[name+"@odata.bind"].([]any)
	var out []string
	for _, ref := range refs {
		text, _ := ref.(string)
		id, err := q.reference(text)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out, nil
}

func (q *graphCall) changeGroup() error {
	body, err := q.body()
	if err != nil {
		return err
	}
	more, err := q.bound(body, "members")
	if err != nil {
		return err
	}
	err = q.c.directory.ChangeGroup(q.r.Context(), q.r.PathValue("id"), func(g *directory.Group) error {
		set(body, "displayName", &g.Name)
		set(body, "mailNickname", &g.Nickname)
		set(body, "description", &g.Description)
		for _, id := range more {
			if !slices.Contains(g.Members, id) {
				g.Members = append(g.Members, id)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return q.none()
}

func (q *graphCall) deleteGroup() error {
	if err := q.c.directory.DeleteGroup(q.r.Context(), q.r.PathValue("id")); err != nil {
		return err
	}
	return q.none()
}

// part is a group's list of members or of owners.
func part(g *directory.Group, name string) *[]string {
	if name == "owners" {
		return &g.Owners
	}
	return &g.Members
}

func (q *graphCall) groupPart(name string) error {
	id := q.r.PathValue("id")
	g, ok := q.c.directory.Group(id)
	if !ok || len(q.visible(q.groups())) == 0 {
		return graphMissing(id)
	}
	transitive := strings.HasSuffix(q.r.URL.Path, "/transitiveMembers")
	var out []arm.Object
	for _, o := range q.directoryObjects() {
		member := arm.String(o, "id")
		in := slices.ContainsFunc(*part(&g, name), func(s string) bool { return strings.EqualFold(s, member) })
		if in || transitive && slices.Contains(q.c.directory.GroupsOf(member), g.ID) {
			out = append(out, o)
		}
	}
	return q.list("directoryObjects", out)
}

// reference is the object id that an @odata.id names, of an object that is there.
func (q *graphCall) reference(link string) (string, error) {
	id := lastOf(strings.TrimSuffix(link, "/"))
	if m := graphKey.FindStringSubmatch(id); m != nil {
		id = m[2]
	}
	o, err := q.find(q.directoryObjects(), id)
	if err != nil {
		return "", err
	}
	return arm.String(o, "id"), nil
}

func (q *graphCall) addToGroup(name string) error {
	body, err := q.body()
	if err != nil {
		return err
	}
	link, _ := body["@odata.id"].(string)
	member, err := q.reference(link)
	if err != nil {
		return err
	}
	err = q.c.directory.ChangeGroup(q.r.Context(), q.r.PathValue("id"), func(g *directory.Group) error {
		list := part(g, name)
		if slices.Contains(*list, member) {
			return Errorf(http.StatusBadRequest, "Request_BadRequest", "One or more added object references already exist for the following modified properties: '%s'.", name)
		}
		*list = append(*list, member)
		return nil
	})
	if err != nil {
		return err
	}
	return q.none()
}

func (q *graphCall) removeFromGroup(name string) error {
	member := q.r.PathValue("member")
	err := q.c.directory.ChangeGroup(q.r.Context(), q.r.PathValue("id"), func(g *directory.Group) error {
		list := part(g, name)
		was := len(*list)
		*list = slices.DeleteFunc(*list, func(s string) bool { return strings.EqualFold(s, member) })
		if len(*list) == was {
			return graphMissing(member)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return q.none()
}

func (q *graphCall) myGroups() error { return q.groupsOf(q.caller.ObjectID, true) }

func (q *graphCall) memberOf() error {
	id, err := q.reference(q.r.PathValue("id"))
	if err != nil {
		return err
	}
	return q.groupsOf(id, strings.HasSuffix(q.r.URL.Path, "/transitiveMemberOf"))
}

func (q *graphCall) groupsOf(id string, transitive bool) error {
	in := q.c.directory.GroupsOf(id)
	var out []arm.Object
	for _, g := range q.c.directory.Groups() {
		direct := slices.ContainsFunc(g.Members, func(s string) bool { return strings.EqualFold(s, id) })
		if direct || transitive && slices.Contains(in, g.ID) {
			out = append(out, showGroup(g))
		}
	}
	return q.list("directoryObjects", out)
}

func (q *graphCall) memberGroups() error {
	id, err := q.reference(q.r.PathValue("id"))
	if err != nil {
		return err
	}
	groups := q.c.directory.GroupsOf(id)
	if strings.HasSuffix(q.r.URL.Path, "/checkMemberGroups") {
		body, err := q.body()
		if err != nil {
			return err
		}
		asked := arm.Strings(body, "groupIds")
		groups = slices.DeleteFunc(groups, func(g string) bool {
			return !slices.ContainsFunc(asked, func(s string) bool { return strings.EqualFold(s, g) })
		})
	}
	if groups == nil {
		groups = []string{}
	}
	WriteJSON(q.w, http.StatusOK, arm.Object{"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#Collection(Edm.String)", "value": groups})
	return nil
}

// SetUserPassword gives a user another password and ends their sessions.
func (c *Cloud) SetUserPassword(ctx context.Context, idOrName, password string) error {
	u, ok := c.directory.User(idOrName)
	if !ok {
		return graphMissing(idOrName)
	}
	if err := c.directory.SetPassword(ctx, u.ID, password); err != nil {
		return err
	}
	return c.sessions.End(ctx, u.ID)
}

// DeleteUser ends a user: their tokens are refused from then on.
func (c *Cloud) DeleteUser(ctx context.Context, idOrName string) error {
	u, ok := c.directory.User(idOrName)
	if !ok {
		return graphMissing(idOrName)
	}
	if err := c.directory.DeleteUser(ctx, u.ID); err != nil {
		return err
	}
	return c.sessions.End(ctx, u.ID)
}
