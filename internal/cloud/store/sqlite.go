package store

import (
	"fmt"

	"github.com/cloister-ml/cloister/internal/durable"
)

// OpenSQLite opens the file, makes it (0600) where it is missing and brings its
// schema to this version.
func OpenSQLite(path string) (*Database, error) {
	db, err := durable.OpenDB(path, sqliteMigrations...)
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	return &Database{engine: db, kind: "sqlite"}, nil
}
