package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/internal/mlclient"
	"github.com/cloister-ml/cloister/internal/mlclient/spec"
)

// newMLCommand is the client of a workspace.
func newMLCommand() *cobra.Command {
	var m mlOptions
	cmd := &cobra.Command{
		Use:   "ml",
		Short: "Work with an Azure Machine Learning workspace: jobs, models, endpoints",
		Long: `Work with an Azure Machine Learning workspace from a machine that reaches it. The
commands and their files are those of the Azure ML CLI v2 (az ml).

The workspace is named by --subscription, --resource-group and --workspace-name, by
AZUREML_ARM_SUBSCRIPTION, AZUREML_ARM_RESOURCEGROUP and AZUREML_ARM_WORKSPACE_NAME, or
found when the identity sees exactly one. On the host of a running cloud the command
runs from a machine inside (--from), with the host's files. The identity is the service principal of
AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or the machine's managed
identity.`,
		Example: `  cloister ml job create -f pipeline.yml --stream
  cloister ml model list
  cloister ml online-endpoint invoke -n diabetes --request-file request.json`,
	}
	f := cmd.PersistentFlags()
	f.StringVar(&m.o.Subscription, "subscription", os.Getenv("AZUREML_ARM_SUBSCRIPTION"), "subscription id")
	f.StringVarP(&m.o.Group, "resource-group", "g", os.Getenv("AZUREML_ARM_RESOURCEGROUP"), "resource group")
	f.StringVarP(&m.o.Workspace, "workspace-name", "w", os.Getenv("AZUREML_ARM_WORKSPACE_NAME"), "workspace")
	f.BoolVar(&m.json, "json", false, "print JSON")
	cmd.PersistentPreRunE = fromMachine(f)
	cmd.AddCommand(newMLJobCommand(&m))
	for _, kind := range mlKinds {
		cmd.AddCommand(newMLAssetCommand(&m, kind))
	}
	cmd.AddCommand(newMLComputeCommand(&m), newMLEndpointCommand(&m), newMLDeploymentCommand(&m))
	return cmd
}

// mlOptions are what all commands of ml share.
type mlOptions struct {
	o    mlclient.Options
	json bool
}

func (m *mlOptions) client(ctx context.Context) (*mlclient.Client, error) {
	client := &http.Client{Timeout: 10 * time.Minute}
	credential, err := mlclient.FindCredential(os.Getenv, client)
	if err != nil {
		return nil, err
	}
	return mlclient.New(ctx, client, credential, m.o)
}

// mlProgress tells on standard error what is being done.
func mlProgress(cmd *cobra.Command) func(string) {
	return func(line string) { fmt.Fprintln(cmd.ErrOrStderr(), line) }
}

// mlFile are the options of commands that read a file.
type mlFile struct {
	path string
	set  []string
}

func (f *mlFile) flags(cmd *cobra.Command, required bool) {
	cmd.Flags().StringVarP(&f.path, "file", "f", "", "YAML file (Azure ML CLI v2)")
	cmd.Flags().StringArrayVar(&f.set, "set", nil, "change a value of the file: NAME.NAME=VALUE")
	if required {
		_ = cmd.MarkFlagRequired("file") // the flag is there
	}
}

func (f *mlFile) changes() ([]spec.Change, error) {
	var out []spec.Change
	for _, s := range f.set {
		c, err := spec.ParseChange(s)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

func mlJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// mlTable prints rows under a heading.
func mlTable(w io.Writer, heading []string, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, strings.Join(heading, "\t"))
	for _, r := range rows {
		fmt.Fprintln(t, strings.Join(r, "\t"))
	}
	return t.Flush()
}

// mlDetails prints pairs of names and values, without those that are empty.
func mlDetails(w io.Writer, pairs ...[2]string) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, p := range pairs {
		if p[1] != "" {
			fmt.Fprintf(t, "%s\t%s\n", p[0], p[1])
		}
	}
	return t.Flush()
}

// show prints a document as JSON or by print.
func (m *mlOptions) show(cmd *cobra.Command, d mlclient.Document, print func(w io.Writer, d mlclient.Document) error) error {
	if m.json {
		return mlJSON(cmd.OutOrStdout(), d)
	}
	return print(cmd.OutOrStdout(), d)
}

// showAll prints documents as JSON or as a table.
func (m *mlOptions) showAll(cmd *cobra.Command, docs []mlclient.Document, heading []string, row func(mlclient.Document) []string) error {
	if m.json {
		if docs == nil {
			docs = []mlclient.Document{}
		}
		return mlJSON(cmd.OutOrStdout(), docs)
	}
	rows := make([][]string, 0, len(docs))
	for _, d := range docs {
		rows = append(rows, row(d))
	}
	return mlTable(cmd.OutOrStdout(), heading, rows)
}

func createdAt(d mlclient.Document) string {
	system, _ := d.SystemData.(map[string]any)
	text, _ := system["createdAt"].(string)
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04:05")
}
