package store

import (
	"context"
	"database/sql"
	"fmt"
)

// migrations bring an older file to this version, one step each. A step that
// was released is never changed; PRAGMA user_version counts those done.
var migrations = []string{
	`CREATE TABLE resources (
		key        TEXT PRIMARY KEY, -- lower-case id
		document   BLOB NOT NULL,    -- arm.Resource as JSON
		extra      BLOB NOT NULL,
		version    INTEGER NOT NULL,
		applied    INTEGER NOT NULL,
		state      TEXT NOT NULL,
		conditions BLOB NOT NULL,
		created    INTEGER NOT NULL, -- microseconds since 1970, as every time here
		created_by TEXT NOT NULL,
		changed    INTEGER NOT NULL,
		changed_by TEXT NOT NULL
	) STRICT;
	CREATE TABLE activity (
		n           INTEGER PRIMARY KEY,
		time        INTEGER NOT NULL,
		caller      TEXT NOT NULL,
		app         TEXT NOT NULL,
		action      TEXT NOT NULL,
		scope       TEXT NOT NULL,
		allowed     INTEGER NOT NULL,
		status      INTEGER NOT NULL,
		correlation TEXT NOT NULL,
		source      TEXT NOT NULL,
		reason      TEXT NOT NULL
	) STRICT;
	CREATE TABLE principals (
		app_id    TEXT PRIMARY KEY,
		object_id TEXT NOT NULL,
		name      TEXT NOT NULL,
		hash      BLOB NOT NULL,
		owner     INTEGER NOT NULL,
		created   INTEGER NOT NULL
	) STRICT;
	CREATE TABLE settings (
		name  TEXT PRIMARY KEY,
		value TEXT NOT NULL
	) STRICT;`,
}

// The activity log keeps its latest entries; older ones are taken out now and then.
const (
	activityKept   = 200_000
	activityPruned = 1_000
)

func (s *SQLite) migrate(ctx context.Context) error {
	var done int
	if err := s.db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&done); err != nil {
		return fmt.Errorf("reading its version: %w", err)
	}
	if done > len(migrations) {
		return fmt.Errorf("it was written by a newer version (schema %d, this one knows %d)", done, len(migrations))
	}
	for i := done; i < len(migrations); i++ {
		err := s.transact(ctx, func(tx *sql.Tx) error {
			if _, err := tx.ExecContext(ctx, migrations[i]); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, fmt.Sprintf(`PRAGMA user_version = %d`, i+1))
			return err
		})
		if err != nil {
			return fmt.Errorf("bringing its schema to %d: %w", i+1, err)
		}
	}
	return nil
}
