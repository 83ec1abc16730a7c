package command

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/check"
	"github.com/cloister-ml/cloister/report"
)

// diffFlags are what the user asks of diff.
type diffFlags struct {
	estate EstateFlags
	git    string
	format string
	json   bool
	color  string
	width  int
}

func newDiffCommand() *cobra.Command {
	var f diffFlags
	cmd := &cobra.Command{
		Use:   "diff A B | diff --git REV DIR",
		Short: "Say which flows a change opens or closes",
		Long: `diff reads two estates and says what the second does that the first does not: which
flows open and which close, by sets of packets (from, to, protocol, ports), which
calls of a service go another way, which requirements of check fall or hold again,
and which resources are new, gone or different.

With --git the first estate is DIR as it was at a revision of its repository. What
git does not keep there (a terraform.tfvars that is ignored) is not read for it.

The status is 0 when nothing opens and no requirement newly falls, 1 when something
opens that was closed or a requirement newly falls, and 2 when an estate cannot be
read. OPENS* and CLOSES* are flows that cannot be known on the other side.`,
		Example: `  cloister diff before/ after/
  cloister diff --git origin/main infra
  cloister diff --git origin/main infra --format md > comment.md`,
		Args: func(cmd *cobra.Command, args []string) error {
			if f.git != "" {
				return cobra.ExactArgs(1)(cmd, args)
			}
			return cobra.ExactArgs(2)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runDiff(cmd, args, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.git, "git", "", "compare with DIR at this revision")
	flags.StringVar(&f.format, "format", "text", "text, json or md")
	flags.BoolVar(&f.json, "json", false, "the same as --format json")
	f.estate.Declare(flags)
	declareLook(flags, &f.color, &f.width)
	return cmd
}

func runDiff(cmd *cobra.Command, args []string, f diffFlags) error {
	out := cmd.OutOrStdout()
	if f.json {
		f.format = "json"
	}
	write, err := diffWriter(f.format)
	if err != nil {
		return err
	}
	o, err := reportLook(out, f.color, f.width)
	if err != nil {
		return err
	}
	if f.git != "" {
		old, clean, err := atRevision(cmd.Context(), args[0], f.git)
		if err != nil {
			return err
		}
		defer clean()
		o.Path = shownAt(old.root, f.git)
		args = []string{old.dir, args[0]}
	}
	if err := f.estate.fits(args...); err != nil {
		return err
	}
	before, err := f.estate.read(cmd, args[0])
	if err != nil {
		return err
	}
	after, err := f.estate.read(cmd, args[1])
	if err != nil {
		return err
	}
	var was, now check.Options
	for _, side := range []struct {
		path string
		e    *arm.Estate
		opts *check.Options
	}{{args[0], before, &was}, {args[1], after, &now}} {
		side.opts.Disable = map[string]string{}
		if err := (&ownFlags{}).read(f.estate.project(side.path), side.e, side.opts); err != nil {
			return err
		}
	}
	d := check.Diff(before, after, was, now)
	if err := write(out, d, o); err != nil {
		return fmt.Errorf("writing the difference: %w", err)
	}
	if d.Objects() {
		return ExitStatus(ExitFinding)
	}
	return nil
}

func diffWriter(format string) (func(io.Writer, *check.Difference, report.Options) error, error) {
	switch format {
	case "text":
		return report.DiffText, nil
	case "json":
		return report.DiffJSON, nil
	case "md":
		return report.DiffMarkdown, nil
	}
	return nil, fmt.Errorf("a difference is written as text, json or md, not as %q", format)
}

// shownAt names a file of a revision as git does, rev:path, and any other as it is
// seen from here.
func shownAt(root, rev string) func(string) string {
	return func(file string) string {
		abs, err := filepath.Abs(file)
		if err == nil && strings.HasPrefix(abs, root+string(os.PathSeparator)) {
			return rev + ":" + filepath.ToSlash(strings.TrimPrefix(abs, root+string(os.PathSeparator)))
		}
		return fromHere(file)
	}
}
