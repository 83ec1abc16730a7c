package command

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/check"
	"github.com/cloister-ml/cloister/report"
	"github.com/cloister-ml/cloister/report/floorplan"
	"github.com/cloister-ml/cloister/source"
)

type graphFlags struct {
	format string
	output string
	title  string
	check  bool
	estate EstateFlags
}

func newGraphCommand() *cobra.Command {
	var f graphFlags
	cmd := &cobra.Command{
		Use:   "graph SOURCE",
		Short: "Draw the estate as a map",
		Long: `graph reads SOURCE (a directory of Terraform, or what else "cloister help sources"
names) and draws the estate: virtual networks as rooms with their subnets and what stands in each, private endpoints with lines to their
services, peerings, gateways and what is beyond them, and a table of the private DNS
zones and the networks in which they answer.

svg is a drawing that stands alone: no scripts, no fonts or images from elsewhere,
and colours for bright and for dark screens. dot is for Graphviz. json is the same
plan as nodes (network, subnet, tenant, service, zone, outside) and edges (peering,
endpoint, link, record, way). The same estate always gives the same bytes.

With --check the findings of cloister check are drawn on it: a flow that falls is a
red line, and what decides has the finding's number.

The status is 0, also where a requirement falls (that is check's to say), or 2 when
SOURCE cannot be read.`,
		Example: `  cloister graph examples/secure-mlops -o map.svg
  cloister graph examples/secure-mlops --check -o map.svg
  cloister graph . --var location=northeurope --title "Production" -o map.svg
  cloister graph . --format dot | dot -Tpdf -o map.pdf
  cloister graph . --format json | jq '.nodes[] | select(.kind == "service")'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runGraph(cmd, args[0], f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.format, "format", "svg", "svg, dot or json")
	flags.StringVarP(&f.output, "output", "o", "", "file to write; standard output where none is given")
	flags.StringVar(&f.title, "title", "", "title of the map; the directory's name where none is given")
	flags.BoolVar(&f.check, "check", false, "draw on it what cloister check finds")
	f.estate.Declare(flags)
	return cmd
}

// graphWriters are the formats of graph.
var graphWriters = map[string]func(io.Writer, *floorplan.Plan) error{
	"svg": floorplan.SVG, "dot": floorplan.DOT, "json": floorplan.JSON,
}

func runGraph(cmd *cobra.Command, path string, f graphFlags) error {
	out := cmd.OutOrStdout()
	write, ok := graphWriters[f.format]
	if !ok {
		return fmt.Errorf("--format is svg, dot or json, not %q", f.format)
	}
	if err := f.estate.fits(path); err != nil {
		return err
	}
	e, err := f.estate.read(cmd, path)
	if err != nil {
		return err
	}
	plan := floorplan.Read(e, cmp.Or(f.title, mapTitle(path)))
	if f.check {
		report.OnMap(plan, check.Prove(e, check.Options{}), reportOptions(out))
	}
	if f.output == "" {
		return write(out, plan)
	}
	var b bytes.Buffer
	if err := write(&b, plan); err != nil {
		return err
	}
	if err := os.WriteFile(f.output, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("writing the map: %w", err)
	}
	return nil
}

// mapTitle is what a directory or a file is called, also where it is given as ".".
func mapTitle(path string) string {
	if path == source.Stdin {
		return ""
	}
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	name := filepath.Base(path)
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		name = strings.TrimSuffix(name, filepath.Ext(name))
	}
	return name
}
