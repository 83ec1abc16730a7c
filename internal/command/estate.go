package command

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/project"
	"github.com/cloister-ml/cloister/report"
	"github.com/cloister-ml/cloister/source"
)

// EstateFlags are what every command that reads an estate takes beside DIR.
type EstateFlags struct {
	vars         []string
	varFiles     []string
	parameters   []string
	stubs        []string
	config       string
	subscription string
	group        string
	location     string
}

// Declare adds the flags to a command's.
func (f *EstateFlags) Declare(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.vars, "var", nil, "value of a variable, as name=value")
	flags.StringArrayVar(&f.varFiles, "var-file", nil, "file of values of variables")
	flags.StringArrayVar(&f.stubs, "stub", nil, "file or directory of what exists already: documents as az prints them, a state, or an estate")
	flags.StringVar(&f.config, "config", "", "directory of the Terraform that a plan or a state is of: what is unknown in it is evaluated there")
	flags.StringArrayVar(&f.parameters, "parameters", nil, "value of a template's parameter, as name=value, or a parameter file")
	flags.StringVar(&f.subscription, "subscription", "", "id of the subscription that a template is deployed to")
	flags.StringVar(&f.group, "resource-group", "", "resource group that a template is deployed to")
	flags.StringVar(&f.location, "location", "", "location of that resource group")
}

// Options are the flags as the readers take them.
func (f *EstateFlags) Options() (source.Options, error) {
	values, err := assignments(f.vars)
	if err != nil {
		return source.Options{}, err
	}
	opts := source.Options{
		Vars: values, VarFiles: f.varFiles, Environ: os.Environ(), Stubs: f.stubs, Config: f.config,
		SubscriptionID: f.subscription, ResourceGroup: f.group, Location: f.location,
	}
	for _, p := range f.parameters {
		if name, text, ok := strings.Cut(p, "="); ok && !strings.ContainsAny(name, "/\\.") {
			opts.Vars[name] = text
		} else {
			opts.VarFiles = append(opts.VarFiles, p)
		}
	}
	return opts, nil
}

// read reads the estate at path. What is wrong is written with its source text to
// the command's standard error, and ends it with the status of bad input.
func (f *EstateFlags) read(cmd *cobra.Command, path string) (*arm.Estate, error) {
	opts, err := f.Options()
	if err != nil {
		return nil, err
	}
	opts.Stdin = cmd.InOrStdin()
	if f.config != "" {
		if opts.Config, err = terraformDir(f.config); err != nil {
			return nil, err
		}
	}
	root, err := terraformDir(path)
	if err != nil {
		return nil, err
	}
	collectLate()
	e, diags := source.Load(root, opts)
	errOut := cmd.ErrOrStderr()
	if err := diags.Write(errOut, 100, wantsColor(errOut)); err != nil {
		return nil, err
	}
	if diags.HasErrors() {
		return nil, ExitStatus(ExitError)
	}
	return withPremises(e, f.project(path))
}

// project is the directory of the project that a source belongs to.
func (f *EstateFlags) project(path string) string {
	if f.config != "" && !isDir(path) {
		return f.config
	}
	return path
}

// fits refuses a configuration beside directories, which are configurations.
func (f *EstateFlags) fits(paths ...string) error {
	for _, p := range paths {
		if f.config == "" || !isDir(p) {
			return nil
		}
	}
	return fmt.Errorf("--config %s: it says which directory a plan or a state is of, and %s is a directory: leave one of them out", f.config, paths[0])
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// withPremises adds what the project in dir declares on the premises.
func withPremises(e *arm.Estate, dir string) (*arm.Estate, error) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, os.ErrNotExist): // "-", say
		return e, nil
	case err != nil:
		return nil, fmt.Errorf("looking for what is on the premises: %w", err)
	case !info.IsDir():
		return e, nil
	}
	p, err := project.ReadPremises(dir)
	if err != nil {
		return nil, err
	}
	return project.WithPremises(e, p)
}

func wantsColor(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && report.WantColor(f)
}

// terraformDir is the folder of Terraform in dir: the one that its cloister.hcl
// names, or dir as it is.
func terraformDir(dir string) (string, error) {
	if !isDir(dir) {
		return dir, nil // the reader says what is wrong with it
	}
	if _, err := os.Stat(filepath.Join(dir, project.FileName)); errors.Is(err, os.ErrNotExist) {
		return dir, nil
	}
	root, err := project.TerraformDir(dir)
	if err != nil {
		return "", err
	}
	return fromHere(root), nil
}

// assignments reads values of Terraform variables, each as name=value.
func assignments(vars []string) (map[string]string, error) {
	values := map[string]string{}
	for _, v := range vars {
		name, value, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("--var %q: write it as name=value", v)
		}
		values[name] = value
	}
	return values, nil
}
