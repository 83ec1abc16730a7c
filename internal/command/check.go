package command

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/check"
	"github.com/cloister-ml/cloister/report"
	"github.com/cloister-ml/cloister/report/floorplan"
)

// checkFlags are what the user asks of check.
type checkFlags struct {
	estate EstateFlags
	format string
	json   bool
	ask    askFlags
	own    ownFlags
	color  string
	width  int
	off    []string
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

What cannot be known before deployment is shown as unknown, never guessed. What falls
because of something else is shown under that.

Requirements of your own, and what is switched off: cloister help require. What a rule
is about: cloister explain RULE.

Questions are answered in place of the proof: --from with --to traces a client hop by
hop, --matrix shows what every place meets at every service, --exfil every way by
which data can leave.

The status is 0 when no requirement falls, 1 when one does (with --strict also when
one is unknown), and 2 when DIR cannot be read. A question that is answered ends with
0; --fail-on-exfil makes it 1 where there is a way out.`,
		Example: `  cloister check examples/secure-mlops
  cloister check examples/secure-mlops --all
  cloister check . --var location=northeurope --var-file prod.tfvars
  terraform show -json plan.out | cloister check - --config .
  cloister check . --from vm-agent-0 --to my_acr
  cloister check . --from snet-training --to internet --port 22 --all
  cloister check . --from vpn-client-vgw-hub --to my_workspace
  cloister check . --from vm-jump --to kv-mlops --as id-pipeline
  cloister check . --matrix
  cloister check . --exfil
  cloister check . --format sarif > cloister.sarif
  cloister check . --format svg > map.svg
  cloister check . --write-baseline known.json
  cloister check . --baseline known.json
  cloister check . --off public-access-off:kv-legacy="closed by policy, ticket 17"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCheck(cmd, args[0], f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.format, "format", "text", "text, json, sarif, junit, gitlab, md or svg")
	flags.BoolVar(&f.json, "json", false, "the same as --format json")
	f.estate.Declare(flags)
	flags.StringArrayVar(&f.off, "off", nil, "switch a rule or a requirement off, as id=reason")
	f.ask.declare(flags)
	f.own.declare(flags)
	declareLook(flags, &f.color, &f.width)
	flags.BoolVar(&f.all, "all", false, "also show each requirement that holds")
	flags.BoolVar(&f.strict, "strict", false, "end with status 1 also when a requirement is unknown")
	must(cmd.RegisterFlagCompletionFunc("from", completeNames(&f.estate, false)))
	must(cmd.RegisterFlagCompletionFunc("to", completeNames(&f.estate, true)))
	must(cmd.RegisterFlagCompletionFunc("protocol", cobra.FixedCompletions([]string{"tcp", "udp", "icmp"}, cobra.ShellCompDirectiveNoFileComp)))
	must(cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"text", "json", "sarif", "junit", "gitlab", "md", "svg"}, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

// must panics where a flag that is declared above is not there.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func runCheck(cmd *cobra.Command, path string, f checkFlags) error {
	out := cmd.OutOrStdout()
	if f.json {
		f.format = "json"
	}
	if err := f.estate.fits(path); err != nil {
		return err
	}
	asks, err := f.ask.asks()
	if err != nil {
		return err
	}
	o, err := reportLook(out, f.color, f.width)
	if err != nil {
		return err
	}
	o.All = f.all
	if asks {
		e, err := f.estate.read(cmd, path)
		if err != nil {
			return err
		}
		return f.ask.answer(out, e, f.format, o)
	}
	var e *arm.Estate
	write, err := checkWriter(f.format, func() *floorplan.Plan { return floorplan.Read(e, mapTitle(path)) })
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
	if err := f.own.read(f.estate.project(path), e, &opts); err != nil {
		return err
	}
	r := check.Prove(e, opts)
	if err := errors.Join(unusedOff(r, opts), unmatched(r)); err != nil {
		return err
	}
	if err := f.own.settle(r, cmd.ErrOrStderr()); err != nil {
		return err
	}
	if err := write(out, r, o); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	if r.Count(check.Violated) > 0 || f.strict && r.Count(check.Unknown) > 0 {
		return ExitStatus(ExitFinding)
	}
	return nil
}

type checkWrite func(w io.Writer, r *check.Report, o report.Options) error

// checkWriter is what writes the format that was asked for; plan is asked once the
// estate is read.
func checkWriter(format string, plan func() *floorplan.Plan) (checkWrite, error) {
	switch format {
	case "text":
		return report.Text, nil
	case "json":
		return report.JSON, nil
	case "sarif":
		return report.SARIF, nil
	case "junit":
		return report.JUnit, nil
	case "gitlab":
		return report.CodeQuality, nil
	case "md":
		return report.Markdown, nil
	case "svg":
		return func(w io.Writer, r *check.Report, o report.Options) error {
			p := plan()
			report.OnMap(p, r, o)
			return floorplan.SVG(w, p)
		}, nil
	}
	return nil, fmt.Errorf("--format is text, json, sarif, junit, gitlab, md or svg, not %q", format)
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
