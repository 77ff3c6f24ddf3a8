-- Schema 5 for SQLite: what the JSON front doors need. API tokens, the names that dialects have for roles, invitations
-- to several roles with data of their callers', answers to repeat, the environment that an audit event belongs to.

-- Where a caller may send people after accepting: one prefix in a line. `grants`: whether an inviter may give any role,
-- or only those that one of their own roles manages.
ALTER TABLE app ADD COLUMN redirect_urls TEXT NOT NULL DEFAULT '';

ALTER TABLE app ADD COLUMN grants TEXT NOT NULL DEFAULT 'any' CHECK (grants = 'any' OR grants = 'manageable');

-- Role UUIDs between blanks, or '*' for all.
ALTER TABLE role ADD COLUMN manageable TEXT NOT NULL DEFAULT '';

CREATE TABLE role_alias (
  app_id TEXT NOT NULL REFERENCES app (id),
  dialect TEXT NOT NULL,
  name TEXT NOT NULL,
  role_id TEXT NOT NULL,
  PRIMARY KEY (app_id, dialect, name)
) STRICT, WITHOUT ROWID;

-- An invitation is to `role_id`, and to `more_role_ids` (UUIDs between blanks). `lifetime_seconds`: 0 for the service's.
ALTER TABLE invitation ADD COLUMN more_role_ids TEXT NOT NULL DEFAULT '';

ALTER TABLE invitation ADD COLUMN metadata TEXT NOT NULL DEFAULT '';

ALTER TABLE invitation ADD COLUMN redirect_url TEXT NOT NULL DEFAULT '';

ALTER TABLE invitation ADD COLUMN lifetime_seconds INTEGER NOT NULL DEFAULT 0;

ALTER TABLE invitation ADD COLUMN token_id TEXT;

ALTER TABLE invitation ADD COLUMN updated_at INTEGER;

-- `hash`: HMAC-SHA-256 of the secret under the pepper, base64url. `role_ceiling`: UUIDs between blanks, empty for all.
CREATE TABLE api_token (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  hash TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  environment_id TEXT NOT NULL REFERENCES environment (id),
  account_id TEXT NOT NULL REFERENCES account (id),
  role_ceiling TEXT NOT NULL,
  may_see_links INTEGER NOT NULL CHECK (may_see_links IN (0, 1)),
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER,
  last_used_at INTEGER
) STRICT;

CREATE INDEX api_token_by_environment ON api_token (environment_id);

-- What was answered, for whoever repeats the call; 0 where the answer says nothing.
ALTER TABLE idempotency_record ADD COLUMN status INTEGER NOT NULL DEFAULT 0;

ALTER TABLE idempotency_record ADD COLUMN answer TEXT NOT NULL DEFAULT '';

ALTER TABLE audit_event ADD COLUMN environment_id TEXT;

CREATE INDEX audit_event_by_environment ON audit_event (environment_id) WHERE environment_id IS NOT NULL;
