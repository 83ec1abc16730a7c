package mission

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/internal/daemon"
	"github.com/cloister-ml/cloister/internal/project"
	"github.com/cloister-ml/cloister/internal/provider/compute"
	"github.com/cloister-ml/cloister/internal/rootless"
)

// summarise verifies the claims and prints the summary. It reports whether all hold.
func (u *up) summarise(ctx context.Context) (bool, error) {
	var claims []Claim
	claimed := u.o.Run && u.project.Run != nil
	if claimed {
		err := u.j.do("verify", true, func() (string, error) {
			err := u.under.verify(ctx, func(c Claim) { claims = append(claims, c) })
			return fmt.Sprintf("%d claims", len(claims)), err
		})
		if err != nil {
			return false, err
		}
	}
	if err := u.j.Write(PhasesFile(u.o.Data)); err != nil {
		return false, err
	}
	held := WriteClaims(u.o.Out, claims)
	fmt.Fprintf(u.o.Out, "  time      %.1f s of Cloister's own, by phase in %s\n", u.j.own(), PhasesFile(u.o.Data))
	status, err := u.under.daemon.Status(ctx)
	if err != nil {
		return false, err
	}
	if err := errors.Join(WriteKept(u.o.Out, status.Resources, u.estate.Unread()), WriteNotes(u.o.Out, status.Notes)); err != nil {
		return false, err
	}
	for _, lack := range status.Mode.Lacks {
		if !slices.Contains(u.said, lack) {
			fmt.Fprintln(u.o.Out, "\nrootless: "+lack)
		}
	}
	u.hints()
	return held, nil
}

// withoutExtensions says of an estate that is up which scripts in it have failed. No
// pipeline is run: the scripts may have been to install the agents.
func (u *up) withoutExtensions(ctx context.Context) error {
	u.o.Run = false
	if _, err := u.summarise(ctx); err != nil {
		return err
	}
	for _, r := range u.failed {
		fmt.Fprintf(u.o.Out, "\nThe extension %s of %s has failed; all else is up.\n", r.ID.Name(), r.ID.Parent().Name())
		for line := range strings.Lines(r.Error) {
			fmt.Fprintln(u.o.Out, "  "+strings.TrimRight(line, "\n"))
		}
		u.suggest("Read what the script wrote, or mend it and bring the estate up again:",
			"exec%s "+r.ID.Parent().Name()+" -- cat "+compute.ScriptOutput+"/stderr",
			"up%s "+u.o.Dir)
	}
	return nil
}

// WriteClaims prints what was claimed and whether it is so.
func WriteClaims(w io.Writer, claims []Claim) (held bool) {
	held = true
	if len(claims) > 0 {
		fmt.Fprint(w, "\nWhat this run shows\n")
	}
	for _, c := range claims {
		mark := " "
		if !c.Holds {
			held, mark = false, "!"
		}
		fmt.Fprintf(w, "%s %-9s %s\n", mark, c.Name, c.Text)
	}
	return held
}

// hints say what to do next.
func (u *up) hints() {
	u.suggest(fmt.Sprintf("The cloud %s is running. Look around:", u.o.Name),
		"status%s                     what runs, and how far each document is real",
		"probe%s                      every place by every service, against the proof",
		"exec%s vm-jump -- bash       a shell in a machine",
		"logs%s                       telemetry kept by Application Insights",
		"down%s                       end it and leave nothing behind",
	)
}

// emptyHints says how the estate gets into a cloud that was started without it.
func (u *up) emptyHints() {
	u.suggest(fmt.Sprintf("The cloud %s is running, without the estate. Apply it with Terraform, or have it written:", u.o.Name),
		"env%s                        variables for terraform, az and the SDKs: eval \"$(cloister env)\"",
		"up%s DIR                     write the estate, and run the main job",
		"status%s                     what runs, and how far each document is real",
		"down%s                       end it and leave nothing behind",
	)
}

// Clouds is the folder that keeps clouds whose folder is not named: the system's as
// root, and else the user's (XDG Base Directory Specification).
func Clouds() string {
	home, err := os.UserHomeDir()
	if !rootless.Ordinary() || err != nil {
		return "/var/lib/cloister"
	}
	if data := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(data) {
		return filepath.Join(data, "cloister")
	}
	return filepath.Join(home, ".local/share/cloister")
}

// suggest prints commands, each with the flags that name this cloud at %s.
func (u *up) suggest(title string, lines ...string) {
	flags := ""
	if u.o.Name != "cloister" {
		flags += " --name " + u.o.Name
	}
	if u.o.Data != filepath.Join(Clouds(), u.o.Name) {
		flags += " --data " + u.o.Data
	}
	fmt.Fprintf(u.o.Out, "\n%s\n", title)
	for _, line := range lines {
		fmt.Fprintln(u.o.Out, "  cloister "+strings.Replace(line, "%s", flags, 1))
	}
}

// Verify checks the claims of a running cloud's project again.
func Verify(ctx context.Context, dir, data string, each func(Claim)) error {
	p, err := project.Read(dir)
	if err != nil {
		return err
	}
	d, err := daemon.Dial(data)
	if err != nil {
		return err
	}
	c, err := armClient(data, d.State)
	if err != nil {
		return err
	}
	return cloudUnder{daemon: d, arm: c, project: p}.verify(ctx, each)
}
