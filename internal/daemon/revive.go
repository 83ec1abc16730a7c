package daemon

import (
	"context"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/sandbox"
)

// A machine that was cut short starts again after a pause: a short one where it has
// run a while, and a longer one each time that it cannot be started.
const (
	revivePause   = 200 * time.Millisecond
	reviveLater   = 5 * time.Second
	reviveLongest = 30 * time.Second
	goodRun       = 10 * time.Second
)

// watch notices that a machine has ended. One that ended itself stays off until the
// next Start; one that was killed, or crashed, starts again as it was, as Azure starts
// a virtual machine whose host has failed.
func (m *machines) watch(id arm.ID, asked sandbox.Spec, sb *sandbox.Sandbox, started time.Time) {
	code, err := sb.Wait()
	m.d.log.Info("machine ended", "machine", id.Name(), "status", code, "error", err)
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.running.Load(id.Key())
	if !ok || b.(box).sandbox != sb {
		return // it was stopped
	}
	m.running.Delete(id.Key())
	if code == 0 && err == nil || m.closed {
		return
	}
	m.fallen[id.Key()] = sb
	pause := revivePause
	if time.Since(started) < goodRun {
		pause = reviveLater
	}
	time.AfterFunc(pause, func() { m.revive(id, asked, sb, 2*pause) })
}

// revive starts a machine again whose sandbox was sb, unless somebody has started or
// stopped it since.
func (m *machines) revive(id arm.ID, asked sandbox.Spec, sb *sandbox.Sandbox, pause time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed || m.isRunning(id) || m.fallen[id.Key()] != sb {
		return
	}
	if err := m.start(context.Background(), id, asked); err != nil {
		m.d.log.Warn("starting a machine again that was cut short", "machine", id.Name(), "error", err)
		time.AfterFunc(pause, func() { m.revive(id, asked, sb, min(2*pause, reviveLongest)) })
	}
}
