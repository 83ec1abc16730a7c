package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/cloister-ml/cloister/source/terraform"
	"github.com/cloister-ml/cloister/source/terraform/internal/oracle"
)

// recordingName is what a recording is called in its folder.
const recordingName = "recorded.json"

type options struct {
	update    bool
	verbose   bool
	vars      map[string]string
	terraform string
	providers []provider
	plan      string
	state     string
}

// provider is one that is built already.
type provider struct{ owner, name, version, binary string }

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o := options{vars: map[string]string{}}
	flags := flag.NewFlagSet("oracle", flag.ContinueOnError)
	flags.BoolVar(&o.update, "update", false, "write what was sent to DIR/"+recordingName)
	flags.BoolVar(&o.verbose, "v", false, "show what terraform says and which requests had no known answer")
	flags.StringVar(&o.terraform, "terraform", "terraform", "the terraform to run")
	flags.Func("provider", "a provider's binary, as OWNER/NAME@VERSION=BINARY", func(s string) error {
		source, binary, _ := strings.Cut(s, "=")
		name, version, _ := strings.Cut(source, "@")
		owner, name, _ := strings.Cut(name, "/")
		if owner == "" || name == "" || version == "" || binary == "" {
			return errors.New("write it as OWNER/NAME@VERSION=BINARY")
		}
		o.providers = append(o.providers, provider{owner, name, version, binary})
		return nil
	})
	flags.StringVar(&o.plan, "plan", "", "also write the plan as JSON to this file, packed where it ends with .gz")
	flags.StringVar(&o.state, "state", "", "also write the state as JSON to this file (NAME.json or NAME.json.gz), and the state file beside it as NAME.tfstate.json")
	flags.Func("var", "value of a variable, as name=value", func(s string) error {
		name, value, ok := strings.Cut(s, "=")
		if !ok {
			return errors.New("write it as name=value")
		}
		o.vars[name] = value
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if flags.NArg() == 0 || len(o.providers) == 0 {
		fmt.Fprintln(os.Stderr, "usage: oracle -provider OWNER/NAME@VERSION=BINARY... [-update] [-var NAME=VALUE]... DIR...")
		return 2
	}
	status := 0
	for _, dir := range flags.Args() {
		same, err := judge(ctx, dir, o)
		if err != nil {
			fmt.Fprintf(os.Stderr, "oracle: %s: %v\n", dir, err)
			return 2
		}
		if !same {
			status = 1
		}
	}
	return status
}

// judge applies one configuration and compares. It reports whether the estate is
// what was sent.
func judge(ctx context.Context, dir string, o options) (bool, error) {
	rec, err := oracle.Read(filepath.Join(dir, recordingName))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return false, err
	}
	config := filepath.Join(dir, rec.Config)
	rec.Vars = rec.Variables(o.vars)
	writes, err := apply(ctx, config, rec.Vars, o)
	if err != nil {
		return false, err
	}
	rec.Bodies, rec.Provider = oracle.Gather(writes), o.providers[0].name+" "+o.providers[0].version
	if o.update {
		if err := rec.Write(filepath.Join(dir, recordingName)); err != nil {
			return false, err
		}
	}
	estate, diags := terraform.Load(config, terraform.Options{Vars: rec.Vars, Secrets: true})
	if err := diags.Write(os.Stderr, 100, false); err != nil {
		return false, err
	}
	if diags.HasErrors() {
		return false, errors.New("the configuration is not read")
	}
	c := oracle.Compare(rec.Bodies, estate)
	for _, d := range c.Differences {
		fmt.Println(d)
	}
	fmt.Printf("%s: %d bodies sent, %d documents and %d fields compared, %d fields unknown, %d differences\n",
		dir, len(rec.Bodies), c.Documents, c.Fields, c.Unknown, len(c.Differences))
	return len(c.Differences) == 0, nil
}
