package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/internal/mlclient"
	"github.com/cloister-ml/cloister/internal/mlclient/spec"
)

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func newMLEndpointCommand(m *mlOptions) *cobra.Command {
	cmd := &cobra.Command{Use: "online-endpoint", Short: "Create, call and list online endpoints"}
	cmd.AddCommand(newMLEndpointCreate(m), newMLEndpointUpdate(m), newMLEndpointShow(m), newMLEndpointList(m),
		newMLEndpointDelete(m), newMLEndpointCredentials(m), newMLEndpointInvoke(m))
	return cmd
}

func newMLEndpointCreate(m *mlOptions) *cobra.Command {
	var file mlFile
	var name, auth string
	cmd := &cobra.Command{
		Use: "create", Short: "Create an endpoint", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			e := spec.Endpoint{AuthMode: "key"}
			if file.path != "" {
				changes, err := file.changes()
				if err != nil {
					return err
				}
				if e, err = spec.ReadEndpoint(file.path, changes...); err != nil {
					return err
				}
			}
			if name != "" {
				e.Name = name
			}
			if e.Name == "" {
				e.Name = mlclient.NewEndpointName()
			}
			if auth != "" {
				e.AuthMode = auth
			}
			c, err := m.client(cmd.Context())
			if err != nil {
				return err
			}
			d, err := c.CreateEndpoint(cmd.Context(), e)
			if err != nil {
				return err
			}
			return m.show(cmd, d, printEndpoint)
		},
	}
	file.flags(cmd, false)
	cmd.Flags().StringVarP(&name, "name", "n", "", "name (default: the file's, or a new one)")
	cmd.Flags().StringVar(&auth, "auth-mode", "", "key, aml_token or aad_token (default: the file's)")
	return cmd
}

func newMLEndpointUpdate(m *mlOptions) *cobra.Command {
	var name, traffic string
	cmd := &cobra.Command{
		Use: "update -n ENDPOINT", Short: "Share the endpoint's requests out among its deployments", Args: cobra.NoArgs,
		Example: `  cloister ml online-endpoint update -n diabetes --traffic "blue=90 green=10"`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			shares, err := mlclient.ParseTraffic(traffic)
			if err != nil {
				return err
			}
			c, err := m.client(cmd.Context())
			if err != nil {
				return err
			}
			d, err := c.SetTraffic(cmd.Context(), name, shares)
			if err != nil {
				return err
			}
			return m.show(cmd, d, printEndpoint)
		},
	}
	nameFlag(cmd, &name, "endpoint")
	cmd.Flags().StringVarP(&traffic, "traffic", "r", "", "DEPLOYMENT=PERCENT, with a space between several")
	_ = cmd.MarkFlagRequired("traffic") // the flag is there
	return cmd
}

func newMLEndpointShow(m *mlOptions) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use: "show -n ENDPOINT", Short: "Show an endpoint", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := m.client(cmd.Context())
			if err != nil {
				return err
			}
			d, err := c.Endpoint(cmd.Context(), name)
			if err != nil {
				return err
			}
			return m.show(cmd, d, printEndpoint)
		},
	}
	nameFlag(cmd, &name, "endpoint")
	return cmd
}

func printEndpoint(w io.Writer, d mlclient.Document) error {
	return mlDetails(w, [2]string{"Name", d.Name}, [2]string{"State", d.Text("provisioningState")}, [2]string{"Authentication", d.Text("authMode")},
		[2]string{"Scoring URI", d.Text("scoringUri")}, [2]string{"Public access", d.Text("publicNetworkAccess")}, [2]string{"Traffic", shares(d)})
}

// shares writes an endpoint's traffic as the option --traffic takes it.
func shares(d mlclient.Document) string {
	traffic, _ := d.Properties["traffic"].(map[string]any)
	var out []string
	for _, name := range sortedNames(traffic) {
		out = append(out, fmt.Sprintf("%s=%v", name, traffic[name]))
	}
	return strings.Join(out, " ")
}

func newMLEndpointList(m *mlOptions) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List endpoints", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := m.client(cmd.Context())
			if err != nil {
				return err
			}
			all, err := c.Endpoints(cmd.Context())
			if err != nil {
				return err
			}
			return m.showAll(cmd, all, []string{"NAME", "STATE", "AUTHENTICATION", "TRAFFIC", "SCORING URI"}, func(d mlclient.Document) []string {
				return []string{d.Name, d.Text("provisioningState"), d.Text("authMode"), shares(d), d.Text("scoringUri")}
			})
		},
	}
}

func newMLEndpointDelete(m *mlOptions) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use: "delete -n ENDPOINT", Short: "Delete an endpoint with its deployments", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := m.client(cmd.Context())
			if err != nil {
				return err
			}
			return c.DeleteEndpoint(cmd.Context(), name)
		},
	}
	nameFlag(cmd, &name, "endpoint")
	cmd.Flags().BoolP("yes", "y", false, "accepted for the sake of scripts; nothing is asked")
	return cmd
}

func newMLEndpointCredentials(m *mlOptions) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use: "get-credentials -n ENDPOINT", Short: "Print the keys of an endpoint, or a token for it", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := m.client(cmd.Context())
			if err != nil {
				return err
			}
			cred, err := c.EndpointCredentials(cmd.Context(), name)
			if err != nil {
				return err
			}
			if m.json {
				return mlJSON(cmd.OutOrStdout(), cred)
			}
			return mlDetails(cmd.OutOrStdout(), [2]string{"Primary key", cred.PrimaryKey}, [2]string{"Secondary key", cred.SecondaryKey}, [2]string{"Token", cred.AccessToken})
		},
	}
	nameFlag(cmd, &name, "endpoint")
	return cmd
}

func newMLEndpointInvoke(m *mlOptions) *cobra.Command {
	var name, file, deployment string
	cmd := &cobra.Command{
		Use: "invoke -n ENDPOINT -r FILE", Short: "Send a request to an endpoint and print the answer", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			body, err := readRequest(cmd, file)
			if err != nil {
				return err
			}
			c, err := m.client(cmd.Context())
			if err != nil {
				return err
			}
			score, err := c.Invoke(cmd.Context(), name, deployment, body)
			if err != nil {
				return err
			}
			if m.json {
				return mlJSON(cmd.OutOrStdout(), map[string]any{"deployment": score.Deployment, "seconds": score.Took.Seconds(), "answer": string(score.Body)})
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), strings.TrimRight(string(score.Body), "\n"))
			return err
		},
	}
	nameFlag(cmd, &name, "endpoint")
	cmd.Flags().StringVarP(&file, "request-file", "r", "", "file with the request's body; - for standard input")
	cmd.Flags().StringVarP(&deployment, "deployment-name", "d", "", "deployment that is to answer (default: by traffic)")
	_ = cmd.MarkFlagRequired("request-file") // the flag is there
	return cmd
}

// maxRequest is the largest body that an online endpoint takes.
const maxRequest = 10 << 20

func readRequest(cmd *cobra.Command, name string) ([]byte, error) {
	in := cmd.InOrStdin()
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	body, err := io.ReadAll(io.LimitReader(in, maxRequest+1))
	if err == nil && len(body) > maxRequest {
		err = fmt.Errorf("%s is larger than the %d bytes that an endpoint takes", name, maxRequest)
	}
	return body, err
}

func newMLDeploymentCommand(m *mlOptions) *cobra.Command {
	cmd := &cobra.Command{Use: "online-deployment", Short: "Create, update and delete deployments of online endpoints"}
	cmd.AddCommand(newMLDeploymentCreate(m, "create", "Create a deployment and wait until it is ready"),
		newMLDeploymentCreate(m, "update", "Change a deployment and wait until it is ready"),
		newMLDeploymentList(m), newMLDeploymentDelete(m), newMLDeploymentLogs(m))
	return cmd
}

// deploymentFlags are --name and --endpoint-name.
func deploymentFlags(cmd *cobra.Command, name, endpoint *string, required bool) {
	cmd.Flags().StringVarP(name, "name", "n", "", "name of the deployment")
	cmd.Flags().StringVarP(endpoint, "endpoint-name", "e", "", "name of the endpoint")
	if required {
		_ = cmd.MarkFlagRequired("name") // the flags are there
		_ = cmd.MarkFlagRequired("endpoint-name")
	}
}

func newMLDeploymentCreate(m *mlOptions, use, short string) *cobra.Command {
	var file mlFile
	var name, endpoint string
	var all bool
	cmd := &cobra.Command{
		Use: use + " -f FILE", Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			changes, err := file.changes()
			if err != nil {
				return err
			}
			d, err := spec.ReadDeployment(file.path, changes...)
			if err != nil {
				return err
			}
			if name != "" {
				d.Name = name
			}
			if endpoint != "" {
				d.EndpointName = endpoint
			}
			c, err := m.client(cmd.Context())
			if err != nil {
				return err
			}
			doc, err := c.CreateDeployment(cmd.Context(), d, mlProgress(cmd))
			if err != nil {
				return err
			}
			if all {
				if _, err := c.SetTraffic(cmd.Context(), d.EndpointName, map[string]int{d.Name: 100}); err != nil {
					return err
				}
			}
			return m.show(cmd, doc, printDeployment)
		},
	}
	file.flags(cmd, true)
	deploymentFlags(cmd, &name, &endpoint, false)
	cmd.Flags().BoolVar(&all, "all-traffic", false, "give it all of the endpoint's traffic when it is ready")
	return cmd
}

func printDeployment(w io.Writer, d mlclient.Document) error {
	return mlDetails(w, [2]string{"Name", d.Name}, [2]string{"Endpoint", d.ID.Parent().Name()}, [2]string{"State", d.Text("provisioningState")},
		[2]string{"Model", modelName(d)}, [2]string{"Script", d.Text("codeConfiguration.scoringScript")}, [2]string{"Instance type", d.Text("instanceType")})
}

// modelName shortens a model version's id to name:version.
func modelName(d mlclient.Document) string {
	id := d.Text("model")
	parts := strings.Split(id, "/")
	if n := len(parts); n > 3 && parts[n-2] == "versions" {
		return parts[n-3] + ":" + parts[n-1]
	}
	return id
}

func newMLDeploymentList(m *mlOptions) *cobra.Command {
	var endpoint string
	cmd := &cobra.Command{
		Use: "list -e ENDPOINT", Short: "List an endpoint's deployments", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := m.client(cmd.Context())
			if err != nil {
				return err
			}
			all, err := c.Deployments(cmd.Context(), endpoint)
			if err != nil {
				return err
			}
			return m.showAll(cmd, all, []string{"NAME", "STATE", "MODEL", "INSTANCE TYPE"}, func(d mlclient.Document) []string {
				return []string{d.Name, d.Text("provisioningState"), modelName(d), d.Text("instanceType")}
			})
		},
	}
	cmd.Flags().StringVarP(&endpoint, "endpoint-name", "e", "", "name of the endpoint")
	_ = cmd.MarkFlagRequired("endpoint-name") // the flag is there
	return cmd
}

func newMLDeploymentDelete(m *mlOptions) *cobra.Command {
	var name, endpoint string
	cmd := &cobra.Command{
		Use: "delete -n DEPLOYMENT -e ENDPOINT", Short: "Delete a deployment", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := m.client(cmd.Context())
			if err != nil {
				return err
			}
			return c.DeleteDeployment(cmd.Context(), endpoint, name)
		},
	}
	deploymentFlags(cmd, &name, &endpoint, true)
	cmd.Flags().BoolP("yes", "y", false, "accepted for the sake of scripts; nothing is asked")
	return cmd
}

func newMLDeploymentLogs(m *mlOptions) *cobra.Command {
	var name, endpoint string
	var lines int
	cmd := &cobra.Command{
		Use: "get-logs -n DEPLOYMENT -e ENDPOINT", Short: "Print the last lines that a deployment has written", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := m.client(cmd.Context())
			if err != nil {
				return err
			}
			text, err := c.DeploymentLogs(cmd.Context(), endpoint, name, lines)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), text)
			return err
		},
	}
	deploymentFlags(cmd, &name, &endpoint, true)
	cmd.Flags().IntVarP(&lines, "lines", "l", 100, "how many lines")
	return cmd
}
