package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/command"
	"github.com/cloister-ml/cloister/internal/daemon"
)

func newEnvCommand() *cobra.Command {
	var p place
	var asJSON, secretless bool
	cmd := &cobra.Command{
		Use:   "env",
		Short: "What a shell needs so that Terraform, az and the SDKs speak to this cloud",
		Long: `Print the variables with which the real clients on this machine speak to the
running cloud, as lines for a shell: where Azure Resource Manager is, the owner's
credentials, the certificates to trust, and a proxy that leads to the cloud's public
host names (vaults, storage accounts, registries) as somebody on the internet reaches
them. What is closed to the internet is closed to the proxy as well.

The owner's secret is among them: do not print them into a log. az needs nothing
else, for the proxy leads Azure's own names to this cloud:

  az login --service-principal -u $ARM_CLIENT_ID -p $ARM_CLIENT_SECRET --tenant $ARM_TENANT_ID

Without the proxy, az is told where the cloud is; it then reaches Resource Manager,
and no service that is not on this address:

  export ARM_CLOUD_METADATA_URL="https://$ARM_METADATA_HOSTNAME/metadata/endpoints?api-version=2019-05-01"
  az cloud set -n Cloister && az config set core.instance_discovery=false`,
		Example: `  eval "$(sudo cloister env)" && terraform apply
  sudo cloister env --json
  sudo cloister env --no-secret`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := p.dial()
			if err != nil {
				return err
			}
			s, err := c.Status(cmd.Context())
			if err != nil {
				return err
			}
			owner, err := daemon.ReadOwner(c.Dir())
			if err != nil {
				return err
			}
			vars := shellVariables(c.State, s.Subscription, owner)
			given, err := c.Variables(cmd.Context())
			if err != nil {
				return err
			}
			for _, name := range slices.Sorted(maps.Keys(given)) {
				vars = append(vars, variable{name: "TF_VAR_" + name, value: given[name], secret: true})
			}
			if secretless {
				vars = withoutSecrets(vars)
			}
			if asJSON {
				return writeVariablesJSON(cmd.OutOrStdout(), vars)
			}
			return writeVariables(cmd.OutOrStdout(), vars)
		},
	}
	p.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	cmd.Flags().BoolVar(&secretless, "no-secret", false, "leave the owner's secret out")
	return cmd
}

// variable is one variable of the environment.
type variable struct {
	name, value string
	secret      bool
}

// shellVariables are what Terraform's providers (ARM_), the Azure SDKs (AZURE_) and
// the TLS libraries of Go and Python read.
func shellVariables(s daemon.State, subscription string, owner cloud.Credentials) []variable {
	proxy := "http://" + s.Proxy
	return []variable{
		{name: "ARM_METADATA_HOSTNAME", value: s.Listen},
		{name: "ARM_SUBSCRIPTION_ID", value: subscription},
		{name: "ARM_TENANT_ID", value: owner.Tenant},
		{name: "ARM_CLIENT_ID", value: owner.ClientID},
		{name: "ARM_CLIENT_SECRET", value: owner.ClientSecret, secret: true},
		{name: "ARM_RESOURCE_PROVIDER_REGISTRATIONS", value: "none"},
		{name: "AZURE_AUTHORITY_HOST", value: "https://" + s.Listen},
		{name: "AZURE_TENANT_ID", value: owner.Tenant},
		{name: "AZURE_CLIENT_ID", value: owner.ClientID},
		{name: "AZURE_CLIENT_SECRET", value: owner.ClientSecret, secret: true},
		{name: "AZURE_SUBSCRIPTION_ID", value: subscription},
		{name: "SSL_CERT_FILE", value: s.Bundle},
		{name: "REQUESTS_CA_BUNDLE", value: s.Bundle},
		{name: "CURL_CA_BUNDLE", value: s.Bundle},
		{name: "HTTPS_PROXY", value: proxy},
		{name: "NO_PROXY", value: "localhost,127.0.0.1,::1"},
	}
}

func withoutSecrets(vars []variable) []variable {
	var out []variable
	for _, v := range vars {
		if !v.secret {
			out = append(out, v)
		}
	}
	return out
}

func writeVariables(w io.Writer, vars []variable) error {
	for _, v := range vars {
		if _, err := fmt.Fprintf(w, "export %s=%s\n", v.name, quote(v.value)); err != nil {
			return err
		}
	}
	return nil
}

func writeVariablesJSON(w io.Writer, vars []variable) error {
	out := map[string]string{}
	for _, v := range vars {
		out[v.name] = v.value
	}
	return command.WriteJSON(w, out)
}

// quote makes a value one word of a POSIX shell.
func quote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
