package sandbox

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// ids say which of the host's user and group ids a sandbox's own are: its n is the
// host's host+n, for n below size. The zero ids are a sandbox without a user
// namespace, whose root is the host's.
type ids struct{ host, size uint32 }

func (i ids) mapped() bool { return i.size > 0 }

// own reports whether the host's ids differ from the sandbox's.
func (i ids) own() bool { return i.mapped() && i.host != 0 }

// of is the host's id for one of the sandbox's.
func (i ids) of(id uint32) int { return int(i.host + i.within(id)) }

// within is the id that a process gets which asks for id: where only one is
// mapped, that one.
func (i ids) within(id uint32) uint32 {
	if i.mapped() && id >= i.size {
		return 0
	}
	return id
}

// The ranges come from the upper half of what container managers may take for
// themselves ("Users, Groups, UIDs and GIDs on systemd Systems", systemd.io), above
// what useradd gives to users as subordinate ids by default.
const (
	rangeSize  = 1 << 16
	firstRange = 1 << 30
	rangeCount = (1879048192 - firstRange) / rangeSize
)

// claimsDir holds a folder for every range in use, in which its sandbox's root is
// mounted: a user of the range must be able to get to the root, and to nothing
// else that is kept for the sandbox.
const claimsDir = "/run/cloister"

// claim is a range of ids that is in use.
type claim struct {
	ids ids
	dir string
}

// ownerName is the file in a claim that names the bundle that it is for.
const ownerName = "owner"

// takeRange claims a range for the sandbox whose bundle is in dir: wanted if it is
// free, and else one of its own.
func takeRange(dir string, wanted uint32) (claim, error) {
	sum := sha256.Sum256([]byte(dir))
	fresh := filepath.Join(claimsDir, fmt.Sprintf(".new-%x", sum[:8]))
	err := fs.ErrNotExist
	for range 100 { // who gives the last range back removes claimsDir
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err = os.MkdirAll(claimsDir, 0o711); err == nil {
			err = os.Mkdir(fresh, 0o710)
		}
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return claim{}, fmt.Errorf("taking user ids: %w", err)
	}
	if err := os.WriteFile(filepath.Join(fresh, ownerName), []byte(dir), 0o600); err != nil {
		return claim{}, fmt.Errorf("taking user ids: %w", err)
	}
	if wanted < firstRange || wanted%rangeSize != 0 {
		wanted = firstRange + binary.BigEndian.Uint32(sum[:])%rangeCount*rangeSize
	}
	for n := range uint32(rangeCount) {
		host := firstRange + (wanted-firstRange+n*rangeSize)%(rangeCount*rangeSize)
		c := claim{ids: ids{host, rangeSize}, dir: filepath.Join(claimsDir, strconv.FormatUint(uint64(host), 10))}
		if err := os.Lchown(fresh, 0, int(host)); err != nil {
			return claim{}, fmt.Errorf("taking user ids: %w", err)
		}
		// Renaming a folder over one that is not empty fails: who comes first has it.
		if os.Rename(fresh, c.dir) == nil {
			return c, os.WriteFile(filepath.Join(dir, "ids"), []byte(filepath.Base(c.dir)), 0o600)
		}
	}
	return claim{}, errors.Join(errors.New("taking user ids: every range is in use"), os.RemoveAll(fresh))
}

// claimOf is the claim of a bundle: the one that is written down in it, or the one
// whose owner it is, where a process was killed before it wrote.
func claimOf(dir string) (string, error) {
	candidates, err := filepath.Glob(filepath.Join(claimsDir, "*"))
	if err != nil {
		return "", err
	}
	if text, err := os.ReadFile(filepath.Join(dir, "ids")); err == nil {
		candidates = []string{filepath.Join(claimsDir, filepath.Base(string(text)))}
	}
	for _, c := range candidates {
		owner, err := os.ReadFile(filepath.Join(c, ownerName))
		if err == nil && string(owner) == dir {
			return c, nil
		}
	}
	return "", nil
}

// giveBack ends a bundle's claim.
func giveBack(dir string) error {
	at, err := claimOf(dir)
	if err != nil || at == "" {
		return err
	}
	if err := os.RemoveAll(at); err != nil {
		return fmt.Errorf("giving user ids back: %w", err)
	}
	_ = os.Remove(claimsDir) // refused while another sandbox has ids
	return nil
}

// ownerOf is whom a folder belongs to; 0 where there is none.
func ownerOf(dir string) uint32 {
	var st unix.Stat_t
	if unix.Lstat(dir, &st) != nil {
		return 0
	}
	return st.Uid
}

// shift gives what is below dir and belongs to one range to the same ids of
// another. Nothing runs in it meanwhile, and no link is followed.
func shift(dir string, from uint32, to ids) error {
	moved := func(id uint32) int {
		if id-from < to.size {
			return to.of(id - from)
		}
		return int(id)
	}
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return err
		}
		if err := os.Lchown(path, moved(st.Uid), moved(st.Gid)); err != nil {
			return err
		}
		if entry.Type().IsRegular() && st.Mode&(unix.S_ISUID|unix.S_ISGID) != 0 {
			return unix.Chmod(path, st.Mode&0o7777) // chown takes the set-id bits away
		}
		return nil
	})
}
