package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/internal/agent"
)

func newAgentCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "agent",
		Short: "Run jobs of Azure Pipelines on this machine",
		Long: `A self-hosted agent of Azure Pipelines. It is configured once, with a token that may
manage agent pools, and then waits for jobs: it only ever connects outward.

Its settings are beside the executable, unless --home names another folder.`,
		Example: `  CLOISTER_AGENT_TOKEN=... cloister agent configure --unattended --url https://dev.azure.com/contoso --auth pat --pool mlops
  cloister agent run
  cloister agent service install`,
	}
	var home string
	cmd.PersistentFlags().StringVar(&home, "home", "", "folder of the agent's settings (default: that of the executable)")
	cmd.PersistentPreRunE = func(*cobra.Command, []string) error {
		if home != "" {
			return nil
		}
		exe, err := os.Executable()
		home = filepath.Dir(exe)
		return err
	}
	cmd.AddCommand(agentConfigure(&home), agentRun(&home), agentRemove(&home), agentService(&home))
	return cmd
}

func agentConfigure(home *string) *cobra.Command {
	var c agent.Configuration
	var unattended bool
	var auth string
	cmd := &cobra.Command{
		Use:   "configure --url URL --pool POOL",
		Short: "Register this machine as an agent of a pool",
		Long: `Register this machine as an agent of a pool. The token is read from
CLOISTER_AGENT_TOKEN; --token does too, where other users cannot see this machine's
processes. The token is not kept: the agent makes a key of its own.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if auth != "pat" {
				return fmt.Errorf("--auth %s is not supported: pat", auth)
			}
			if c.Token == "" {
				c.Token = os.Getenv("CLOISTER_AGENT_TOKEN")
			}
			c.Home = *home
			s, err := agent.Configure(cmd.Context(), c)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "agent %s is in pool %s of %s\n", s.AgentName, s.PoolName, s.ServerURL)
			return nil
		},
	}
	f := cmd.Flags()
	f.BoolVar(&unattended, "unattended", false, "ask nothing (it never does)")
	f.StringVar(&c.URL, "url", "", "the organisation: https://dev.azure.com/ORGANISATION")
	f.StringVar(&auth, "auth", "pat", "how to authenticate: pat")
	f.StringVar(&c.Token, "token", "", "personal access token (better: CLOISTER_AGENT_TOKEN)")
	f.StringVar(&c.Pool, "pool", "Default", "agent pool")
	f.StringVar(&c.Name, "agent", "", "the agent's name (default: the machine's)")
	f.StringVar(&c.Work, "work", "_work", "folder of the jobs")
	f.BoolVar(&c.Replace, "replace", false, "take the place of an agent of the same name")
	return cmd
}

func agentRun(home *string) *cobra.Command {
	o := agent.Options{}
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Wait for jobs and run them, until interrupted",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Home = *home
			o.Log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			return agent.Run(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.Once, "once", false, "end after one job")
	return cmd
}

func agentRemove(home *string) *cobra.Command {
	var token string
	cmd := &cobra.Command{
		Use:   "remove",
		Short: "Take this machine out of its pool",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if token == "" {
				token = os.Getenv("CLOISTER_AGENT_TOKEN")
			}
			if token == "" {
				return errors.New("a token is needed: --token or CLOISTER_AGENT_TOKEN")
			}
			return agent.Remove(cmd.Context(), *home, token)
		},
	}
	cmd.Flags().StringVar(&token, "token", "", "personal access token (better: CLOISTER_AGENT_TOKEN)")
	return cmd
}

func agentService(home *string) *cobra.Command {
	cmd := &cobra.Command{Use: "service", Short: "Keep the agent running as a service of this machine"}
	var user string
	install := &cobra.Command{
		Use:   "install",
		Short: "Run the agent whenever this machine runs",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := agent.InstallService(*home, user)
			if err == nil {
				fmt.Fprintln(cmd.OutOrStdout(), text)
			}
			return err
		},
	}
	install.Flags().StringVar(&user, "user", "", "user to run as (default: root)")
	uninstall := &cobra.Command{
		Use:   "uninstall",
		Short: "Run the agent no more",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return agent.UninstallService(*home) },
	}
	cmd.AddCommand(install, uninstall)
	return cmd
}
