package cloud

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/store"
)

// outcome is what an attempt came to.
type outcome struct {
	id      arm.ID
	version int64
	removed bool
	err     error
}

// settle writes outcomes to the store: as many as there are, in one change.
func (r *reconciler) settle() {
	for {
		var outs []outcome
		select {
		case <-r.ctx.Done():
			return
		case out := <-r.done:
			outs = append(outs, out)
		}
		for more := true; more; {
			select {
			case out := <-r.done:
				outs = append(outs, out)
			default:
				more = false
			}
		}
		if err := r.c.change(r.ctx, Caller{}, nil, func(d *draft) error { return r.record(d, outs) }); err != nil {
			r.c.log.Error("recording what was made real", "error", err)
			r.again(outs, err)
			continue
		}
		r.finish(outs)
	}
}

// again has the outcomes that could not be recorded worked out once more.
func (r *reconciler) again(outs []outcome, err error) {
	for i := range outs {
		outs[i].err = fmt.Errorf("its state could not be recorded: %w", err)
	}
	r.finish(outs)
}

// record writes the states that the outcomes lead to.
func (r *reconciler) record(d *draft, outs []outcome) error {
	for _, out := range outs {
		row := d.row(out.id)
		if row == nil || row.Version != out.version {
			continue // changed meanwhile: the next attempt says how it is
		}
		if out.err == nil && out.removed {
			d.remove(out.id)
			continue
		}
		next := *row
		next.Conditions = []store.Condition{readiness(row, out.err, d.now)}
		switch {
		case out.err == nil:
			next.State, next.Applied = store.Succeeded, out.version
		case r.givesUp(out):
			next.State = store.Failed
		}
		if next.State == row.State && next.Applied == row.Applied && len(row.Conditions) == 1 && row.Conditions[0] == next.Conditions[0] {
			continue
		}
		if row.State == store.Deleting && next.State == store.Failed {
			d.write(&next) // it could not be removed, so it is there again
			continue
		}
		d.mark(&next)
	}
	return nil
}

func readiness(row *store.Row, err error, now time.Time) store.Condition {
	cond := store.Condition{Type: "Ready", Status: err == nil, Since: now}
	if err != nil {
		cond.Reason = reasonOf(err)
		cond.Message = strings.TrimPrefix(err.Error(), cond.Reason+": ")
	}
	for _, was := range row.Conditions {
		if was.Type == cond.Type && was.Status == cond.Status && was.Reason == cond.Reason {
			cond.Since = was.Since
		}
	}
	return cond
}

func reasonOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return "ProvisioningFailed"
}

// givesUp reports whether the failure is to be shown: it is for good, or has
// lasted.
func (r *reconciler) givesUp(out outcome) bool {
	if errors.Is(out.err, ErrPermanent) {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	t, ok := r.tasks[out.id.Key()]
	return ok && r.hopeless(t)
}

// hopeless reports whether nobody should wait for the task any longer. The
// caller holds r.mu.
func (r *reconciler) hopeless(t *task) bool {
	return t.stopped || !t.since.IsZero() && r.c.now().Sub(t.since) > r.c.options.GiveUp
}
