-- Schema 2 for SQLite: what apps ask about people, their profiles and sessions, the calls owed to apps, mails that belong
-- to an account instead of an environment.

ALTER TABLE environment ADD COLUMN openid_template TEXT NOT NULL DEFAULT '{public_url}/id?id={account_uuid}';

ALTER TABLE environment ADD COLUMN refresh_url TEXT NOT NULL DEFAULT '';

ALTER TABLE environment ADD COLUMN refresh_namespace TEXT NOT NULL DEFAULT 'http://home.mendix.com/';

ALTER TABLE account ADD COLUMN password_generation INTEGER NOT NULL DEFAULT 0;

-- What a person says about themself; a field that is empty has no row.
CREATE TABLE profile_value (
  account_id TEXT NOT NULL REFERENCES account (id),
  field TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (account_id, field)
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
  token_hash TEXT PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES account (id),
  password_generation INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX session_by_account ON session (account_id);

CREATE INDEX session_by_expiry ON session (expires_at);

-- Calls that are owed to apps. `claims` numbers the attempts; `attempts` counts the finished ones.
CREATE TABLE refresh_call (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  environment_id TEXT NOT NULL REFERENCES environment (id),
  account_id TEXT NOT NULL REFERENCES account (id),
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

-- The environments that have calls, and the oldest due one of each: a heap of one environment hides no other's.
CREATE INDEX refresh_call_due ON refresh_call (environment_id, due_at) WHERE state = 'queued';

-- The one that waits for an environment and account.
CREATE INDEX refresh_call_queued ON refresh_call (environment_id, account_id) WHERE state = 'queued';

-- Whether a call of an environment is under way.
CREATE INDEX refresh_call_leased ON refresh_call (environment_id, lease_until) WHERE lease_until IS NOT NULL;

CREATE INDEX refresh_call_in_trouble ON refresh_call (state) WHERE state = 'failed' OR state = 'cancelled';

CREATE TABLE refresh_attempt (
  call_id TEXT NOT NULL REFERENCES refresh_call (id),
  number INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  finished_at INTEGER,
  outcome TEXT CHECK (outcome = 'done' OR outcome = 'deferred' OR outcome = 'cancelled'),
  http_status INTEGER,
  explanation TEXT,
  PRIMARY KEY (call_id, number)
) STRICT, WITHOUT ROWID;

-- A mail may have no environment, and there is one more kind: a table's checks cannot be changed, so it is made anew, and
-- the attempts, which refer to it, with it. Renaming takes the reference along.
CREATE TABLE new_outbox_message (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK (kind = 'invitation_to_sign_up' OR kind = 'invitation_to_accept' OR kind = 'already_has_access' OR kind = 'password_reset'),
  state TEXT NOT NULL CHECK (state = 'queued' OR state = 'sent' OR state = 'failed' OR state = 'quarantined' OR state = 'cancelled'),
  environment_id TEXT REFERENCES environment (id),
  invitation_id TEXT REFERENCES invitation (id),
  account_id TEXT REFERENCES account (id),
  generation INTEGER NOT NULL,
  recipient TEXT NOT NULL,
  recipient_key TEXT NOT NULL,
  mailbox TEXT NOT NULL,
  language TEXT NOT NULL,
  inviter_name TEXT NOT NULL,
  app_name TEXT NOT NULL,
  app_url TEXT NOT NULL,
  role_name TEXT NOT NULL,
  queued_at INTEGER NOT NULL,
  not_before INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  deaths INTEGER NOT NULL,
  claims INTEGER NOT NULL,
  finished_at INTEGER,
  last_error TEXT NOT NULL,
  lease_id TEXT,
  lease_until INTEGER
) STRICT;

INSERT INTO new_outbox_message (seq, id, kind, state, environment_id, invitation_id, generation, recipient,
  recipient_key, mailbox, language, inviter_name, app_name, app_url, role_name, queued_at, not_before, due_at,
  expires_at, attempts, deaths, claims, finished_at, last_error, lease_id, lease_until)
SELECT seq, id, kind, state, environment_id, invitation_id, generation, recipient, recipient_key, mailbox, language,
  inviter_name, app_name, app_url, role_name, queued_at, not_before, due_at, expires_at, attempts, deaths, claims,
  finished_at, last_error, lease_id, lease_until
FROM outbox_message;

CREATE TABLE new_attempt (
  message_id TEXT NOT NULL REFERENCES new_outbox_message (id),
  number INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  finished_at INTEGER,
  outcome TEXT CHECK (outcome = 'sent' OR outcome = 'deferred' OR outcome = 'rejected' OR outcome = 'held' OR outcome = 'poisoned'),
  reply_code INTEGER,
  stage TEXT,
  explanation TEXT,
  PRIMARY KEY (message_id, number)
) STRICT, WITHOUT ROWID;

INSERT INTO new_attempt SELECT * FROM attempt;

DROP TABLE attempt;

DROP TABLE outbox_message;

ALTER TABLE new_outbox_message RENAME TO outbox_message;

ALTER TABLE new_attempt RENAME TO attempt;

CREATE INDEX outbox_message_due ON outbox_message (due_at) WHERE state = 'queued';

CREATE INDEX outbox_message_by_invitation ON outbox_message (invitation_id, not_before);

CREATE INDEX outbox_message_notice ON outbox_message (mailbox, not_before) WHERE kind = 'already_has_access';

CREATE INDEX outbox_message_in_trouble ON outbox_message (state) WHERE state = 'failed' OR state = 'quarantined';

-- The ballast is more than an invitation writes, and new each time: a disk with room for the probe has room for work.
ALTER TABLE writer_probe ADD COLUMN ballast BLOB NOT NULL DEFAULT x'';
