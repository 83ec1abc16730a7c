-- The tables of layout 1, as its migration made them, and a row of each; written by hand.
CREATE TABLE resources (
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
) STRICT;
INSERT INTO resources (key, document, extra, version, applied, state, conditions, created, created_by, changed, changed_by) VALUES
	('/subscriptions/s/resourcegroups/rg/providers/a.b/c/one', CAST('{"id":"/subscriptions/S/resourceGroups/RG/providers/A.B/c/One","name":"One","type":"A.B/c","location":"westeurope","tags":{"a":"b"},"properties":{"n":1.5}}' AS BLOB), CAST('{"zones":["1"]}' AS BLOB), 7, 7, 'Succeeded', CAST('[]' AS BLOB), 1764000000000000, 'me', 1764000001000000, 'you');
INSERT INTO activity (n, time, caller, app, action, scope, allowed, status, correlation, source, reason) VALUES
	(1, 1764000000000000, 'oid', 'app', 'A.B/c/write', '/subscriptions/s/resourcegroups/rg', 1, 201, 'corr', '127.0.0.1:1', '');
INSERT INTO principals (app_id, object_id, name, hash, owner, created) VALUES ('app', 'oid', 'owner', x'0102', 1, 1764000000000000);
INSERT INTO settings (name, value) VALUES ('tenant', 'T');
PRAGMA user_version = 1;
