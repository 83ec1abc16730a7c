package cloud

import (
	"net/http"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

const typeLock = "Microsoft.Authorization/locks"

// unlocked refuses what a management lock forbids: CanNotDelete the deletion of
// its scope and of everything below it, ReadOnly every change and every action
// there as well. What is above a locked scope cannot be deleted either, since its
// deletion would take the scope with it. Locks themselves are held by no lock.
//
// Source: Microsoft Learn, "Lock your Azure resources to protect your
// infrastructure".
func (q *request) unlocked(id arm.ID) error {
	if q.r.Method == http.MethodGet || q.r.Method == http.MethodHead || strings.EqualFold(id.Type(), typeLock) {
		return nil
	}
	deleting := q.r.Method == http.MethodDelete
	for _, lock := range q.at.docs.locks() {
		scope := lock.ID.Parent()
		level := arm.String(lock.Properties, "level")
		readOnly := strings.EqualFold(level, "ReadOnly")
		if !readOnly && !deleting {
			continue
		}
		if id.Within(scope) || deleting && scope.Within(id) {
			return conflict("ScopeLocked",
				"The scope '%s' cannot perform %s operation because following scope(s) are locked: '%s'. Please remove the lock and try again.", id, verb(q.r.Method), scope)
		}
	}
	return nil
}

// mayChange refuses what the caller may not do at the id, or a lock forbids.
func (q *request) mayChange(action string, id arm.ID) error {
	if err := q.may(action, id); err != nil {
		return err
	}
	if err := q.undeniedBelow(id); err != nil {
		return err
	}
	return q.unlocked(id)
}
