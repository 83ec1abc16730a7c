package store

// sqliteMigrations bring an older file to this version, one step each. A step that
// was released is never changed.
var sqliteMigrations = []string{
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
	`CREATE TABLE objects (
		kind  TEXT NOT NULL,
		id    TEXT NOT NULL,
		value BLOB NOT NULL,
		PRIMARY KEY (kind, id)
	) STRICT;`,
}

// postgresMigrations do the same in PostgreSQL. Keys are of any length, which a
// tree index is not made for, and are in the order of their bytes.
var postgresMigrations = []string{
	`CREATE TABLE resources (
		key        TEXT COLLATE "C" NOT NULL, -- lower-case id
		document   JSON NOT NULL,
		extra      JSON NOT NULL,
		version    BIGINT NOT NULL,
		applied    BIGINT NOT NULL,
		state      TEXT NOT NULL,
		conditions JSON NOT NULL,
		created    BIGINT NOT NULL, -- microseconds since 1970, as every time here
		created_by TEXT NOT NULL,
		changed    BIGINT NOT NULL,
		changed_by TEXT NOT NULL,
		EXCLUDE USING hash (key WITH =)
	);
	CREATE TABLE activity (
		n           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
		time        BIGINT NOT NULL,
		caller      TEXT NOT NULL,
		app         TEXT NOT NULL,
		action      TEXT NOT NULL,
		scope       TEXT COLLATE "C" NOT NULL,
		allowed     BOOLEAN NOT NULL,
		status      BIGINT NOT NULL,
		correlation TEXT NOT NULL,
		source      TEXT NOT NULL,
		reason      TEXT NOT NULL
	);
	CREATE TABLE principals (
		app_id    TEXT PRIMARY KEY,
		object_id TEXT NOT NULL,
		name      TEXT NOT NULL,
		hash      BYTEA NOT NULL,
		owner     BOOLEAN NOT NULL,
		created   BIGINT NOT NULL
	);
	CREATE TABLE settings (
		name  TEXT PRIMARY KEY,
		value TEXT NOT NULL
	);`,
	`CREATE TABLE objects (
		kind  TEXT COLLATE "C" NOT NULL,
		id    TEXT COLLATE "C" NOT NULL,
		value BYTEA NOT NULL,
		PRIMARY KEY (kind, id)
	);`,
}

// The activity log keeps its latest entries; older ones are taken out now and then.
const (
	activityKept   = 200_000
	activityPruned = 1_000
)
