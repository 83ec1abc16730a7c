package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/internal/bastion"
	"github.com/cloister-ml/cloister/internal/command"
	"github.com/cloister-ml/cloister/internal/daemon"
	"github.com/cloister-ml/cloister/internal/mission"
)

func newBastionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bastion",
		Short: "Come in by Azure Bastion, as people do",
		Long: `Connect to a virtual machine through the Azure Bastion of its network or of a peered
one. The packets start at an address of AzureBastionSubnet and pass every rule and
route on their way; the machine's own SSH server answers.

The caller is the cloud's owner or, with AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, that
service principal. As on Azure it needs Reader on the machine, its network interface
and the Bastion (and on the machine's network where the Bastion is in a peered one),
and the Bastion needs the Standard SKU with tunneling_enabled.`,
	}
	cmd.AddCommand(newBastionSSHCommand(), newBastionTunnelCommand())
	return cmd
}

func newBastionSSHCommand() *cobra.Command {
	var p place
	var user, identity string
	var assign bool
	cmd := &cobra.Command{
		Use:   "ssh VM [--user NAME] [-- COMMAND ...]",
		Short: "Log in to a virtual machine through Azure Bastion",
		Long: `Log in with a certificate that the cloud signs for this caller and that is good for
some minutes, or with --identity and a private key whose public half the machine's
document names (admin_ssh_key). A certificate needs the role Virtual Machine
Administrator Login (accounts: the administrator's, one's own, root) or Virtual
Machine User Login (one's own); --assign-login-role gives the caller the first of
them, as an assignment in the cloud.

The status is that of the command, or 2 when it could not be run.`,
		Example: `  sudo cloister bastion ssh vm-jump
  sudo cloister bastion ssh vm-jump --identity ~/.ssh/id_ed25519
  echo hello | sudo cloister bastion ssh vm-jump -- cat`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := callBastion(cmd.Context(), p)
			if err != nil {
				return err
			}
			if assign {
				if err := mission.AssignLogin(cmd.Context(), v.client, args[0]); err != nil {
					return err
				}
			}
			s := bastion.Session{Command: strings.Join(args[1:], " "), Stdin: os.Stdin, Stdout: cmd.OutOrStdout(), Stderr: cmd.ErrOrStderr()}
			if isTerminal(os.Stdin) && isTerminal(os.Stdout) {
				s.Terminal = os.Stdin
			}
			status, err := v.ssh(cmd.Context(), args[0], user, identity, s)
			if err == nil && status != 0 {
				err = command.ExitStatus(status)
			}
			return err
		},
		ValidArgsFunction: virtualMachineNames(&p),
	}
	p.flags(cmd)
	cmd.Flags().StringVar(&user, "user", "", "account to log in to (the administrator's, or one's own)")
	cmd.Flags().StringVar(&identity, "identity", "", "file with a private key that the machine knows")
	cmd.Flags().BoolVar(&assign, "assign-login-role", false, "first give the caller Virtual Machine Administrator Login on the machine")
	return cmd
}

func newBastionTunnelCommand() *cobra.Command {
	var p place
	var port, local uint16
	cmd := &cobra.Command{
		Use:   "tunnel VM --port N",
		Short: "Open a port of a virtual machine on this host, through Azure Bastion",
		Long: `Listen at 127.0.0.1 and carry each connection through Azure Bastion to a port of the
machine, until Ctrl-C. For port 22 the line for known_hosts is printed, so that ssh,
scp and rsync can be used with the machine's own key.`,
		Example: `  sudo cloister bastion tunnel vm-jump --port 22 --local-port 2222
  sudo cloister bastion tunnel vm-jump --port 8888`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if port == 0 {
				return errors.New("name the machine's port with --port")
			}
			v, err := callBastion(cmd.Context(), p)
			if err != nil {
				return err
			}
			return v.tunnel(cmd.Context(), daemon.BastionRequest{Machine: args[0], Port: port}, local, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
		ValidArgsFunction: virtualMachineNames(&p),
	}
	p.flags(cmd)
	cmd.Flags().Uint16Var(&port, "port", 0, "port of the machine")
	cmd.Flags().Uint16Var(&local, "local-port", 0, "port on this host (a free one)")
	return cmd
}

// visitor is a caller of Azure Bastion.
type visitor struct {
	client *daemon.Client
	token  string
}

func callBastion(ctx context.Context, p place) (visitor, error) {
	c, err := p.dial()
	if err != nil {
		return visitor{}, err
	}
	caller, err := mission.Caller(c)
	if err != nil {
		return visitor{}, err
	}
	token, err := caller.Token(ctx)
	return visitor{c, token}, err
}

func (v visitor) ssh(ctx context.Context, machine, user, identity string, s bastion.Session) (int, error) {
	asked := daemon.LoginRequest{BastionRequest: daemon.BastionRequest{Machine: machine, Port: 22}, Account: user}
	var key []byte
	var err error
	if identity != "" {
		key, err = os.ReadFile(identity)
	} else {
		key, asked.PublicKey, err = bastion.NewKey()
	}
	if err != nil {
		return 0, err
	}
	answer, err := v.client.Login(ctx, v.token, asked)
	if err != nil {
		return 0, err
	}
	conn, err := v.client.Connect(ctx, v.token, asked.BastionRequest)
	if err != nil {
		return 0, err
	}
	return bastion.Run(ctx, conn, bastion.Login{
		Account: answer.Account, PrivateKey: key, Certificate: answer.Certificate, HostKey: answer.HostKey,
	}, s)
}

func (v visitor) tunnel(ctx context.Context, r daemon.BastionRequest, local uint16, out, said io.Writer) error {
	answer, err := v.client.Login(ctx, v.token, daemon.LoginRequest{BastionRequest: r}) // it tells whether the caller may
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(local))))
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { l.Close() })
	fmt.Fprintf(out, "%s leads through %s to port %d of %s\n", l.Addr(), answer.Bastion, r.Port, r.Machine)
	if _, at, err := net.SplitHostPort(l.Addr().String()); err == nil && r.Port == 22 {
		fmt.Fprintf(out, "known_hosts: [127.0.0.1]:%s %s", at, answer.HostKey)
	}
	for {
		here, err := l.Accept()
		if err != nil {
			return unlessEnded(ctx, err)
		}
		go func() {
			defer here.Close()
			there, err := v.client.Connect(ctx, v.token, r)
			if err != nil {
				fmt.Fprintln(said, "cloister:", err)
				return
			}
			defer there.Close()
			stop := context.AfterFunc(ctx, func() { here.Close(); there.Close() })
			defer stop()
			daemon.Tunnel(here, there)
		}()
	}
}

// unlessEnded is an error, or none where it only says that the user has had enough.
func unlessEnded(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil
	}
	return err
}

func virtualMachineNames(p *place) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveDefault
		}
		return machineNames(cmd, *p), cobra.ShellCompDirectiveNoFileComp
	}
}
