package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/check"
	"github.com/cloister-ml/cloister/report"
	"github.com/cloister-ml/cloister/report/floorplan"
)

// checkFlags are what the user asks of check.
type checkFlags struct {
	estate estateFlags
	format string
	json   bool
	off    []string
	matrix bool
	all    bool
	strict bool
}

func newCheckCommand() *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check DIR",
		Short: "Prove which flows the solution has and which it has not",
		Long: `check reads the Terraform in DIR and proves, without deploying anything, that every
flow which a secured machine learning solution needs exists, and that every flow
which it must not have is refused: name resolution, routes, peering, security
groups, private endpoints, the services' own firewalls and role assignments. What
does not hold is shown hop by hop, with the file and line that decides and the
smallest change that mends it.

What cannot be known before deployment is shown as unknown, never guessed.

The status is 0 when no requirement falls, 1 when one does (with --strict also when
one is unknown), and 2 when DIR cannot be read.`,
		Example: `  cloister check examples/secure-mlops
  cloister check examples/secure-mlops --all
  cloister check . --var location=northeurope --var-file prod.tfvars
  cloister check . --matrix
  cloister check . --format sarif > cloister.sarif
  cloister check . --format svg > map.svg
  cloister check . --off public-access-off:kv-legacy="closed by policy, ticket 17"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCheck(cmd, args[0], f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.format, "format", "text", "text, json, sarif, junit or svg")
	flags.BoolVar(&f.json, "json", false, "the same as --format json")
	f.estate.declare(flags)
	flags.StringArrayVar(&f.off, "off", nil, "switch a rule or a requirement off, as id=reason")
	flags.BoolVar(&f.matrix, "matrix", false, "show what a client at every place meets at every service, and nothing else")
	flags.BoolVar(&f.all, "all", false, "also show each requirement that holds")
	flags.BoolVar(&f.strict, "strict", false, "end with status 1 also when a requirement is unknown")
	return cmd
}

func runCheck(cmd *cobra.Command, path string, f checkFlags) error {
	out := cmd.OutOrStdout()
	if f.json {
		f.format = "json"
	}
	var e *arm.Estate
	write, err := checkWriter(f, func() *floorplan.Plan { return floorplan.Read(e, mapTitle(path)) })
	if err != nil {
		return err
	}
	opts, err := f.options()
	if err != nil {
		return err
	}
	e, err = f.estate.read(cmd, path)
	if err != nil {
		return err
	}
	o := reportOptions(out)
	o.All = f.all
	if f.matrix {
		return write(out, nil, check.Matrix(e), o)
	}
	r := check.Prove(e, opts)
	if err := unusedOff(r, opts); err != nil {
		return err
	}
	if err := write(out, r, nil, o); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	if r.Count(check.Violated) > 0 || f.strict && r.Count(check.Unknown) > 0 {
		return exitStatus(exitFinding)
	}
	return nil
}

type checkWrite func(w io.Writer, r *check.Report, cells []check.Cell, o report.Options) error

// checkWriter is what writes the format that was asked for; plan is asked once the
// estate is read.
func checkWriter(f checkFlags, plan func() *floorplan.Plan) (checkWrite, error) {
	if f.matrix {
		switch f.format {
		case "text":
			return func(w io.Writer, _ *check.Report, c []check.Cell, o report.Options) error {
				return report.MatrixText(w, c, o)
			}, nil
		case "json":
			return func(w io.Writer, _ *check.Report, c []check.Cell, _ report.Options) error {
				return report.MatrixJSON(w, c)
			}, nil
		}
		return nil, fmt.Errorf("--matrix is written as text or json, not as %q", f.format)
	}
	switch f.format {
	case "text":
		return func(w io.Writer, r *check.Report, _ []check.Cell, o report.Options) error {
			return report.Text(w, r, o)
		}, nil
	case "json":
		return report.JSON, nil
	case "sarif":
		return func(w io.Writer, r *check.Report, _ []check.Cell, o report.Options) error {
			return report.SARIF(w, r, o)
		}, nil
	case "junit":
		return func(w io.Writer, r *check.Report, _ []check.Cell, o report.Options) error {
			return report.JUnit(w, r, o)
		}, nil
	case "svg":
		return func(w io.Writer, r *check.Report, _ []check.Cell, o report.Options) error {
			p := plan()
			report.OnMap(p, r, o)
			return floorplan.SVG(w, p)
		}, nil
	}
	return nil, fmt.Errorf("--format is text, json, sarif, junit or svg, not %q", f.format)
}

func (f checkFlags) options() (check.Options, error) {
	opts := check.Options{Disable: map[string]string{}}
	for _, s := range f.off {
		id, reason, ok := strings.Cut(s, "=")
		if !ok || id == "" || strings.TrimSpace(reason) == "" {
			return opts, fmt.Errorf("--off %q: give a reason, as --off rule=\"why\"", s)
		}
		opts.Disable[id] = reason
	}
	return opts, nil
}

// unusedOff refuses a switch that switches nothing: a typing error in it would
// otherwise go unseen.
func unusedOff(r *check.Report, opts check.Options) error {
	for id := range opts.Disable {
		used := false
		for _, rule := range check.Rules() {
			used = used || rule.ID == id
		}
		for _, q := range r.Requirements {
			used = used || q.ID == id
		}
		if !used {
			return fmt.Errorf("--off %s: there is no rule or requirement of that name; cloister check --all --json lists them", id)
		}
	}
	return nil
}

// fromHere is a path as seen from the working directory, where it is below that.
func fromHere(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	rel, err := filepath.Rel(here, abs)
	if err != nil || !filepath.IsLocal(rel) {
		return path
	}
	return rel
}

// reportOptions are those of a report to out: coloured and as wide as the
// terminal, where it is one.
func reportOptions(out io.Writer) report.Options {
	o := report.Options{Path: fromHere}
	f, ok := out.(*os.File)
	if !ok {
		return o
	}
	o.Color = report.WantColor(f)
	if size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ); err == nil {
		o.Width = min(int(size.Col), 140)
	}
	return o
}
