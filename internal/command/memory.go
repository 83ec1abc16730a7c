package command

import (
	"reflect"
	"runtime"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// firstCollection is how much memory a run may take before garbage is collected.
const firstCollection = 256 << 20

// collectLate lets a run go without collecting garbage until it has taken more than
// most ever do: it ends sooner than a collection is worth. From the first on,
// garbage is collected as always.
func collectLate() {
	percent := debug.SetGCPercent(-1)
	if percent < 0 {
		return // it goes late already, or without collections altogether
	}
	limit := debug.SetMemoryLimit(-1) // as it is
	debug.SetMemoryLimit(min(limit, firstCollection))
	takeHugePages()
	runtime.AddCleanup(&struct{ _ *int }{}, func(int) {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}, 0)
}

// Sizes of what takeHugePages asks for: as much as most runs take in all.
const (
	hugePage  = 2 << 20
	firstHeap = 32 << 20
)

// takeHugePages asks the kernel to back the memory that a run is about to take by
// huge pages. A run writes to nearly all of it once, and a fault for each 4 KiB of it
// is a fifth of the run. The heap grows by the memory that is asked for here, which
// nobody writes to, and has it to give to others once it is collected: there is next
// to nothing else to collect yet, so one processor does it sooner than two. Where the
// kernel has no huge pages, nothing is lost.
//
// Source: Linux kernel documentation, "Transparent Hugepage Support".
func takeHugePages() {
	first := reflect.ValueOf(make([]byte, firstHeap)).Pointer()
	aligned := (first + hugePage - 1) &^ (hugePage - 1)
	_, _, _ = unix.Syscall(unix.SYS_MADVISE, aligned, first+firstHeap-aligned, unix.MADV_HUGEPAGE) // advice
	processors := runtime.GOMAXPROCS(1)
	runtime.GC()
	runtime.GOMAXPROCS(processors)
}
