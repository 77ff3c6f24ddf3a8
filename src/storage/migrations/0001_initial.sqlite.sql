-- Schema 1 for SQLite. A statement ends with a semicolon at the end of a line (migrator.cpp). Never edited after a release.
--
-- Identifiers are UUIDs as 36 lower-case characters, so that an operator can read them. Points in time are milliseconds
-- since 1970, UTC. States and kinds are the words of the domain. `seq` is the order of insertion: listings are newest
-- first by it, and secondary indexes carry these 8 bytes instead of the UUID.
--
-- What is written for every invitation has as few indexes as its look-ups allow: each one whose keys come in random
-- order costs a page of log for every row, a seventh of the whole. There is one of those, invitation_by_invitee; it
-- also finds the messages to a mailbox, through their invitations. Words are checked with OR, in the order of their
-- frequency: a longer IN builds its list anew each time.

CREATE TABLE app (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  url TEXT NOT NULL,
  language TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE role (
  seq INTEGER PRIMARY KEY,
  app_id TEXT NOT NULL REFERENCES app (id),
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (app_id, id)
) STRICT;

-- Two passwords while a rotation lasts, else the second is null.
CREATE TABLE environment (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  app_id TEXT NOT NULL REFERENCES app (id),
  name TEXT NOT NULL,
  disabled INTEGER NOT NULL CHECK (disabled IN (0, 1)),
  password_1_kind TEXT CHECK (password_1_kind IN ('issued', 'brought')),
  password_1_hash TEXT,
  password_1_valid_from INTEGER,
  password_1_valid_until INTEGER,
  password_2_kind TEXT CHECK (password_2_kind IN ('issued', 'brought')),
  password_2_hash TEXT,
  password_2_valid_from INTEGER,
  password_2_valid_until INTEGER,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE account (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  email TEXT NOT NULL,
  email_key TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  disabled INTEGER NOT NULL CHECK (disabled IN (0, 1)),
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE access (
  account_id TEXT NOT NULL REFERENCES account (id),
  environment_id TEXT NOT NULL REFERENCES environment (id),
  role_id TEXT NOT NULL,
  granted_at INTEGER NOT NULL,
  PRIMARY KEY (account_id, environment_id, role_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX access_by_environment ON access (environment_id, granted_at);

CREATE TABLE invitation (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  environment_id TEXT NOT NULL REFERENCES environment (id),
  role_id TEXT NOT NULL,
  inviter_id TEXT NOT NULL REFERENCES account (id),
  invitee TEXT NOT NULL,
  invitee_key TEXT NOT NULL,
  mailbox TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state = 'pending' OR state = 'accepted' OR state = 'declined' OR state = 'revoked' OR state = 'expired'),
  generation INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  sent_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  settled_at INTEGER
) STRICT;

-- At most one pending invitation for an environment and invitee: nulls are distinct, so settled ones do not collide.
-- The same index finds the pending one, a person's invitations, and a mailbox's (which the key determines).
CREATE UNIQUE INDEX invitation_by_invitee
  ON invitation (mailbox, invitee_key, environment_id, (CASE WHEN state = 'pending' THEN 1 END));

CREATE INDEX invitation_by_environment ON invitation (environment_id);

-- `claims` numbers the attempts; `attempts` counts the finished ones that were charged to the message.
CREATE TABLE outbox_message (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK (kind = 'invitation_to_sign_up' OR kind = 'invitation_to_accept' OR kind = 'already_has_access'),
  state TEXT NOT NULL CHECK (state = 'queued' OR state = 'sent' OR state = 'failed' OR state = 'quarantined' OR state = 'cancelled'),
  environment_id TEXT NOT NULL REFERENCES environment (id),
  invitation_id TEXT REFERENCES invitation (id),
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

CREATE INDEX outbox_message_due ON outbox_message (due_at) WHERE state = 'queued';

CREATE INDEX outbox_message_by_invitation ON outbox_message (invitation_id, not_before);

CREATE INDEX outbox_message_notice ON outbox_message (mailbox, not_before) WHERE kind = 'already_has_access';

CREATE INDEX outbox_message_in_trouble ON outbox_message (state) WHERE state = 'failed' OR state = 'quarantined';

CREATE TABLE attempt (
  message_id TEXT NOT NULL REFERENCES outbox_message (id),
  number INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  finished_at INTEGER,
  outcome TEXT CHECK (outcome = 'sent' OR outcome = 'deferred' OR outcome = 'rejected' OR outcome = 'held' OR outcome = 'poisoned'),
  reply_code INTEGER,
  stage TEXT,
  explanation TEXT,
  PRIMARY KEY (message_id, number)
) STRICT, WITHOUT ROWID;

-- One row, or none when the queue flows.
CREATE TABLE mail_hold (
  singleton INTEGER PRIMARY KEY CHECK (singleton = 1),
  since INTEGER NOT NULL,
  next_try_at INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  reply_code INTEGER NOT NULL,
  stage TEXT NOT NULL,
  explanation TEXT NOT NULL
) STRICT;

CREATE TABLE rate (
  subject TEXT PRIMARY KEY,
  short_term INTEGER NOT NULL,
  long_term INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency_record (
  environment_id TEXT NOT NULL REFERENCES environment (id),
  key TEXT NOT NULL,
  request_digest TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (environment_id, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_record_by_age ON idempotency_record (created_at);

CREATE TABLE audit_event (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;

-- One row that the writer rewrites while commits fail, to learn when they succeed again (batch_writer.cpp).
CREATE TABLE writer_probe (
  singleton INTEGER PRIMARY KEY CHECK (singleton = 1),
  tries INTEGER NOT NULL
) STRICT;
