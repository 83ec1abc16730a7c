package daemon

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Output writes what a machine's services and its console have said, each line
// after the name of who said it; with follow also what they say from then on, until
// ctx ends. Of what was said before it writes the last lines of each.
func Output(ctx context.Context, c *Client, name string, last int, follow bool, w io.Writer) error {
	s, err := c.Status(ctx)
	if err != nil {
		return err
	}
	var known []string
	for _, m := range s.Machines {
		if m.Sandbox == "" {
			continue
		}
		if m.Name == name {
			o := output{dir: filepath.Join(c.dir, "machines", m.Sandbox), w: w, last: last, files: map[string]*followed{}}
			return o.run(ctx, follow)
		}
		known = append(known, m.Name)
	}
	return fmt.Errorf("there is no machine %q; there are %s", name, strings.Join(known, ", "))
}

const (
	followEvery = 250 * time.Millisecond
	maxLine     = 64 << 10
	// maxTail bounds what is read of a file that was there before.
	maxTail = 4 << 20
)

// output follows the files of one machine.
type output struct {
	dir   string
	w     io.Writer
	last  int
	files map[string]*followed
}

// followed is a file as far as it has been read.
type followed struct {
	inode   uint64
	offset  int64
	partial []byte
}

func (o *output) run(ctx context.Context, follow bool) error {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		if err := o.read(!follow); err != nil || !follow {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// read writes what is new in all files; at the end also a line that has no end.
func (o *output) read(end bool) error {
	if err := o.one("console", o.dir, "console.log", end); err != nil {
		return err
	}
	services, err := fs.ReadDir(os.DirFS(o.dir), "disk/etc/cloister/services.d")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range services {
		if name, ok := strings.CutSuffix(e.Name(), ".json"); ok {
			if err := o.one(name, filepath.Join(o.dir, "disk"), "var/log/"+name+".log", end); err != nil {
				return err
			}
		}
	}
	return nil
}

// one writes what is new in a file below a folder. The disk is the machine's: a
// link out of it, or a file that is none, is not followed.
func (o *output) one(name, root, path string, end bool) error {
	r, err := os.OpenRoot(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer r.Close()
	f, err := r.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil // it has said nothing yet, or what is there is no file of a log
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	at := o.files[name]
	inode := info.Sys().(*syscall.Stat_t).Ino
	switch {
	case at == nil:
		at = &followed{inode: inode}
		if at.offset, err = tailOffset(f, info.Size(), o.last); err != nil {
			return err
		}
		o.files[name] = at
	case at.inode != inode || info.Size() < at.offset: // it was set aside, or emptied
		*at = followed{inode: inode}
	}
	return o.copy(name, f, at, end)
}

func (o *output) copy(name string, f *os.File, at *followed, end bool) error {
	if _, err := f.Seek(at.offset, io.SeekStart); err != nil {
		return err
	}
	lines := bufio.NewReaderSize(f, maxLine)
	for {
		part, err := lines.ReadSlice('\n')
		at.offset += int64(len(part))
		at.partial = append(at.partial, part...)
		whole := err == nil || len(at.partial) >= maxLine || end && len(at.partial) > 0 && errors.Is(err, io.EOF)
		if whole {
			if _, werr := fmt.Fprintf(o.w, "%-10s %s\n", name, bytes.TrimRight(at.partial, "\r\n")); werr != nil {
				return werr
			}
			at.partial = at.partial[:0]
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
}

// tailOffset is where the last n lines of a file begin.
func tailOffset(f io.ReaderAt, size int64, n int) (int64, error) {
	start := max(0, size-maxTail)
	data := make([]byte, size-start)
	if _, err := f.ReadAt(data, start); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	i := len(data)
	for range n + 1 {
		if i <= 0 {
			break
		}
		i = bytes.LastIndexByte(data[:i], '\n')
	}
	if i < 0 {
		return start, nil
	}
	return start + int64(min(i+1, len(data))), nil
}
