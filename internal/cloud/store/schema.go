package store

// migrations bring an older file to this version, one step each. A step that
// was released is never changed.
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
