package main

import (
	"context"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/spf13/cobra"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/acr"
	"github.com/cloister-ml/cloister/internal/image"
	"github.com/cloister-ml/cloister/internal/node"
	"github.com/cloister-ml/cloister/internal/sandbox"
	"github.com/cloister-ml/cloister/service"
)

// newNodeCommand runs a compute node. The cloud starts it in the node's network
// namespace; it is not for people.
func newNodeCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "node", Short: "Run a compute node", Hidden: true}
	var o nodeOptions
	run := &cobra.Command{
		Use:   "run",
		Short: "Take tasks from a workspace and run them, until the input ends",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runNode(cmd.Context(), o, cmd.InOrStdin()) },
	}
	f := run.Flags()
	f.StringVar(&o.host, "host", "", "host name of the workspace's API")
	f.StringVar(&o.compute, "compute", "", "id of the compute cluster")
	f.IntVar(&o.index, "node", 0, "number of the node, from 0")
	f.StringVar(&o.dir, "dir", "", "folder for tasks and sandboxes")
	f.StringVar(&o.images, "images", "", "folder of pulled images (default: images in --dir)")
	f.StringVar(&o.ca, "ca", "", "PEM file of the certificates to trust")
	for _, name := range []string{"host", "compute", "dir", "ca"} {
		_ = run.MarkFlagRequired(name) // the flag is there
	}
	cmd.AddCommand(run)
	return cmd
}

type nodeOptions struct {
	host, compute, dir, images, ca string
	index                          int
}

func runNode(ctx context.Context, o nodeOptions, input io.Reader) error {
	syscall.Umask(0o022) // an unprivileged job reads what is laid down for it
	cluster, err := arm.ParseID(o.compute)
	if err != nil {
		return err
	}
	link, err := node.NewLink(node.LinkConfig{
		Resolver: netip.AddrPortFrom(service.WireServer, 53),
		Metadata: "http://" + service.Metadata.String(),
		Roots:    o.ca,
	})
	if err != nil {
		return err
	}
	boxes, err := sandbox.Open(filepath.Join(o.dir, "boxes"))
	if err != nil {
		return err
	}
	if err := boxes.RemoveAll(ctx); err != nil {
		return err
	}
	if o.images == "" {
		o.images = filepath.Join(o.dir, "images")
	}
	n, err := node.New(link, node.Config{
		Host: o.host, Cluster: cluster, Index: o.index, Dir: o.dir, Roots: o.ca,
		NetNS:     "/proc/" + strconv.Itoa(os.Getpid()) + "/ns/net",
		Images:    nodeImages{store: image.Store{Dir: o.images}, link: link},
		Sandboxes: boxes,
		Log:       slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, input) // its end, however it comes, is what is waited for
		stop()
	}()
	return n.Run(ctx)
}

// nodeImages pulls images with the node's identity from the node's address.
type nodeImages struct {
	store image.Store
	link  *node.Link
}

func (i nodeImages) Pull(ctx context.Context, ref string) (node.Image, error) {
	token := func(ctx context.Context) (string, error) { return i.link.Token(ctx, acr.Audience) }
	pulled, err := i.store.Pull(ctx, ref,
		remote.WithTransport(i.link.Client().Transport),
		remote.WithAuthFromKeychain(acr.Keychain(i.link.Client(), token)))
	return node.Image{Layers: pulled.Layers, Env: pulled.Env}, err
}
