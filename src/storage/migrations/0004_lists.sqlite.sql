-- Schema 4 for SQLite: what lists and starts look for is found however large the tables are.

-- Lists of invitations in one state have those first that were sent last, which is the order of their expiry: so one
-- index finds what is pending and what is over. Its keys come in the order of time.
CREATE INDEX invitation_by_state ON invitation (state, expires_at);

-- The same for one environment, where the state is rare. Sending and accepting write nothing into it.
CREATE INDEX invitation_in_rare_state ON invitation (environment_id, state, expires_at)
  WHERE state = 'declined' OR state = 'revoked' OR state = 'expired';

DROP INDEX outbox_message_in_trouble;

CREATE INDEX outbox_message_in_trouble ON outbox_message (state)
  WHERE state = 'failed' OR state = 'quarantined' OR state = 'cancelled';

-- The few that are being sent: for a start with a long queue, after a crash.
CREATE INDEX outbox_message_leased ON outbox_message (lease_until) WHERE lease_until IS NOT NULL;
