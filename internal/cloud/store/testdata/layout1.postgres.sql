-- The tables of layout 1, as its migration made them, and a row of each; written by hand.
CREATE TABLE resources (
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
);CREATE TABLE layout (version BIGINT NOT NULL);
INSERT INTO layout (version) VALUES (1);

INSERT INTO resources (key, document, extra, version, applied, state, conditions, created, created_by, changed, changed_by) VALUES
	('/subscriptions/s/resourcegroups/rg/providers/a.b/c/one', '{"id":"/subscriptions/S/resourceGroups/RG/providers/A.B/c/One","name":"One","type":"A.B/c","location":"westeurope","tags":{"a":"b"},"properties":{"n":1.5}}', '{"zones":["1"]}', 7, 7, 'Succeeded', '[]', 1764000000000000, 'me', 1764000001000000, 'you');
INSERT INTO activity (time, caller, app, action, scope, allowed, status, correlation, source, reason) VALUES
	(1764000000000000, 'oid', 'app', 'A.B/c/write', '/subscriptions/s/resourcegroups/rg', TRUE, 201, 'corr', '127.0.0.1:1', '');
INSERT INTO principals (app_id, object_id, name, hash, owner, created) VALUES ('app', 'oid', 'owner', '\x0102', TRUE, 1764000000000000);
INSERT INTO settings (name, value) VALUES ('tenant', 'T');
