package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/internal/mlclient"
	"github.com/cloister-ml/cloister/internal/mlclient/spec"
)

// mlKind is a kind of asset: what it is called, and how one is made.
type mlKind struct {
	use, collection, short string
	path, typ              string // properties that say where it is and of which type
	// create reads what is to be made, and gives what makes it.
	create func(f *mlFile, o mlAsset) (mlMake, error)
}

// mlMake registers one version.
type mlMake func(ctx context.Context, c *mlclient.Client) (mlclient.Document, error)

// mlAsset are the options of create beside the file.
type mlAsset struct{ name, version, path, typ string }

var mlKinds = []mlKind{
	{"model", "models", "Register and list models", "modelUri", "modelType", createMLModel},
	{"data", "data", "Register and list data assets", "dataUri", "dataType", createMLData},
	{"environment", "environments", "Register and list environments", "image", "environmentType", createMLEnvironment},
}

func newMLAssetCommand(m *mlOptions, kind mlKind) *cobra.Command {
	cmd := &cobra.Command{Use: kind.use, Short: kind.short}
	cmd.AddCommand(newMLAssetList(m, kind), newMLAssetShow(m, kind), newMLAssetCreate(m, kind))
	return cmd
}

func newMLAssetList(m *mlOptions, kind mlKind) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use: "list", Short: "List them, or with --name the versions of one", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := m.client(cmd.Context())
			if err != nil {
				return err
			}
			if name == "" {
				all, err := c.Assets(cmd.Context(), kind.collection)
				if err != nil {
					return err
				}
				return m.showAll(cmd, all, []string{"NAME", "LATEST", "CREATED"}, func(d mlclient.Document) []string {
					return []string{d.Name, d.Text("latestVersion"), createdAt(d)}
				})
			}
			all, err := c.Versions(cmd.Context(), kind.collection, name)
			if err != nil {
				return err
			}
			return m.showAll(cmd, all, []string{"NAME", "VERSION", "TYPE", "CREATED"}, func(d mlclient.Document) []string {
				return []string{name, d.Name, d.Text(kind.typ), createdAt(d)}
			})
		},
	}
	cmd.Flags().StringVarP(&name, "name", "n", "", "list the versions of this one")
	return cmd
}

func newMLAssetShow(m *mlOptions, kind mlKind) *cobra.Command {
	var name, version string
	cmd := &cobra.Command{
		Use: "show -n NAME", Short: "Show a version", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := m.client(cmd.Context())
			if err != nil {
				return err
			}
			d, err := c.Version(cmd.Context(), kind.collection, name, version)
			if err != nil {
				return err
			}
			return m.show(cmd, d, kind.print)
		},
	}
	nameFlag(cmd, &name, kind.use)
	cmd.Flags().StringVarP(&version, "version", "v", "", "version (default: the latest)")
	return cmd
}

// print shows a version.
func (k mlKind) print(w io.Writer, d mlclient.Document) error {
	pairs := [][2]string{
		{"Name", d.ID.Parent().Name()}, {"Version", d.Name}, {"Type", d.Text(k.typ)}, {"Path", d.Text(k.path)},
		{"Description", d.Text("description")}, {"Job", d.Text("jobName")}, {"Created", createdAt(d)},
	}
	if k.use == "environment" {
		pairs[3] = [2]string{"Image", d.Text("image")}
	}
	tags, _ := d.Properties["tags"].(map[string]any)
	for _, name := range sortedNames(tags) {
		pairs = append(pairs, [2]string{"Tag " + name, fmt.Sprint(tags[name])})
	}
	return mlDetails(w, pairs...)
}

func newMLAssetCreate(m *mlOptions, kind mlKind) *cobra.Command {
	var file mlFile
	var o mlAsset
	cmd := &cobra.Command{
		Use: "create", Short: "Register a version", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			create, err := kind.create(&file, o)
			if err != nil {
				return err
			}
			c, err := m.client(cmd.Context())
			if err != nil {
				return err
			}
			d, err := create(cmd.Context(), c)
			if err != nil {
				return err
			}
			return m.show(cmd, d, kind.print)
		},
	}
	file.flags(cmd, kind.use == "environment")
	cmd.Flags().StringVarP(&o.name, "name", "n", "", "name (default: the file's)")
	cmd.Flags().StringVarP(&o.version, "version", "v", "", "version (default: the file's, or the next)")
	if kind.use != "environment" {
		cmd.Flags().StringVarP(&o.path, "path", "p", "", "file, folder or azureml:// path, without a YAML file")
		cmd.Flags().StringVarP(&o.typ, "type", "t", "", "type, without a YAML file")
	}
	return cmd
}

// read gives an asset from the file, or from the options alone.
func (o mlAsset) read(f *mlFile, typ string, read func(string, ...spec.Change) (spec.Asset, error)) (spec.Asset, error) {
	changes, err := f.changes()
	if err != nil {
		return spec.Asset{}, err
	}
	a := spec.Asset{Path: spec.Path{Text: o.path, Dir: "."}, Type: typ}
	switch {
	case f.path != "":
		if a, err = read(f.path, changes...); err != nil {
			return a, err
		}
	case o.path == "" || o.name == "":
		return a, fmt.Errorf("give a YAML file with -f, or --name and --path")
	}
	if o.name != "" {
		a.Name = o.name
	}
	if o.version != "" {
		a.Version = o.version
	}
	if o.typ != "" {
		a.Type = o.typ
	}
	return a, nil
}

func createMLModel(f *mlFile, o mlAsset) (mlMake, error) {
	a, err := o.read(f, "custom_model", spec.ReadModel)
	return func(ctx context.Context, c *mlclient.Client) (mlclient.Document, error) { return c.CreateModel(ctx, a) }, err
}

func createMLData(f *mlFile, o mlAsset) (mlMake, error) {
	a, err := o.read(f, "uri_folder", spec.ReadData)
	return func(ctx context.Context, c *mlclient.Client) (mlclient.Document, error) { return c.CreateData(ctx, a) }, err
}

func createMLEnvironment(f *mlFile, o mlAsset) (mlMake, error) {
	changes, err := f.changes()
	if err != nil {
		return nil, err
	}
	e, err := spec.ReadEnvironment(f.path, changes...)
	if err != nil {
		return nil, err
	}
	if o.name != "" {
		e.Name = o.name
	}
	if o.version != "" {
		e.Version = o.version
	}
	return func(ctx context.Context, c *mlclient.Client) (mlclient.Document, error) {
		return c.CreateEnvironment(ctx, e)
	}, nil
}

func newMLComputeCommand(m *mlOptions) *cobra.Command {
	cmd := &cobra.Command{Use: "compute", Short: "Show compute clusters"}
	list := &cobra.Command{
		Use: "list", Short: "List compute clusters", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := m.client(cmd.Context())
			if err != nil {
				return err
			}
			all, err := c.Assets(cmd.Context(), "computes")
			if err != nil {
				return err
			}
			return m.showAll(cmd, all, []string{"NAME", "TYPE", "SIZE", "MIN", "MAX", "NODES", "STATE"}, computeRow)
		},
	}
	var name string
	show := &cobra.Command{
		Use: "show -n CLUSTER", Short: "Show a compute cluster", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := m.client(cmd.Context())
			if err != nil {
				return err
			}
			d, err := c.Compute(cmd.Context(), name)
			if err != nil {
				return err
			}
			return m.show(cmd, d, printCompute)
		},
	}
	nameFlag(show, &name, "cluster")
	cmd.AddCommand(list, show)
	return cmd
}

func computeRow(d mlclient.Document) []string {
	p := func(name string) string { return d.Text("properties." + name) }
	return []string{d.Name, d.Text("computeType"), p("vmSize"), p("scaleSettings.minNodeCount"), p("scaleSettings.maxNodeCount"), p("currentNodeCount"), p("allocationState")}
}

func printCompute(w io.Writer, d mlclient.Document) error {
	p := func(name string) string { return d.Text("properties." + name) }
	return mlDetails(w,
		[2]string{"Name", d.Name}, [2]string{"Type", d.Text("computeType")}, [2]string{"Size", p("vmSize")},
		[2]string{"Nodes", p("currentNodeCount") + " of " + p("scaleSettings.minNodeCount") + " to " + p("scaleSettings.maxNodeCount")},
		[2]string{"State", p("allocationState")}, [2]string{"Idle, running, starting", p("nodeStateCounts.idleNodeCount") + ", " + p("nodeStateCounts.runningNodeCount") + ", " + p("nodeStateCounts.preparingNodeCount")},
		[2]string{"Subnet", p("subnet.id")}, [2]string{"Error", p("errors.0.error.message")})
}
