-- Schema 7 for SQLite: invitations are found by digests of whom they invite (storage/sqlite_digest.h).
--
-- The index of invitees is the one whose keys come at random. With the addresses themselves in it, 135 MB for a million
-- invitations, each new invitation changed a page of it that was in nobody's memory; digests take a fifth of that.
-- `mailbox_digest` is digest(8, mailbox), `invitee_digest` is digest(16, environment_id, invitee_key): whoever looks for
-- them finds two mailboxes with one digest, and gains nothing; two invitees that could not both be invited nobody finds.

ALTER TABLE invitation ADD COLUMN mailbox_digest BLOB;

ALTER TABLE invitation ADD COLUMN invitee_digest BLOB;

DROP INDEX invitation_by_invitee;

UPDATE invitation SET mailbox_digest = digest(8, mailbox), invitee_digest = digest(16, environment_id, invitee_key);

-- As before: it finds the pending one, a person's invitations and a mailbox's, and of one environment and invitee at
-- most one is pending (nulls are distinct, so settled ones do not collide).
CREATE UNIQUE INDEX invitation_by_invitee
  ON invitation (mailbox_digest, (CASE WHEN state = 'pending' THEN invitee_digest END));

-- By hand nobody makes digests: a row that was found by the old ones would never be found again.
CREATE TRIGGER invitation_keeps_invitee BEFORE UPDATE OF invitee, invitee_key, mailbox, environment_id ON invitation
BEGIN SELECT RAISE(ABORT, 'whom an invitation is for cannot be changed: revoke it and send another one'); END;
