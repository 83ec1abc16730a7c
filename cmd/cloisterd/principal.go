package main

import (
	"errors"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/command"
	"github.com/cloister-ml/cloister/internal/daemon"
)

func newPrincipalCommand() *cobra.Command {
	var p place
	cmd := &cobra.Command{
		Use:   "principal",
		Short: "Make, list and delete the cloud's service principals and users",
		Long: `Service principals are the applications that may sign in to the cloud, and users the
people, as in the tenant of a subscription. A new one may do nothing until it is given
a role. Managed identities are not among them: they come and go with their resources.`,
	}
	cmd.AddCommand(newPrincipalCreateCommand(&p), newPrincipalListCommand(&p), newPrincipalDeleteCommand(&p), newPasswordCommand(&p), newApproveCommand(&p), newRotateKeysCommand(&p))
	for _, sub := range cmd.Commands() {
		p.flags(sub)
	}
	return cmd
}

func newPrincipalCreateCommand(p *place) *cobra.Command {
	var cert, keys, user string
	var fromStdin bool
	var f cloud.Federation
	cmd := &cobra.Command{
		Use:   "create {NAME | --user NAME}",
		Short: "Make a service principal or a user, and print its secret once",
		Long: `Make a service principal and print its ids and its secret as JSON. The secret is
shown here and nowhere else.

Besides its secret it can show who it is by the key of a certificate (--cert), or by
a token of another issuer (--issuer, --subject): of this cloud's own managed
identities, or of one whose public keys are given with --issuer-keys. Keys are not
fetched.

With --user it is a user: they sign in with the name, which ends in
@cloister.onmicrosoft.com, and the password that is printed, or that
--password-stdin reads.`,
		Example: `  sudo cloister principal create deployer
  sudo cloister principal create --user ada
  sudo cloister principal create deployer --cert deployer.pem
  sudo cloister principal create deployer --issuer https://token.example --subject sc://org/project/connection --issuer-keys keys.json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(args) == 1) == (user != "") {
				return errors.New("name the service principal, or give --user and a name")
			}
			if user != "" {
				return createUser(cmd, p, user, fromStdin)
			}
			wanted, err := wantedPrincipal(args[0], cert, keys, f)
			if err != nil {
				return err
			}
			c, err := p.dial()
			if err != nil {
				return err
			}
			made, err := c.NewPrincipal(cmd.Context(), wanted)
			if err != nil {
				return err
			}
			return command.WriteJSON(cmd.OutOrStdout(), map[string]string{
				"tenant": made.Tenant, "clientId": made.ClientID, "clientSecret": made.ClientSecret, "objectId": made.ObjectID,
			})
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "make a user of this name")
	cmd.Flags().BoolVar(&fromStdin, "password-stdin", false, "read the user's password from standard input")
	cmd.Flags().StringVar(&cert, "cert", "", "certificate in PEM whose key it signs with")
	cmd.Flags().StringVar(&f.Issuer, "issuer", "", "issuer whose tokens it may show")
	cmd.Flags().StringVar(&f.Subject, "subject", "", "subject of these tokens")
	cmd.Flags().StringVar(&f.Audience, "audience", "", "audience of these tokens (api://AzureADTokenExchange)")
	cmd.Flags().StringVar(&keys, "issuer-keys", "", "file with the issuer's JSON web key set")
	cmd.MarkFlagsMutuallyExclusive("user", "cert")
	cmd.MarkFlagsMutuallyExclusive("user", "issuer")
	return cmd
}

func wantedPrincipal(name, cert, keys string, f cloud.Federation) (daemon.NewPrincipal, error) {
	p := daemon.NewPrincipal{Name: name}
	if cert != "" {
		text, err := os.ReadFile(cert)
		if err != nil {
			return p, err
		}
		p.Certificate = string(text)
	}
	if (f.Issuer == "") != (f.Subject == "") {
		return p, errors.New("--issuer and --subject are given together")
	}
	if f.Issuer == "" {
		if keys != "" || f.Audience != "" {
			return p, errors.New("--issuer-keys and --audience need --issuer and --subject")
		}
		return p, nil
	}
	if keys != "" {
		text, err := os.ReadFile(keys)
		if err != nil {
			return p, err
		}
		f.Keys = text
	}
	p.Federation = &f
	return p, nil
}

func newPrincipalListCommand(p *place) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the service principals and the users",
		Example: `  sudo cloister principal list`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := p.dial()
			if err != nil {
				return err
			}
			list, err := c.Principals(cmd.Context())
			if err != nil {
				return err
			}
			users, err := c.Users(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return command.WriteJSON(cmd.OutOrStdout(), map[string]any{"servicePrincipals": list, "users": users})
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "NAME\tTYPE\tAPPLICATION\tOBJECT")
			for _, one := range list {
				fmt.Fprintf(w, "%s\tServicePrincipal\t%s\t%s\n", one.Name, one.AppID, one.ObjectID)
			}
			for _, u := range users {
				fmt.Fprintf(w, "%s\tUser\t-\t%s\n", u.Name, u.ObjectID)
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

func newPrincipalDeleteCommand(p *place) *cobra.Command {
	return &cobra.Command{
		Use:   "delete {APPLICATION | USER}",
		Short: "Delete a service principal by its application id, or a user by name; their tokens are refused from then on",
		Example: `  sudo cloister principal delete 0f1c1c0a-6c6e-4a53-9d0a-1d2f7c9f5a11
  sudo cloister principal delete ada`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := p.dial()
			if err != nil {
				return err
			}
			if _, err := uuid.Parse(args[0]); err != nil {
				return c.DeleteUser(cmd.Context(), args[0])
			}
			return c.DeletePrincipal(cmd.Context(), args[0])
		},
	}
}

func newRotateKeysCommand(p *place) *cobra.Command {
	return &cobra.Command{
		Use:     "rotate-keys",
		Short:   "Sign tokens with a new key; those that were signed before still hold",
		Example: `  sudo cloister principal rotate-keys`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := p.dial()
			if err != nil {
				return err
			}
			return c.RotateKeys(cmd.Context())
		},
	}
}
