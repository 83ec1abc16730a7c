package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/internal/backup"
	"github.com/cloister-ml/cloister/internal/daemon"
	"github.com/cloister-ml/cloister/internal/durable"
)

func newBackupCommand() *cobra.Command {
	var p place
	var passphraseFile string
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write the whole cloud into one archive, while it runs",
		Long: `Write documents, keys, secrets, blobs, images, MLflow runs, and the DevOps organisation
into FILE, as they are at one instant ("-": the standard output). Changes wait while the
databases are copied. What is on the disks of machines is not in it: they are made anew.

Without --passphrase-file, who can read the archive has the cloud's keys and secrets.`,
		Example: `  sudo cloister backup --passphrase-file phrase.txt cloud.backup
  sudo cloister backup - | ssh safe 'cat > cloud.backup'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			phrase, err := readPassphrase(passphraseFile)
			if err != nil {
				return err
			}
			if phrase == "" {
				fmt.Fprintln(cmd.ErrOrStderr(), "cloister: the archive is not encrypted and holds the cloud's keys and secrets: keep it as safe as they are, or give --passphrase-file")
			}
			write := func(w io.Writer) (backup.Manifest, error) {
				return backup.Write(cmd.Context(), p.dir(), phrase, w)
			}
			if args[0] == "-" {
				_, err := write(cmd.OutOrStdout())
				return err
			}
			m, err := writeArchive(args[0], write)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %d files, %d bytes\n", args[0], len(m.Files), m.Size())
			for _, name := range m.LeftOut {
				fmt.Fprintf(cmd.ErrOrStderr(), "cloister: left out, for it is neither a file nor a folder: %s\n", name)
			}
			return nil
		},
	}
	p.flags(cmd)
	cmd.Flags().StringVar(&passphraseFile, "passphrase-file", "", "encrypt with the passphrase in this file")
	return cmd
}

// writeArchive writes a file whole or not at all, with mode 0600.
func writeArchive(name string, write func(io.Writer) (backup.Manifest, error)) (m backup.Manifest, err error) {
	r, w := io.Pipe()
	go func() {
		var failed error
		m, failed = write(w)
		w.CloseWithError(failed) // io.EOF where nil
	}()
	_, err = durable.WriteFrom(name, r, 0o600)
	r.CloseWithError(err) // so that the other side ends, however this one did
	return m, err
}

func newRestoreCommand() *cobra.Command {
	var p place
	var documents storeFlags
	var passphraseFile string
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Make a cloud again from an archive of backup",
		Long: `Make the cloud of FILE ("-": the standard input) in --data, which must be empty, after
the whole archive was verified; "cloister serve" or "up" then starts it. With --store or
--store-file, its documents go into PostgreSQL, wherever they were before.`,
		Example: `  sudo cloister restore --passphrase-file phrase.txt cloud.backup
  sudo cloister restore --name copy --store-file database.txt cloud.backup`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := daemon.Dial(p.dir()); err == nil {
				return fmt.Errorf("the cloud in %s runs: take it down first, or restore to another folder (--data)", p.dir())
			}
			phrase, err := readPassphrase(passphraseFile)
			if err != nil {
				return err
			}
			address, err := documents.read()
			if err != nil {
				return err
			}
			in := cmd.InOrStdin()
			if args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return err
				}
				defer f.Close()
				in = f
			}
			m, err := backup.Restore(cmd.Context(), p.dir(), address, phrase, in)
			if errors.Is(err, backup.ErrNotEmpty) {
				return fmt.Errorf("%w: take that cloud down (`cloister down`), or name another folder with --data", err)
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "restored to %s: %d files, %d bytes, as of %s\n", p.dir(), len(m.Files), m.Size(), m.Created.Format(time.RFC3339))
			return nil
		},
	}
	p.flags(cmd)
	documents.declare(cmd.Flags())
	cmd.Flags().StringVar(&passphraseFile, "passphrase-file", "", "the passphrase is in this file")
	return cmd
}

// readPassphrase is the first line of a file, "" where no file is named.
func readPassphrase(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	f, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("--passphrase-file: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxAddress))
	if err != nil {
		return "", fmt.Errorf("--passphrase-file: %w", err)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" {
		return "", fmt.Errorf("--passphrase-file: the first line of %s is empty", name)
	}
	return line, nil
}
