package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/diagnostic"
	"github.com/cloister-ml/cloister/source/template"
	"github.com/cloister-ml/cloister/source/terraform"
)

// maxFile bounds a file that is read whole, in bytes. Plans of ten thousand
// resources come to a third of it.
const maxFile = 256 << 20

// Stdin is the path that names the standard input.
const Stdin = "-"

// Options say how what is named is read. The zero Options read it as it stands.
type Options struct {
	// Vars are values of Terraform's variables or a template's parameters.
	Vars map[string]string
	// VarFiles are files of such values; later ones win.
	VarFiles []string
	// Environ is the environment, as os.Environ gives it. None is read where it is nil.
	Environ []string
	// RequireVars makes a variable without a value an error.
	RequireVars bool
	// Secrets puts sensitive values into the estate, each of which is unknown without it.
	Secrets bool
	// Where a template is deployed. What is not given is unknown.
	SubscriptionID, ResourceGroup, Location, TenantID string
	// Config is the directory of the Terraform that a plan or a state was made of, by
	// which what is unknown in it is evaluated.
	Config string
	// Stubs are files and directories of documents that exist already. Data sources
	// name them, and they join the estate.
	Stubs []string
	// Assigned are attributes of Terraform that a cloud has given a value at deployment,
	// by what an [arm.Unknown] of them says: azurerm_public_ip.front.ip_address.
	Assigned map[string]string
	// Stdin is read for the path "-".
	Stdin io.Reader
}

func (o Options) template() template.Options {
	return template.Options{
		Inline: o.Vars, ParameterFiles: o.VarFiles, RequireParameters: o.RequireVars, Secrets: o.Secrets,
		SubscriptionID: o.SubscriptionID, ResourceGroup: o.ResourceGroup, Location: o.Location, TenantID: o.TenantID,
	}
}

func (o Options) terraform(existing []arm.Resource) terraform.Options {
	return terraform.Options{Existing: existing, Config: o.Config, Vars: o.Vars, VarFiles: o.VarFiles, Environ: o.Environ, RequireVars: o.RequireVars, Secrets: o.Secrets, Assigned: o.Assigned}
}

// Load reads the directory or the file at path. The estate is nil when the
// diagnostics have errors.
func Load(path string, opts Options) (*arm.Estate, diagnostic.Diagnostics) {
	docs, said := existing(opts)
	if said.HasErrors() {
		return nil, said
	}
	e, diags := load(path, docs, opts)
	if e != nil {
		e, diags = joined(e, docs, diags)
	}
	said.Append(diags)
	return e, said
}

func load(path string, docs []arm.Resource, opts Options) (*arm.Estate, diagnostic.Diagnostics) {
	if path == Stdin {
		if opts.Stdin == nil {
			return nil, diagnostic.Fail("", "Nothing to read", "There is no standard input here: name a directory or a file.")
		}
		return loadFile("standard input", opts.Stdin, docs, opts)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, diagnostic.Fail("", "Nothing to read", "There is no directory or file %s.", path)
	case err != nil:
		return nil, diagnostic.Fail("", "Nothing to read", "%v.", err)
	case info.IsDir():
		return terraform.Load(path, opts.terraform(docs))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, diagnostic.Fail("", "File cannot be read", "%v.", err)
	}
	defer f.Close()
	return loadFile(path, f, docs, opts)
}

func loadFile(name string, r io.Reader, docs []arm.Resource, opts Options) (*arm.Estate, diagnostic.Diagnostics) {
	text, err := bounded(r)
	if err != nil {
		return nil, diagnostic.Fail(name, "File cannot be read", "%v.", err)
	}
	form, diags := identify(name, text)
	if diags.HasErrors() {
		return nil, diags
	}
	switch form {
	case formTemplate:
		return template.Read(name, text, opts.template())
	case formPlan, formState:
		return terraform.LoadPlan(name, text, opts.terraform(docs))
	case formRawState:
		return terraform.LoadState(name, text, opts.terraform(docs))
	}
	return estate(name, text)
}

func estate(name string, text []byte) (*arm.Estate, diagnostic.Diagnostics) {
	e, err := arm.ReadEstate(bytes.NewReader(text))
	if err != nil {
		return nil, diagnostic.Fail(name, "Not an estate", "%v.", err)
	}
	return e, diagnostic.Diagnostics{}
}

// joined is an estate with the documents of stubs that it does not declare itself.
func joined(e *arm.Estate, docs []arm.Resource, diags diagnostic.Diagnostics) (*arm.Estate, diagnostic.Diagnostics) {
	all := slices.Clone(e.All())
	for _, d := range docs {
		if _, have := e.Get(d.ID); !have {
			all = append(all, d)
		}
	}
	if len(all) == e.Len() {
		return e, diags
	}
	both, err := arm.NewEstate(all...)
	if err != nil {
		diags.Append(diagnostic.Fail("", "Not an estate", "%v.", err))
		return nil, diags
	}
	return both.WithUnread(e.Unread()...), diags
}

// bounded reads all of r up to maxFile.
func bounded(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading it: %w", err)
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("it is larger than %d MiB", maxFile>>20)
	}
	return text, nil
}
