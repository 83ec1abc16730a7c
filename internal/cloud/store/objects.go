package store

import (
	"context"
	"database/sql"
	"fmt"
)

// Objects implements Store.
func (s *Database) Objects(ctx context.Context, kind string) (map[string][]byte, error) {
	rows, err := s.engine.Reader().QueryContext(ctx, `SELECT id, value FROM objects WHERE kind = $1`, kind)
	if err != nil {
		return nil, fmt.Errorf("reading the directory's %ss: %w", kind, err)
	}
	defer rows.Close()
	out := map[string][]byte{}
	for rows.Next() {
		var id string
		var value []byte
		if err := rows.Scan(&id, &value); err != nil {
			return nil, fmt.Errorf("reading the directory's %ss: %w", kind, err)
		}
		out[id] = value
	}
	return out, rows.Err()
}

// WriteObjects implements Store.
func (s *Database) WriteObjects(ctx context.Context, list ...Object) error {
	err := s.engine.Update(ctx, func(tx *sql.Tx) error {
		for _, o := range list {
			if err := writeObject(ctx, tx, o); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("writing to the directory: %w", err)
	}
	return nil
}

func writeObject(ctx context.Context, tx *sql.Tx, o Object) error {
	if o.Value == nil {
		_, err := tx.ExecContext(ctx, `DELETE FROM objects WHERE kind = $1 AND id = $2`, o.Kind, o.ID)
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO objects (kind, id, value) VALUES ($1, $2, $3)
		ON CONFLICT (kind, id) DO UPDATE SET value = excluded.value`, o.Kind, o.ID, o.Value)
	return err
}
