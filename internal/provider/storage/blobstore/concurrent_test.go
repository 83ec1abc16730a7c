package blobstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/internal/provider/storage/blobstore"
)

// Many at once: whoever reads sees one whole version, whatever is written over it
// and swept away meanwhile.
func TestConcurrentUse(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	defer s.Close()
	if _, err := s.CreateContainer(ctx, blobstore.Container{Name: box}); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for range 60 {
				name := fmt.Sprint(rand.IntN(3))
				if err := useOne(s, name, byte('a'+worker)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if err := s.DeleteContainer(ctx, box, func(blobstore.Container) error { return nil }); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		files, err := filepath.Glob(filepath.Join(dir, "data", "*", "*"))
		if err == nil && len(files) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("left behind: %v, %v", files, err)
		}
	}
}

func useOne(s *blobstore.Store, name string, fill byte) error {
	switch rand.IntN(4) {
	case 0:
		err := s.DeleteBlob(ctx, box, name, always)
		if errors.Is(err, blobstore.ErrNoBlob) {
			err = nil
		}
		return err
	case 1, 2:
		return readWhole(s, name)
	}
	c, err := s.Receive(ctx, bytes.NewReader(bytes.Repeat([]byte{fill}, 1+rand.IntN(60_000))), 1<<20)
	if err != nil {
		return err
	}
	_, err = s.PutBlob(ctx, box, blobstore.Blob{Name: name}, c, always)
	return err
}

func readWhole(s *blobstore.Store, name string) error {
	b, r, err := s.Open(ctx, box, name)
	if errors.Is(err, blobstore.ErrNoBlob) {
		return nil
	}
	if err != nil {
		return err
	}
	defer r.Close()
	var got bytes.Buffer
	if err := r.WriteRange(ctx, &got, 0, b.Size); err != nil {
		return err
	}
	if bytes.Count(got.Bytes(), got.Bytes()[:1]) != int(b.Size) {
		return fmt.Errorf("blob %s is a mixture of versions", name)
	}
	return nil
}

func BenchmarkPutSmall(b *testing.B) { benchmarkPut(b, 1<<10) }
func BenchmarkPutLarge(b *testing.B) { benchmarkPut(b, 8<<20) }

func benchmarkPut(b *testing.B, size int) {
	s := open(b, b.TempDir())
	defer s.Close()
	if _, err := s.CreateContainer(ctx, blobstore.Container{Name: box}); err != nil {
		b.Fatal(err)
	}
	data := make([]byte, size)
	b.SetBytes(int64(size))
	for n := 0; b.Loop(); n++ {
		c, err := s.Receive(ctx, bytes.NewReader(data), 1<<30)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.PutBlob(ctx, box, blobstore.Blob{Name: fmt.Sprint(n % 100)}, c, always); err != nil {
			b.Fatal(err)
		}
	}
}
