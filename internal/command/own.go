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
	"github.com/cloister-ml/cloister/check"
	"github.com/cloister-ml/cloister/check/require"
	"github.com/cloister-ml/cloister/internal/remark"
)

// ownFlags are about what users add to the profile, and take from it.
type ownFlags struct {
	files         []string
	baseline      string
	writeBaseline string
}

func (f *ownFlags) declare(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.files, "require", nil, "file of requirements, beside the *.require.hcl in DIR")
	flags.StringVar(&f.baseline, "baseline", "", "file of findings that are known: they do not end with status 1")
	flags.StringVar(&f.writeBaseline, "write-baseline", "", "write what falls now to a file, as a baseline")
}

// read adds to the options what the user's files say: requirements beside the
// Terraform and those that flags name, and remarks in the Terraform itself.
func (f *ownFlags) read(path string, e *arm.Estate, opts *check.Options) error {
	var set require.Set
	for _, dir := range ownFolders(path) {
		more, err := require.Dir(dir)
		if err != nil {
			return err
		}
		set = set.With(more)
	}
	for _, name := range f.files {
		more, err := require.File(name)
		if err != nil {
			return err
		}
		set = set.With(more)
	}
	opts.Asks, opts.Disables, opts.Severities = set.Asks, set.Disables, set.Severities
	remarks, err := remark.Read(e)
	opts.Remarks = remarks
	return err
}

// ownFolders are DIR and the folder of its Terraform, where that is another.
func ownFolders(path string) []string {
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	if !info.IsDir() {
		return []string{filepath.Dir(path)}
	}
	root, err := terraformDir(path)
	if err != nil || filepath.Clean(root) == filepath.Clean(path) {
		return []string{path}
	}
	return []string{path, root}
}

// unmatched is the error of requirements that select nothing, a line each.
func unmatched(r *check.Report) error {
	var errs []error
	for _, u := range r.Unmatched {
		errs = append(errs, fmt.Errorf("%s:%d: %s", fromHere(u.At.File), u.At.Line, u.Message))
	}
	return errors.Join(errs...)
}

// settle writes a baseline and applies one; what is known and falls no more is said.
func (f *ownFlags) settle(r *check.Report, errOut io.Writer) error {
	if f.writeBaseline != "" {
		var b strings.Builder
		if err := check.NewBaseline(r).Write(&b); err != nil {
			return err
		}
		if err := os.WriteFile(f.writeBaseline, []byte(b.String()), 0o644); err != nil { //nolint:gosec // it is read by others, and holds no secret
			return fmt.Errorf("writing the baseline: %w", err)
		}
		if f.baseline == "" {
			check.NewBaseline(r).Apply(r, f.writeBaseline)
		}
	}
	if f.baseline == "" {
		return nil
	}
	file, err := os.Open(f.baseline)
	if err != nil {
		return fmt.Errorf("reading the baseline: %w", err)
	}
	defer file.Close()
	b, err := check.ReadBaseline(file)
	if err != nil {
		return fmt.Errorf("%s: %w", f.baseline, err)
	}
	for _, k := range b.Apply(r, f.baseline) {
		fmt.Fprintf(errOut, "%s: %s falls no more; write the baseline anew to forget it\n", f.baseline, k.ID)
	}
	return nil
}

func requireTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "require",
		Short: "How to write requirements of your own for check",
		Long: `Files named *.require.hcl in the folder that check is given, or beside its Terraform,
add requirements to those of the profile, and switch rules off:

  require "agents reach the registry" {
    from    = { role = "agent" }
    to      = { type = "registries", name = "cr*" }
    port    = 443      # the default
    private = true     # by a private endpoint
    may     = "Microsoft.ContainerRegistry/registries/push/write"
  }

  require "nobody reaches the test network" {
    from     = { network = "vnet-aml" }
    to       = { network = "vnet-test" }
    port     = 22
    must_not = true
    severity = "critical"
  }

  require "the pipeline writes no secrets" {
    as       = "id-pipeline"
    to       = "azurerm_key_vault.this"
    may      = "Microsoft.KeyVault/vaults/secrets/setSecret/action"
    data     = true
    must_not = true
  }

  disable "public-access-off" {
    resource = "kv-legacy"
    reason   = "closed by policy, ticket 17"
  }

  severity "nsg-rule-has-effect" { level = "medium" }

from, to, as and resource take a name (with * and ?), a Terraform address, an ARM id
or a host name; "internet" is a machine that has nothing to do with the estate. Or
they take an object of what all must hold: name, address, id, tag ("team=ml"), subnet,
network, type, role (agent, jump host, compute, serving), service (blob, file, queue,
table, dfs, registry, vault, api, notebooks, ...). A subnet without machines stands
for any address of it. What selects nothing is an error, as is a disable without a
reason.

A rule is also switched off for one resource by a comment in its Terraform, directly
above the block or in it:

  # cloister:ignore RULE reason

and what is known already by a baseline: check --write-baseline FILE, then
check --baseline FILE.`,
	}
}
