package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/internal/command"
	"github.com/cloister-ml/cloister/internal/daemon"
)

// maxPasswordLine bounds what is read from standard input.
const maxPasswordLine = 1024

// passwordFor is one that is read, or a new one of 120 random bits.
func passwordFor(cmd *cobra.Command, fromStdin bool) (string, error) {
	if !fromStdin {
		random := make([]byte, 15)
		rand.Read(random) // does not fail
		return base64.RawURLEncoding.EncodeToString(random), nil
	}
	data, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), maxPasswordLine))
	if err != nil {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" {
		return "", errors.New("there is no password on standard input")
	}
	return line, nil
}

func createUser(cmd *cobra.Command, p *place, name string, fromStdin bool) error {
	c, err := p.dial()
	if err != nil {
		return err
	}
	password, err := passwordFor(cmd, fromStdin)
	if err != nil {
		return err
	}
	made, err := c.NewUser(cmd.Context(), daemon.NewUser{Name: name, Password: password})
	if err != nil {
		return err
	}
	shown := map[string]string{"userPrincipalName": made.Name, "objectId": made.ObjectID}
	if !fromStdin {
		shown["password"] = password
	}
	return command.WriteJSON(cmd.OutOrStdout(), shown)
}

func newPasswordCommand(p *place) *cobra.Command {
	var fromStdin bool
	cmd := &cobra.Command{
		Use:   "password USER",
		Short: "Give a user another password, and print it once; the sessions before it end",
		Example: `  sudo cloister principal password ada
  sudo cloister principal password ada --password-stdin < password.txt`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := p.dial()
			if err != nil {
				return err
			}
			password, err := passwordFor(cmd, fromStdin)
			if err != nil {
				return err
			}
			if err := c.SetUserPassword(cmd.Context(), daemon.NewUser{Name: args[0], Password: password}); err != nil || fromStdin {
				return err
			}
			return command.WriteJSON(cmd.OutOrStdout(), map[string]string{"password": password})
		},
	}
	cmd.Flags().BoolVar(&fromStdin, "password-stdin", false, "read the password from standard input")
	return cmd
}

func newApproveCommand(p *place) *cobra.Command {
	var user string
	cmd := &cobra.Command{
		Use:   "approve CODE --user USER",
		Short: "Let the program that shows a device code in as a user",
		Long: `Let the program that shows a device code, as "az login --use-device-code" does, in as
a user, without the user's password: who may run this may do everything.`,
		Example: `  sudo cloister principal approve BCDFGHJKL --user ada`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := p.dial()
			if err != nil {
				return err
			}
			client, err := c.ApproveDevice(cmd.Context(), args[0], user)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is signed in as %s.\n", client, user)
			return nil
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "who signs in")
	_ = cmd.MarkFlagRequired("user") // fails only for a flag that is not there
	return cmd
}
