/* The tables of the embedded engine.  SQL as data: sqlite_open.c runs it, and no other file may change a table.
 *
 * Tables
 *   meta       one row: identity of the database, number of the last run (epoch), a secret for what it derives keys from.
 *   initiator  account names; a push carries the small number.
 *   push       one row a submission, never changed, its content once however many targets it has.  The narrow columns
 *              stand first, so that reading them does not touch the pages a big body overflows into; `how` came later
 *              and stands behind the body, so only who explains a push or loads its body reads it.
 *   target     one row an address.  The targets of push p are rows p.id .. p.id + p.targets_n - 1: no index is
 *              needed to find them, and p.id is the id of the first.  stage is enum ppg_stage; on disk there is no
 *              "sending", such a target is waiting (0) and leased.  initiator_no repeats the push's, for the index; it
 *              is good while the target is open (rows that were final before version 2 say 0).
 *              A group is a target with members_n > 0; its members are the rows that follow it and say its id in
 *              group_id.  open_n counts those that are not final.  While it is open its lease is -1, which no run has:
 *              claims, leases and counts never see it.  It ends with its last member and not by itself.
 *              began_ms and wire_n are those of the last attempt.  by_call: it was put off, and a call of its
 *              terminal makes it due; only such rows are in target_by_call, so the index costs the others nothing.
 *   attempt    attempts that did not end their target, the last 64 of each.  A target that is delivered at the first try
 *              has no row here.
 *   notice     the outbox: one row per target whose result the initiator has still to be told.  The row's id is the
 *              target's, so a target cannot owe two.  Members of a group owe none.
 *   number     per association the next number that has not been reserved.
 *   association  those the gateway has set up itself, sealed; at most two of a terminal.  Its row of `number` goes with it.
 *   seq        per subscriber likewise the next sequence number (SEQ) for an authentication vector.
 *
 * Leases.  target.lease and notice.lease: 0 nobody, else the epoch whose run holds the row.  target_open lists the
 * rows that are not final, by lease, initiator and due time: claims, recovery and counts read nothing else, so their
 * cost follows the queue and not the history.  A claim goes from initiator to initiator by one step in the index each,
 * and then reads what it takes.  stage is in the index because SQLite would otherwise go to the table to look.
 *
 * Order of writes.  insert: cancelled targets of a push that is replaced (as cancel), initiator (if new), push, targets,
 * notices of those that are final already, then groups without an open member.  finish: target, then notice; of a
 * member: target, the group's open_n, and with the last member the group, then its notice.  cancel: per target the same.
 * move: target, then attempt.  notice_done: notice goes, then target.notified says how it ended.  replay: push,
 * targets.  purge: attempts, targets - the last ones first, of a big push some at a time - then push.  One transaction
 * holds all of an operation, so a reader of the file never sees half of one; only a big push may be seen half purged.
 *
 * Recovery.  Opening the file replays or drops the last group (SQLite's write-ahead log).  The new run takes epoch + 1.
 * A lease of another epoch counts as no lease.  So that a claim has only two groups of free rows to merge, rows of
 * lease 0 and rows of one older epoch, opening moves what the last run held to the oldest epoch that still holds
 * anything: with one unclean end nothing has to be written at all, however long the queue is.
 * Ids never repeat: the newest push is never purged, and the next id follows the highest one stored.
 *
 * Versions.  A file of an older version is brought to ours when it is opened, in the transaction that starts the run:
 * an opening that is interrupted leaves the old file as it was, and the older program can still use it. */
#include "ppg/store/schema.h"

const char *const schema_steps[SCHEMA_VERSION] = {
    "CREATE TABLE meta("
    " one INTEGER PRIMARY KEY CHECK(one = 1),"
    " identity TEXT NOT NULL,"
    " epoch INTEGER NOT NULL"
    ");"
    "CREATE TABLE initiator("
    " no INTEGER PRIMARY KEY,"
    " name TEXT NOT NULL UNIQUE"
    ");"
    "CREATE TABLE push("
    " id INTEGER PRIMARY KEY,"
    " initiator_no INTEGER NOT NULL,"
    " push_id TEXT NOT NULL,"
    " targets_n INTEGER NOT NULL,"
    " accepted_ms INTEGER NOT NULL,"
    " not_before_ms INTEGER NOT NULL,"
    " expires_ms INTEGER NOT NULL,"
    " flags INTEGER NOT NULL,"
    " version INTEGER NOT NULL,"
    " priority INTEGER NOT NULL,"
    " method INTEGER NOT NULL,"
    " asked INTEGER NOT NULL,"
    " source_ref TEXT NOT NULL,"
    " notify_url TEXT NOT NULL,"
    " network TEXT NOT NULL,"
    " bearer TEXT NOT NULL,"
    " app_id TEXT NOT NULL,"
    " initiator_uri TEXT NOT NULL,"
    " content_type TEXT NOT NULL,"
    " headers TEXT NOT NULL,"
    " body BLOB NOT NULL"
    ");"
    "CREATE UNIQUE INDEX push_name ON push(initiator_no, push_id);"
    "CREATE TABLE target("
    " id INTEGER PRIMARY KEY,"
    " push_id INTEGER NOT NULL,"
    " address TEXT NOT NULL,"
    " key TEXT NOT NULL,"
    " stage INTEGER NOT NULL,"
    " code INTEGER NOT NULL,"
    " tries INTEGER NOT NULL,"
    " demanded INTEGER NOT NULL,"
    " lease INTEGER NOT NULL,"
    " due_ms INTEGER NOT NULL,"
    " event_ms INTEGER NOT NULL,"            /* 0 until final */
    " notified INTEGER NOT NULL DEFAULT 0,"  /* 0 none owed, 1 owed, 2 told, 3 given up */
    " told_code INTEGER NOT NULL DEFAULT 0," /* what the initiator answered */
    " bearer TEXT NOT NULL DEFAULT '',"
    " protection TEXT NOT NULL DEFAULT '',"
    " note TEXT NOT NULL DEFAULT ''"
    ");"
    "CREATE INDEX target_open ON target(lease, due_ms, stage) WHERE stage < 2;"
    "CREATE TABLE notice("
    " target_id INTEGER PRIMARY KEY,"
    " lease INTEGER NOT NULL,"
    " due_ms INTEGER NOT NULL,"
    " tries INTEGER NOT NULL"
    ");"
    "CREATE INDEX notice_open ON notice(lease, due_ms);"
    "CREATE TABLE number("
    " said BLOB PRIMARY KEY,"
    " next INTEGER NOT NULL"
    ") WITHOUT ROWID;",

    /* 1 to 2: groups, fair claims, the history of attempts, what explains a push.  The numbers of initiators are filled
     * in by way of the old index, so that the history is not read. */
    "ALTER TABLE push ADD COLUMN how TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE target ADD COLUMN initiator_no INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE target ADD COLUMN group_id INTEGER NOT NULL DEFAULT 0;"  /* 0: addressed by itself */
    "ALTER TABLE target ADD COLUMN members_n INTEGER NOT NULL DEFAULT 0;" /* > 0: a group */
    "ALTER TABLE target ADD COLUMN open_n INTEGER NOT NULL DEFAULT 0;"    /* of a group: members not final */
    "ALTER TABLE target ADD COLUMN began_ms INTEGER NOT NULL DEFAULT 0;"  /* 0 no attempt */
    "ALTER TABLE target ADD COLUMN wire_n INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE target ADD COLUMN rule TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE notice ADD COLUMN initiator_no INTEGER NOT NULL DEFAULT 0;"
    "UPDATE target SET initiator_no = (SELECT initiator_no FROM push WHERE id = target.push_id) WHERE stage "
    "< 2;"
    "UPDATE notice SET initiator_no = (SELECT p.initiator_no FROM target t JOIN push p ON p.id = t.push_id"
    " WHERE t.id = notice.target_id);"
    "DROP INDEX target_open;"
    "DROP INDEX notice_open;"
    "CREATE INDEX target_open ON target(lease, initiator_no, due_ms, stage) WHERE stage < 2;"
    "CREATE INDEX notice_open ON notice(lease, initiator_no, due_ms);"
    "CREATE TABLE attempt("
    " target_id INTEGER NOT NULL,"
    " no INTEGER NOT NULL," /* of the target's tries, from 1 */
    " began_ms INTEGER NOT NULL,"
    " ended_ms INTEGER NOT NULL,"
    " wire_n INTEGER NOT NULL,"
    " bearer TEXT NOT NULL,"
    " protection TEXT NOT NULL,"
    " note TEXT NOT NULL,"
    " PRIMARY KEY(target_id, no, began_ms)"
    ") WITHOUT ROWID;",

    /* 2 to 3: targets of terminals that call in. */
    ("ALTER TABLE target ADD COLUMN by_call INTEGER NOT NULL DEFAULT 0;"
     "CREATE INDEX target_by_call ON target(key) WHERE by_call = 1 AND stage < 2;"),

    /* 3 to 4: subscribers of the embedded key server. */
    ("CREATE TABLE seq("
     " impi TEXT PRIMARY KEY,"
     " next INTEGER NOT NULL"
     ") WITHOUT ROWID;"),

    /* 4 to 5: associations that the gateway sets up itself. */
    ("CREATE TABLE association("
     " said BLOB PRIMARY KEY,"
     " terminal TEXT NOT NULL,"
     " made_s INTEGER NOT NULL,"
     " expires_s INTEGER NOT NULL,"
     " confirmed INTEGER NOT NULL,"
     " octets BLOB NOT NULL"
     ") WITHOUT ROWID;"
     "CREATE INDEX association_of ON association(terminal);"
     "CREATE INDEX association_end ON association(expires_s);"
     "CREATE TRIGGER association_gone AFTER DELETE ON association"
     " BEGIN DELETE FROM number WHERE said = old.said; END;"),

    /* 5 to 6: a secret of the database's own, filled in by sqlite_open.c. */
    "ALTER TABLE meta ADD COLUMN secret TEXT NOT NULL DEFAULT '';",
};
