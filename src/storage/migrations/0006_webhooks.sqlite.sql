-- Schema 6 for SQLite: webhooks, what they are owed, and how far expired invitations have been told of.

-- `events` are words with blanks between them, or nothing for all.
CREATE TABLE webhook (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  environment_id TEXT NOT NULL REFERENCES environment (id),
  url TEXT NOT NULL,
  events TEXT NOT NULL,
  disabled INTEGER NOT NULL CHECK (disabled = 0 OR disabled = 1),
  disabled_reason TEXT NOT NULL,
  secret_version INTEGER NOT NULL,
  old_secret_until INTEGER,
  created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX webhook_by_environment ON webhook (environment_id);

-- Deliveries outlive their webhook. `claims` numbers the attempts; `attempts` counts the finished ones.
CREATE TABLE webhook_delivery (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  webhook_id TEXT NOT NULL,
  environment_id TEXT NOT NULL REFERENCES environment (id),
  event TEXT NOT NULL,
  payload TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state = 'queued' OR state = 'done' OR state = 'failed' OR state = 'cancelled'),
  queued_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  claims INTEGER NOT NULL,
  finished_at INTEGER,
  last_error TEXT NOT NULL,
  lease_id TEXT,
  lease_until INTEGER
) STRICT;

-- The webhooks that are owed something, and the oldest due delivery of each: a heap of one hides no other's.
CREATE INDEX webhook_delivery_due ON webhook_delivery (webhook_id, due_at) WHERE state = 'queued';

-- How many of a webhook are under way.
CREATE INDEX webhook_delivery_leased ON webhook_delivery (webhook_id, lease_until) WHERE lease_until IS NOT NULL;

CREATE INDEX webhook_delivery_in_trouble ON webhook_delivery (state) WHERE state = 'failed' OR state = 'cancelled';

-- Lists of one webhook.
CREATE INDEX webhook_delivery_by_webhook ON webhook_delivery (webhook_id);

CREATE TABLE webhook_attempt (
  call_id TEXT NOT NULL REFERENCES webhook_delivery (id),
  number INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  finished_at INTEGER,
  outcome TEXT CHECK (outcome = 'done' OR outcome = 'deferred' OR outcome = 'cancelled'),
  http_status INTEGER,
  explanation TEXT,
  PRIMARY KEY (call_id, number)
) STRICT, WITHOUT ROWID;

-- The invitation that expired last and was told of, as its place in invitation_by_state; no row where nobody watches.
CREATE TABLE expiry_watermark (
  singleton INTEGER PRIMARY KEY CHECK (singleton = 1),
  expires_at INTEGER NOT NULL,
  invitation_id TEXT NOT NULL
) STRICT;
