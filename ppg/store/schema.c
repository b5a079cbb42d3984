/* The tables of the embedded engine.  SQL as data: sqlite_open.c runs it, and no other file may change a table.
 *
 * Tables
 *   meta       one row: identity of the database, number of the last run (epoch).
 *   initiator  account names; a push carries the small number.
 *   push       one row a submission, never changed, its content once however many targets it has.  The narrow columns
 *              stand first, so that reading them does not touch the pages a big body overflows into.
 *   target     one row an address.  The targets of push p are rows p.id .. p.id + p.targets_n - 1: no index is
 *              needed to find them, and p.id is the id of the first.  stage is enum ppg_stage; on disk there is no
 *              "sending", such a target is waiting (0) and leased.
 *   notice     the outbox: one row per target whose result the initiator has still to be told.  The row's id is the
 *              target's, so a target cannot owe two.
 *   number     per association the next number that has not been reserved.
 *
 * Leases.  target.lease and notice.lease: 0 nobody, else the epoch whose run holds the row.  target_open lists the
 * rows that are not final, by lease and due time: claims, recovery and counts read nothing else, so their cost
 * follows the queue and not the history.  stage is in it because SQLite would otherwise go to
 * the table to look.
 *
 * Order of writes.  insert: initiator (if new), push, targets.  finish: target, then notice.  notice_done: notice
 * goes, then target.notified says how it ended.  purge: targets, then push.  One transaction holds all of an
 * operation, so a reader of the file never sees half of one.
 *
 * Recovery.  Opening the file replays or drops the last group (SQLite's write-ahead log).  The new run takes epoch + 1.
 * A lease of another epoch counts as no lease.  So that a claim has only two groups of free rows to merge, rows of
 * lease 0 and rows of one older epoch, opening moves what the last run held to the oldest epoch that still holds
 * anything: with one unclean end nothing has to be written at all, however long the queue is.
 * Ids never repeat: the newest push is never purged, and the next id follows the highest one stored. */
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
};
