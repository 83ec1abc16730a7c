package terraform

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/diagnostic"
	"github.com/cloister-ml/cloister/source/terraform/internal/lang"
	"github.com/cloister-ml/cloister/source/terraform/internal/schema"
)

// Options say how a directory is read. The zero Options read it as it stands.
type Options struct {
	// Vars are values of variables, as terraform's -var gives them.
	Vars map[string]string
	// VarFiles are files of values, as terraform's -var-file; later ones win.
	VarFiles []string
	// Environ is the environment, as os.Environ gives it: TF_VAR_ names are values
	// of variables, and ARM_SUBSCRIPTION_ID and ARM_TENANT_ID stand in for what the
	// provider block does not say. None is read where it is nil.
	Environ []string
	// RequireVars makes a variable without a value an error. Without it the value
	// is unknown, and so is what depends on it.
	RequireVars bool
	// Secrets puts sensitive values into the estate. Without it each is unknown,
	// so that no estate that is shown or stored holds one by accident.
	Secrets bool
	// Config is the directory of the configuration that a plan or a state was made
	// of. Values that the file does not know are evaluated from it, with the values
	// that variables and data sources have in the file, and what is declared has its
	// place there.
	Config string
	// Existing are documents that are there already: data sources name them, and
	// they join the estate.
	Existing []arm.Resource
	// Assigned are attributes that a cloud has given a value at deployment, by what an
	// [arm.Unknown] of them says: azurerm_public_ip.front.ip_address. They are unknown
	// without it.
	Assigned map[string]string
}

// Load reads the Terraform of a directory, or of its folder "terraform" where
// the directory has none itself. The estate is nil when the diagnostics have
// errors.
func Load(dir string, opts Options) (*arm.Estate, diagnostic.Diagnostics) {
	dir, err := find(dir)
	if err != nil {
		return nil, diagnostic.Fail("", "No Terraform", "%v.", err)
	}
	types := azure{environ: environ(opts.Environ), existing: newExisting(opts.Existing), assigned: opts.Assigned, displayed: displayed{}}
	result := lang.Run(dir, lang.Options{
		Vars: opts.Vars, VarFiles: opts.VarFiles, Environ: opts.Environ, RequireVars: opts.RequireVars,
		Schemas: schema.New(), Decider: types,
	})
	b := newBuilder(types, opts.Secrets)
	if !result.Diags.HasErrors() {
		b.build(result.Resources)
		b.absent(result.Missing)
		b.missingNetworks()
	}
	return b.estate(diagnostic.Of(append(result.Diags, b.diags...), result.Files))
}

// find is the directory that holds the configuration.
func find(dir string) (string, error) {
	dir = filepath.Clean(dir)
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("there is no directory %s", dir)
	case err != nil:
		return "", err
	case !info.IsDir():
		return "", fmt.Errorf("%s is not a directory: name the one that holds the .tf files", dir)
	}
	for _, d := range []string{dir, filepath.Join(dir, "terraform")} {
		entries, err := os.ReadDir(d)
		if err != nil && d == dir {
			return "", err
		}
		for _, e := range entries {
			if !e.IsDir() && lang.IsSource(e.Name()) {
				return d, nil
			}
		}
	}
	return "", fmt.Errorf("%s holds no .tf files, and neither does a folder terraform in it", dir)
}

func environ(pairs []string) map[string]string {
	out := map[string]string{}
	for _, pair := range pairs {
		for i := range pair {
			if pair[i] == '=' {
				out[pair[:i]] = pair[i+1:]
				break
			}
		}
	}
	return out
}
