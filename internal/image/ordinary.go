package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/klauspost/compress/zstd"
)

// sharedDir is where root may leave archives of base roots for the other users of a
// machine.
const sharedDir = "/var/cache/cloister"

// ordinaryBase makes the base root in dir without root's rights: of the archive that
// root has left, and else with mmdebstrap, which then needs subordinate user ids. All
// of it belongs to the user, who has one id to give.
func ordinaryBase(ctx context.Context, suite, archive, dir string) error {
	f, err := os.Open(archive)
	if err == nil {
		defer f.Close()
		return unpackArchive(f, dir)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("opening the base root that is left for users: %w", err)
	}
	cmd := mmdebstrap(ctx, "tar", suite, "-")
	out, w := io.Pipe()
	cmd.Stdout = w
	said := &end{}
	cmd.Stderr = said
	unpacked := make(chan error, 1)
	go func() {
		err := untar(out, dir, maxLayer)
		_, _ = io.Copy(io.Discard, out) // what pads the archive
		unpacked <- err
	}()
	err = cmd.Run()
	w.Close()
	if failed := <-unpacked; err == nil {
		return failed
	}
	return fmt.Errorf(`an ordinary user cannot build the base root here: %w: %s
Either have root run "cloister up" once and leave what that built to all users:
  sudo sh -c 'install -D -m 644 -t %s ~root/.cache/cloister/base-*.tar.zst'
or install uidmap and have a range of user ids in /etc/subuid and /etc/subgid (subuid(5)), which mmdebstrap uses`, err, said.text(), sharedDir)
}

func unpackArchive(r io.Reader, dir string) error {
	zr, err := zstd.NewReader(r)
	if err != nil {
		return err
	}
	defer zr.Close()
	if err := untar(zr, dir, maxLayer); err != nil {
		return fmt.Errorf("unpacking the base root: %w", err)
	}
	return nil
}
