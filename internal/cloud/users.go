package cloud

import (
	"context"
	"fmt"

	"github.com/cloister-ml/cloister/internal/cloud/directory"
)

// User is a user as they are listed.
type User struct {
	Name        string `json:"name"` // user principal name
	DisplayName string `json:"displayName"`
	ObjectID    string `json:"objectId"`
	Disabled    bool   `json:"disabled,omitempty"`
}

// Users are the tenant's users, by name.
func (c *Cloud) Users() []User {
	list := c.directory.Users()
	out := make([]User, 0, len(list))
	for _, u := range list {
		out = append(out, User{u.Name, u.DisplayName, u.ID, u.Disabled})
	}
	return out
}

// NewUser makes a user who signs in with a password. A name without a domain gets
// the tenant's. They may do nothing until they are given a role.
func (c *Cloud) NewUser(ctx context.Context, name, password string) (User, error) {
	u, err := c.directory.CreateUser(ctx, directory.User{Name: directory.FullName(name)}, password)
	if err != nil {
		return User{}, fmt.Errorf("making the user %s: %w", name, err)
	}
	return User{u.Name, u.DisplayName, u.ID, u.Disabled}, nil
}

// FindUser is the user with a name, with or without the domain, or an object id.
func (c *Cloud) FindUser(name string) (User, bool) {
	u, ok := c.directory.User(name)
	if !ok {
		u, ok = c.directory.User(directory.FullName(name))
	}
	return User{u.Name, u.DisplayName, u.ID, u.Disabled}, ok
}
