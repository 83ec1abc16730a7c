package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/internal/command"
	"github.com/cloister-ml/cloister/internal/mlclient"
	"github.com/cloister-ml/cloister/internal/mlclient/spec"
)

func newMLJobCommand(m *mlOptions) *cobra.Command {
	cmd := &cobra.Command{Use: "job", Short: "Create, follow and list jobs and pipelines"}
	cmd.AddCommand(newMLJobCreate(m), newMLJobShow(m), newMLJobList(m), newMLJobStream(m), newMLJobCancel(m))
	return cmd
}

func newMLJobCreate(m *mlOptions) *cobra.Command {
	var file mlFile
	var name string
	var stream bool
	cmd := &cobra.Command{
		Use:   "create -f FILE",
		Short: "Upload what a job needs and submit it",
		Example: `  cloister ml job create -f pipeline.yml --stream
  cloister ml job create -f train.yml --set inputs.alpha=0.2 --name train-2`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			changes, err := file.changes()
			if err != nil {
				return err
			}
			j, err := spec.ReadJob(file.path, changes...)
			if err != nil {
				return err
			}
			c, err := m.client(cmd.Context())
			if err != nil {
				return err
			}
			doc, err := c.CreateJob(cmd.Context(), j, name, mlProgress(cmd))
			if err != nil {
				return err
			}
			if stream {
				return streamJob(cmd, m, c, doc.Name)
			}
			return m.show(cmd, doc, printJob)
		},
	}
	file.flags(cmd, true)
	cmd.Flags().StringVarP(&name, "name", "n", "", "name of the job (default: the file's, or a new one)")
	cmd.Flags().BoolVarP(&stream, "stream", "s", false, "follow the job to its end")
	return cmd
}

func newMLJobShow(m *mlOptions) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use: "show -n JOB", Short: "Show a job", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := m.client(cmd.Context())
			if err != nil {
				return err
			}
			d, err := c.Job(cmd.Context(), name)
			if err != nil {
				return err
			}
			return m.show(cmd, d, printJob)
		},
	}
	nameFlag(cmd, &name, "job")
	return cmd
}

// nameFlag is the required option --name.
func nameFlag(cmd *cobra.Command, name *string, what string) {
	cmd.Flags().StringVarP(name, "name", "n", "", "name of the "+what)
	_ = cmd.MarkFlagRequired("name") // the flag is there
}

func newMLJobList(m *mlOptions) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List jobs, newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := m.client(cmd.Context())
			if err != nil {
				return err
			}
			all, err := c.Jobs(cmd.Context())
			if err != nil {
				return err
			}
			return m.showAll(cmd, all, []string{"NAME", "TYPE", "STATUS", "EXPERIMENT", "CREATED"}, func(d mlclient.Document) []string {
				return []string{d.Name, strings.ToLower(d.Text("jobType")), d.Text("status"), d.Text("experimentName"), createdAt(d)}
			})
		},
	}
}

func newMLJobStream(m *mlOptions) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use: "stream -n JOB", Short: "Follow a job to its end", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := m.client(cmd.Context())
			if err != nil {
				return err
			}
			return streamJob(cmd, m, c, name)
		},
	}
	nameFlag(cmd, &name, "job")
	return cmd
}

func newMLJobCancel(m *mlOptions) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use: "cancel -n JOB", Short: "End a job", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := m.client(cmd.Context())
			if err != nil {
				return err
			}
			return c.CancelJob(cmd.Context(), name)
		},
	}
	nameFlag(cmd, &name, "job")
	return cmd
}

func printJob(w io.Writer, d mlclient.Document) error {
	pairs := [][2]string{
		{"Name", d.Name}, {"Type", strings.ToLower(d.Text("jobType"))}, {"Status", d.Text("status")}, {"Display name", d.Text("displayName")},
		{"Experiment", d.Text("experimentName")}, {"Created", createdAt(d)}, {"Error", d.Text("error.message")},
	}
	outputs, _ := d.Properties["outputs"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(outputs)) {
		pairs = append(pairs, [2]string{"Output " + name, d.Text("outputs." + name + ".uri")})
	}
	return mlDetails(w, pairs...)
}

// streamJob follows a job; the exit status is 1 when it does not complete.
func streamJob(cmd *cobra.Command, m *mlOptions, c *mlclient.Client, name string) error {
	out := cmd.OutOrStdout()
	if m.json {
		out = cmd.ErrOrStderr() // standard output is the document's alone
	}
	fmt.Fprintf(out, "job %s\n", name)
	p := &jobPrinter{w: out, began: time.Now()}
	end, err := c.Stream(cmd.Context(), name, p)
	if err != nil {
		return err
	}
	if m.json {
		d, err := c.Job(cmd.Context(), name)
		if err != nil {
			return err
		}
		if err := mlJSON(cmd.OutOrStdout(), d); err != nil {
			return err
		}
	}
	if end.Status != "Completed" {
		return command.ExitStatus(command.ExitFinding)
	}
	return nil
}

// jobPrinter prints what happens to a job, a line each, the same on a terminal
// and in a log.
type jobPrinter struct {
	mu    sync.Mutex
	w     io.Writer
	began time.Time
	width int // of the longest step's name so far
}

func (p *jobPrinter) State(step, status, message string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if step == "" {
		step = "job"
	}
	line := fmt.Sprintf("%6.1fs  %s  %s", time.Since(p.began).Seconds(), p.pad(step), status)
	if message != "" {
		line += ": " + message
	}
	fmt.Fprintln(p.w, line)
}

func (p *jobPrinter) Line(step, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if step == "" {
		step = "job"
	}
	fmt.Fprintf(p.w, "         %s  | %s\n", p.pad(step), text)
}

func (p *jobPrinter) pad(step string) string {
	p.width = max(p.width, len(step))
	return step + strings.Repeat(" ", p.width-len(step))
}
