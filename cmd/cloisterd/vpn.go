package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/internal/daemon"
	"github.com/cloister-ml/cloister/internal/tunnel"
)

func newVPNCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "vpn",
		Short: "Come in by a VPN gateway",
		Long: `A virtual network gateway with a vpn_client_configuration takes point-to-site clients,
over WireGuard. The machine vpn-client-GATEWAY is one: "cloister exec vpn-client-GATEWAY
-- COMMAND" runs a command there. "cloister exec on-premises-NAME -- COMMAND" runs one on
the premises, behind the local network gateway or the circuit of that name.`,
	}
	cmd.AddCommand(newVPNConfigCommand())
	return cmd
}

func newVPNConfigCommand() *cobra.Command {
	var p place
	asked := daemon.VPNRequest{}
	cmd := &cobra.Command{
		Use:   "config NAME",
		Short: "Make a profile for a point-to-site client",
		Long: `Give a client an address of the gateway's pool and print its WireGuard profile. The
private key is made here, printed once and kept nowhere. The gateway takes the client
at an address of this host alone, so wg-quick on this host can use the profile. Asked
again under the same name, the old key ends.`,
		Example: `  sudo cloister vpn config laptop >laptop.conf && sudo wg-quick up ./laptop.conf`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := callBastion(cmd.Context(), p)
			if err != nil {
				return err
			}
			key, err := tunnel.NewKey()
			if err != nil {
				return err
			}
			asked.Name, asked.PublicKey = args[0], key.Public().Base64()
			answer, err := v.client.Profile(cmd.Context(), v.token, asked)
			if err != nil {
				return err
			}
			return writeProfile(cmd.OutOrStdout(), args[0], key, answer)
		},
	}
	p.flags(cmd)
	cmd.Flags().StringVar(&asked.Gateway, "gateway", "", "name of the virtual network gateway (the only one)")
	return cmd
}

// writeProfile writes a profile as wg-quick(8) reads it.
func writeProfile(w io.Writer, name string, key tunnel.Key, a daemon.VPNAnswer) error {
	var allowed []string
	for _, p := range a.Allowed {
		allowed = append(allowed, p.String())
	}
	_, err := fmt.Fprintf(w, `# %s, a client of %s
[Interface]
PrivateKey = %s
Address = %s/32
MTU = 1420

[Peer]
PublicKey = %s
Endpoint = %s
AllowedIPs = %s
PersistentKeepalive = 25
`, name, a.Gateway, key.Base64(), a.Address, a.PublicKey, a.Endpoint, strings.Join(allowed, ", "))
	return err
}
