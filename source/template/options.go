package template

import (
	"time"

	"github.com/cloister-ml/cloister/arm"
)

// Options say how a template is read. The zero Options read it as it stands.
type Options struct {
	// Parameters are values as JSON has them, by name. They win over the files.
	Parameters map[string]any
	// Inline are values as they are written on a command line: text that is read by
	// the type of its parameter, JSON for arrays and objects. They win over all.
	Inline map[string]string
	// ParameterFiles are parameter files; later ones win.
	ParameterFiles []string
	// RequireParameters makes a parameter without a value an error. Without it the
	// value is unknown, and so is what depends on it.
	RequireParameters bool
	// Secrets puts the values of secure parameters into the estate. Without it each
	// is unknown, so that no estate that is shown or stored holds one by accident.
	Secrets bool

	// Where the template is deployed. What is not given is unknown; a resource
	// group and a subscription then have a name that stands for them.
	SubscriptionID  string
	ResourceGroup   string
	ManagementGroup string
	TenantID        string
	Location        string // of the resource group, or of a deployment above groups
	// Scope is the scope of the deployment where it is given otherwise than by the
	// template's schema and the names above, as "/subscriptions/{id}".
	Scope arm.ID
	// Name is the deployment's; that of the file where it is not given.
	Name string
	// Now is what utcNow() says; where it is zero, that is unknown.
	Now time.Time
}

// Cloud answers what a template asks of the cloud that it is deployed to.
// Answers are JSON as encoding/json decodes it; arm.Unknown may be in them.
type Cloud interface {
	// Reference is the document of a resource, its deployed state included. ok is
	// false where nothing is known of it: what is asked of it is unknown then.
	Reference(id arm.ID, apiVersion string) (doc arm.Object, ok bool, err error)
	// List is what a POST of a list action answers, as listKeys. ok is as above.
	List(id arm.ID, action, apiVersion string, body any) (result any, ok bool, err error)
}
