package command

import (
	"runtime"
	"runtime/debug"
)

// firstCollection is how much memory a run may take before garbage is collected.
const firstCollection = 256 << 20

// collectLate lets a run go without collecting garbage until it has taken more than
// most ever do: it ends sooner than a collection is worth. From the first on,
// garbage is collected as always.
func collectLate() {
	percent := debug.SetGCPercent(-1)
	limit := debug.SetMemoryLimit(-1) // as it is
	debug.SetMemoryLimit(min(limit, firstCollection))
	runtime.AddCleanup(&struct{ _ *int }{}, func(int) {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}, 0)
}
