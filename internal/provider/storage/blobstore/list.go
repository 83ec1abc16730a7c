package blobstore

import (
	"context"
	"database/sql"
	"strings"
)

// after is the least string that is greater than every string which begins with
// prefix, or "" where there is none.
func after(prefix string) string {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xff {
			return prefix[:i] + string([]byte{prefix[i] + 1})
		}
	}
	return ""
}

// List is a page of a container's blobs in order of names.
func (s *Store) List(ctx context.Context, container string, o ListOptions) (Page, error) {
	var page Page
	err := s.db.View(ctx, func(tx *sql.Tx) error {
		cid, err := containerID(tx, container)
		if err != nil {
			return err
		}
		page, err = list(tx, cid, o)
		return err
	})
	return page, err
}

func list(tx *sql.Tx, cid int64, o ListOptions) (Page, error) {
	var page Page
	from := max(o.From, o.Prefix)
	for {
		rows, err := readRange(tx, cid, from, after(o.Prefix), o.Limit-len(page.Entries)+1)
		if err != nil || len(rows) == 0 {
			return page, err
		}
		from = ""
		for _, b := range rows {
			entry := fold(b, o)
			if len(page.Entries) == o.Limit {
				page.Next = entry.name()
				return page, nil
			}
			page.Entries = append(page.Entries, entry)
			if entry.Prefix != "" {
				from = after(entry.Prefix) // over all that the prefix stands for
				break
			}
		}
		if from == "" {
			return page, nil
		}
	}
}

// fold is the entry that a blob is listed as.
func fold(b Blob, o ListOptions) Entry {
	if o.Delimiter != "" {
		if i := strings.Index(b.Name[len(o.Prefix):], o.Delimiter); i >= 0 {
			return Entry{Prefix: b.Name[:len(o.Prefix)+i+len(o.Delimiter)]}
		}
	}
	return Entry{Blob: &b}
}

func (e Entry) name() string {
	if e.Blob != nil {
		return e.Blob.Name
	}
	return e.Prefix
}

func readRange(tx *sql.Tx, cid int64, from, to string, limit int) ([]Blob, error) {
	rows, err := tx.Query("SELECT name, doc FROM blobs WHERE container = ? AND name >= ? AND (? = '' OR name < ?) ORDER BY name LIMIT ?",
		cid, from, to, to, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Blob
	for rows.Next() {
		var name string
		var doc []byte
		if err := rows.Scan(&name, &doc); err != nil {
			return nil, err
		}
		b, err := decodeBlob(name, doc)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, rows.Err()
}
