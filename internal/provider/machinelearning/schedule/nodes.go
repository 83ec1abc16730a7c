package schedule

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cloister-ml/cloister/arm"
)

// NodeState of a compute node.
type NodeState string

// The states of a node.
const (
	Starting NodeState = "starting" // asked for, and not heard of yet
	Idle     NodeState = "idle"
	Busy     NodeState = "running"
	Leaving  NodeState = "leaving"
)

// Node is a compute node.
type Node struct {
	Cluster arm.ID
	N       int
	State   NodeState
	Since   time.Time // in that state
	Seen    time.Time // last heard of
}

// Scale is how a cluster may grow and shrink.
type Scale struct {
	Min, Max int
	Idle     time.Duration // before a node is given up
	Silence  time.Duration // after which a node is taken for lost
}

// Resize is what to do about a cluster's nodes.
type Resize struct {
	Start, Stop []int
}

// PlanNodes says which nodes to start and to stop, for a number of jobs that wait.
func PlanNodes(nodes []Node, queued int, s Scale, now time.Time) Resize {
	var r Resize
	var idle []Node
	busy, coming := 0, 0
	taken := map[int]bool{}
	for _, n := range nodes {
		taken[n.N] = true
		switch {
		case n.State == Leaving, now.Sub(n.Seen) > s.Silence:
			r.Stop = append(r.Stop, n.N)
		case n.State == Busy:
			busy++
		case n.State == Starting:
			coming++
		default:
			idle = append(idle, n)
		}
	}
	have := busy + coming + len(idle)
	want := min(max(busy+queued, s.Min), s.Max)
	for n := 0; n < s.Max && have < want; n++ {
		if !taken[n] {
			r.Start = append(r.Start, n)
			have++
		}
	}
	slices.SortFunc(idle, func(a, b Node) int { return b.N - a.N }) // the highest goes first
	for _, n := range idle {
		spare := have > max(s.Min, busy+queued)
		if have > s.Max || spare && now.Sub(n.Since) >= s.Idle {
			r.Stop = append(r.Stop, n.N)
			have--
		}
	}
	slices.Sort(r.Stop)
	return r
}

// Queued counts the jobs that wait for a node of a cluster.
func (s *Store) Queued(ctx context.Context, cluster arm.ID) (n int, err error) {
	err = s.db.View(ctx, func(tx *sql.Tx) error {
		return tx.QueryRow("SELECT count(*) FROM jobs WHERE state = 'Queued' AND lower(cluster) = ?", cluster.Key()).Scan(&n)
	})
	return n, err
}

// Nodes lists a cluster's nodes, or with "" every cluster's.
func (s *Store) Nodes(ctx context.Context, cluster arm.ID) (out []Node, err error) {
	err = s.db.View(ctx, func(tx *sql.Tx) error {
		rows, err := tx.Query("SELECT cluster_id, n, state, since, seen FROM nodes WHERE ?1 = '' OR cluster = ?1 ORDER BY cluster, n", cluster.Key())
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var n Node
			var since, at int64
			if err := rows.Scan(&n.Cluster, &n.N, &n.State, &since, &at); err != nil {
				return err
			}
			n.Since, n.Seen = instant(since), instant(at)
			out = append(out, n)
		}
		return rows.Err()
	})
	return out, err
}

// NodeStarting notes that a node has been asked for.
func (s *Store) NodeStarting(ctx context.Context, cluster arm.ID, n int, now time.Time) error {
	return s.db.Update(ctx, func(tx *sql.Tx) error {
		return setNode(tx, cluster, n, Starting, now)
	})
}

// NodeLeaving keeps new jobs from a node. ok is false when it has a job by now.
func (s *Store) NodeLeaving(ctx context.Context, cluster arm.ID, n int, now time.Time) (ok bool, err error) {
	err = s.db.Update(ctx, func(tx *sql.Tx) error {
		var jobs int
		err := tx.QueryRow("SELECT count(*) FROM jobs WHERE lower(cluster) = ? AND node = ? AND lease != '' AND lease_until >= ? AND "+live, cluster.Key(), n, millis(now)).Scan(&jobs)
		if err != nil || jobs > 0 {
			return err
		}
		ok = true
		return setNode(tx, cluster, n, Leaving, now)
	})
	return ok, err
}

// NodeGone forgets a node.
func (s *Store) NodeGone(ctx context.Context, cluster arm.ID, n int) error {
	return s.db.Update(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec("DELETE FROM nodes WHERE cluster = ? AND n = ?", cluster.Key(), n)
		return err
	})
}

func setNode(tx *sql.Tx, cluster arm.ID, n int, state NodeState, now time.Time) error {
	_, err := tx.Exec(`INSERT INTO nodes (cluster, cluster_id, n, state, since, seen) VALUES (?,?,?,?,?,?)
		ON CONFLICT (cluster, n) DO UPDATE SET since = iif(state = excluded.state, since, excluded.since), state = excluded.state, seen = excluded.seen`,
		cluster.Key(), string(cluster), n, string(state), millis(now), millis(now))
	return err
}

// seen notes a sign of life. stay is false when the node is to go; a node that is
// not known is refused.
func seen(tx *sql.Tx, cluster arm.ID, n int, now time.Time) (stay bool, err error) {
	var state NodeState
	err = tx.QueryRow("SELECT state FROM nodes WHERE cluster = ? AND n = ?", cluster.Key(), n).Scan(&state)
	if errors.Is(err, sql.ErrNoRows) {
		return false, fmt.Errorf("%w: %d of %s", ErrNoNode, n, cluster.Name())
	}
	if err != nil || state == Leaving {
		return false, err
	}
	// Whether it works or is idle, its leases say.
	var jobs int
	err = tx.QueryRow("SELECT count(*) FROM jobs WHERE lower(cluster) = ? AND node = ? AND lease != '' AND lease_until >= ? AND "+live, cluster.Key(), n, millis(now)).Scan(&jobs)
	if err != nil {
		return false, err
	}
	if jobs == 0 {
		return true, setNode(tx, cluster, n, Idle, now)
	}
	return true, setNode(tx, cluster, n, Busy, now)
}

// ErrNoNode says that a node is not one that was asked for.
var ErrNoNode = errors.New("no such node")
