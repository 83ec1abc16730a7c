package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/internal/command"
	"github.com/cloister-ml/cloister/internal/daemon"
	"github.com/cloister-ml/cloister/internal/devops/client"
	"github.com/cloister-ml/cloister/internal/devops/wire"
)

// devopsPlace says which organisation a command is about: the running cloud's, or
// the one that the environment names.
type devopsPlace struct{ place }

// open finds the organisation.
func (p *devopsPlace) open() (*client.Client, error) {
	if url := os.Getenv("CLOISTER_DEVOPS_URL"); url != "" {
		return &client.Client{URL: url, Project: os.Getenv("CLOISTER_DEVOPS_PROJECT"), Token: os.Getenv("CLOISTER_DEVOPS_TOKEN")}, nil
	}
	c, err := p.dial()
	if err != nil {
		return nil, err
	}
	var project daemon.Project
	var tokens daemon.Tokens
	for name, into := range map[string]any{"project.json": &project, "tokens.json": &tokens} {
		text, err := os.ReadFile(filepath.Join(c.Dir(), "devops", name))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, errors.New("the cloud has no DevOps organisation: cloister.hcl of what was brought up names none")
		}
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, into); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	http, base := c.DevOps()
	return &client.Client{HTTP: http, URL: base + "/" + project.Organization, Project: project.Project, Token: tokens.Admin}, nil
}

func newPipelinesCommand() *cobra.Command {
	var p devopsPlace
	cmd := &cobra.Command{
		Use:   "pipelines",
		Short: "List and run the Azure Pipelines of the cloud",
		Long: `List and run the Azure Pipelines of the running cloud, or of the organisation that
CLOISTER_DEVOPS_URL, CLOISTER_DEVOPS_PROJECT and CLOISTER_DEVOPS_TOKEN name.`,
		Example: `  cloister pipelines list
  cloister pipelines run train --wait
  cloister pipelines logs 3`,
	}
	for _, sub := range []*cobra.Command{pipelinesList(&p), pipelinesRun(&p), pipelinesRuns(&p), pipelinesLogs(&p), pipelinesCancel(&p)} {
		p.flags(sub)
		cmd.AddCommand(sub)
	}
	return cmd
}

func pipelinesList(p *devopsPlace) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List the pipelines", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := p.open()
			if err != nil {
				return err
			}
			all, err := c.Pipelines(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return command.WriteJSON(cmd.OutOrStdout(), all)
			}
			return table(cmd.OutOrStdout(), "ID\tNAME\tFILE", len(all), func(i int) string {
				return fmt.Sprintf("%d\t%s\t%s", all[i].ID, all[i].Name, all[i].Configuration.Path)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

func pipelinesRun(p *devopsPlace) *cobra.Command {
	var wait, asJSON, quiet bool
	var variables, parameters []string
	var branch string
	cmd := &cobra.Command{
		Use: "run NAME", Short: "Start a run of a pipeline",
		Long: `Start a run of a pipeline. With --wait its progress is shown until it is done, and
the exit status is 1 when it did not succeed.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := p.open()
			if err != nil {
				return err
			}
			in, err := runParameters(variables, parameters, branch)
			if err != nil {
				return err
			}
			run, err := c.Queue(cmd.Context(), args[0], in)
			if err != nil {
				return err
			}
			if !wait {
				if asJSON {
					return command.WriteJSON(cmd.OutOrStdout(), run)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "run %d of %s is queued: %s\n", run.ID, run.Pipeline.Name, run.Name)
				return nil
			}
			return follow(cmd, c, run.ID, asJSON, quiet)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&wait, "wait", false, "show the run until it is done")
	f.BoolVar(&quiet, "quiet", false, "with --wait, show steps without what they print")
	f.BoolVar(&asJSON, "json", false, "write JSON; with --wait, only at the end")
	f.StringArrayVar(&variables, "var", nil, "variable of the run, as name=value; may be given again")
	f.StringArrayVar(&parameters, "param", nil, "parameter of the pipeline, as name=value; may be given again")
	f.StringVar(&branch, "branch", "", "branch to run (default: the repository's own)")
	return cmd
}

func runParameters(variables, parameters []string, branch string) (wire.RunParameters, error) {
	in := wire.RunParameters{Variables: map[string]wire.VariableValue{}, TemplateParameters: map[string]any{}}
	for _, v := range variables {
		name, value, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return in, fmt.Errorf("--var %q must be name=value", v)
		}
		in.Variables[name] = wire.VariableValue{Value: value}
	}
	for _, v := range parameters {
		name, value, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return in, fmt.Errorf("--param %q must be name=value", v)
		}
		in.TemplateParameters[name] = value
	}
	if branch != "" {
		in.Resources = &wire.RunResources{Repositories: map[string]wire.RunRepository{"self": {RefName: branch}}}
	}
	return in, nil
}

func pipelinesRuns(p *devopsPlace) *cobra.Command {
	var asJSON bool
	var limit int
	cmd := &cobra.Command{
		Use: "runs [NAME]", Short: "List the newest runs", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := p.open()
			if err != nil {
				return err
			}
			builds, err := c.Builds(cmd.Context(), strings.Join(args, ""), limit)
			if err != nil {
				return err
			}
			if asJSON {
				return command.WriteJSON(cmd.OutOrStdout(), builds)
			}
			return table(cmd.OutOrStdout(), "RUN\tPIPELINE\tNAME\tSTATE\tREASON\tSTARTED\tTOOK", len(builds), func(i int) string {
				b := builds[i]
				state, took := b.Status, ""
				if b.Result != "" {
					state = b.Result
				}
				if b.FinishTime != nil {
					took = duration(b.FinishTime.Sub(b.QueueTime))
				}
				return fmt.Sprintf("%d\t%s\t%s\t%s\t%s\t%s\t%s", b.ID, b.Definition.Name, b.BuildNumber, state, b.Reason, b.QueueTime.Local().Format(time.DateTime), took)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	cmd.Flags().IntVar(&limit, "limit", 20, "how many")
	return cmd
}

func pipelinesLogs(p *devopsPlace) *cobra.Command {
	cmd := &cobra.Command{
		Use: "logs RUN", Short: "Show what a run did and what its steps printed",
		Long: `Show what a run did and what its steps printed; of a run that is not done, until it
is. The exit status is 1 when it did not succeed.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withRun(p, args[0], func(c *client.Client, id int) error { return follow(cmd, c, id, false, false) })
		},
	}
	return cmd
}

func pipelinesCancel(p *devopsPlace) *cobra.Command {
	return &cobra.Command{
		Use: "cancel RUN", Short: "Cancel a run", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withRun(p, args[0], func(c *client.Client, id int) error { return c.Cancel(cmd.Context(), id) })
		},
	}
}

func withRun(p *devopsPlace, arg string, do func(c *client.Client, id int) error) error {
	id, err := strconv.Atoi(arg)
	if err != nil || id < 1 {
		return fmt.Errorf("%q is not the number of a run; `cloister pipelines runs` lists them", arg)
	}
	c, err := p.open()
	if err != nil {
		return err
	}
	return do(c, id)
}

// follow shows a run until it is done.
func follow(cmd *cobra.Command, c *client.Client, id int, asJSON, quiet bool) error {
	out := cmd.OutOrStdout()
	var w client.Watcher = client.NewPrinter(out, quiet)
	if asJSON {
		w = client.NewPrinter(io.Discard, true)
	}
	b, err := c.Follow(cmd.Context(), id, w)
	if err != nil {
		return err
	}
	if asJSON {
		if err := command.WriteJSON(out, b); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(out, "run %d of %s (%s): %s, %s\n", b.ID, b.Definition.Name, b.BuildNumber, b.Result, duration(b.FinishTime.Sub(b.QueueTime)))
	}
	if b.Result != "succeeded" && b.Result != "partiallySucceeded" {
		return command.ExitStatus(command.ExitFinding)
	}
	return nil
}

func table(w io.Writer, header string, rows int, row func(i int) string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, header)
	for i := range rows {
		fmt.Fprintln(t, row(i))
	}
	return t.Flush()
}

func duration(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
