/* Every statement of the embedded engine, prepared once when the file is opened.  The tables stand in schema.c.
 * "stage < 2" (not final) is spelled out wherever the index of open targets is meant: SQLite uses a partial index only
 * for a condition that it can read off the text. */
#include "ppg/store/sqlite.h"

#define PUSH_COLUMNS                                                                                         \
    "p.id, i.name, p.push_id, p.accepted_ms, p.not_before_ms, p.expires_ms, p.flags, p.version, p.priority," \
    " p.method, p.asked, p.source_ref, p.notify_url, p.network, p.bearer, p.app_id, p.initiator_uri,"        \
    " p.content_type, p.headers, p.targets_n"

/* The free rows of a claim: those nobody holds and those an older run held, merged in order of due time and id.  stage
 * is always 0 here; it is in the order because it is in the index, so that SQLite sees that nothing is left to sort. */
#define FREE_TARGETS                                                                                         \
    "SELECT id, due_ms, stage FROM target WHERE stage < 2 AND lease = 0 AND due_ms <= ?2 UNION ALL"          \
    " SELECT id, due_ms, stage FROM target WHERE stage < 2 AND lease = ?1 AND due_ms <= ?2"                  \
    " ORDER BY due_ms, stage, id LIMIT ?3"
#define FREE_NOTICES                                                                                         \
    "SELECT target_id, due_ms, tries FROM notice WHERE lease = 0 AND due_ms <= ?2 UNION ALL"                 \
    " SELECT target_id, due_ms, tries FROM notice WHERE lease = ?1 AND due_ms <= ?2"                         \
    " ORDER BY due_ms, target_id LIMIT ?3"

const char *const sq_sql[SQ_STMT_COUNT] = {
    [SQ_BEGIN] = "BEGIN",
    [SQ_COMMIT] = "COMMIT",
    [SQ_ROLLBACK] = "ROLLBACK",
    [SQ_MARK] = "SAVEPOINT mark",
    [SQ_BACK] = "ROLLBACK TO mark",
    [SQ_UNMARK] = "RELEASE mark",

    [SQ_INITIATOR_GET] = "SELECT no FROM initiator WHERE name = ?1",
    [SQ_INITIATOR_ADD] = "INSERT INTO initiator(no, name)"
                         " SELECT coalesce(max(no), 0) + 1, ?1 FROM initiator RETURNING no",
    [SQ_PUSH_ADD] =
        "INSERT INTO push(id, initiator_no, push_id, targets_n, accepted_ms, not_before_ms, expires_ms,"
        " flags, version, priority, method, asked, source_ref, notify_url, network, bearer, app_id,"
        " initiator_uri, content_type, headers, body)"
        " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
        " ON CONFLICT(initiator_no, push_id) DO NOTHING",
    [SQ_TARGET_ADD] =
        "INSERT INTO target(id, push_id, address, key, stage, code, tries, demanded, lease, due_ms,"
        " event_ms) VALUES(?,?,?,?,?,?,?,?,?,?,?)",
    [SQ_FINISH] =
        "UPDATE target SET stage = ?2, code = ?3, tries = ?4, event_ms = ?5, notified = ?6, lease = 0,"
        " bearer = coalesce(?7, bearer), protection = coalesce(?8, protection), note = coalesce(?9, note)"
        " WHERE id = ?1 AND stage < 2",
    [SQ_MOVE] =
        "UPDATE target SET due_ms = ?2, tries = ?3, lease = CASE WHEN ?4 THEN lease ELSE 0 END,"
        " bearer = coalesce(?5, bearer), protection = coalesce(?6, protection), note = coalesce(?7, note)"
        " WHERE id = ?1 AND stage < 2",
    [SQ_NOTICE_ADD] = "INSERT INTO notice(target_id, lease, due_ms, tries) VALUES(?,?,?,0)",
    [SQ_NOTICE_MOVE] = "UPDATE notice SET due_ms = ?2, tries = ?3, lease = 0 WHERE target_id = ?1",
    [SQ_NOTICE_DEL] = "DELETE FROM notice WHERE target_id = ?1",
    [SQ_TOLD] = "UPDATE target SET notified = ?2, told_code = ?3 WHERE id = ?1",
    [SQ_NUMBER_GET] = "SELECT next FROM number WHERE said = ?1",
    [SQ_NUMBER_SET] = "INSERT INTO number(said, next) VALUES(?1, ?2)"
                      " ON CONFLICT(said) DO UPDATE SET next = excluded.next",

    [SQ_CLAIM] = "SELECT f.id, t.push_id, f.due_ms, t.address, t.key, t.code, t.tries, t.demanded"
                 " FROM (" FREE_TARGETS ") f JOIN target t ON t.id = f.id ORDER BY f.due_ms, f.id",
    [SQ_LEASE] = "UPDATE target SET lease = ?2 WHERE id = ?1 AND stage < 2",
    [SQ_NEXT_DUE] = "SELECT (SELECT min(due_ms) FROM target WHERE stage < 2 AND lease = 0),"
                    " (SELECT min(due_ms) FROM target WHERE stage < 2 AND lease = ?1)",
    [SQ_PUSH_GET] = "SELECT " PUSH_COLUMNS ", length(p.body), p.body FROM push p"
                    " JOIN initiator i ON i.no = p.initiator_no WHERE p.id = ?1",
    [SQ_NOTICE_CLAIM] =
        "SELECT f.target_id, f.due_ms, f.tries, i.name, p.push_id, p.notify_url, t.address, p.network,"
        " p.bearer, p.flags, p.version, p.priority, p.method, t.stage, t.code, p.accepted_ms,"
        " t.event_ms FROM (" FREE_NOTICES ") f JOIN target t ON t.id = f.target_id"
        " JOIN push p ON p.id = t.push_id JOIN initiator i ON i.no = p.initiator_no"
        " ORDER BY f.due_ms, f.target_id",
    [SQ_NOTICE_LEASE] = "UPDATE notice SET lease = ?2 WHERE target_id = ?1",
    [SQ_NOTICE_NEXT_DUE] = "SELECT (SELECT min(due_ms) FROM notice WHERE lease = 0),"
                           " (SELECT min(due_ms) FROM notice WHERE lease = ?1)",

    [SQ_SHOW_PUSH] = "SELECT " PUSH_COLUMNS ", length(p.body) FROM initiator i"
                     " JOIN push p ON p.initiator_no = i.no AND p.push_id = ?1 WHERE i.name = ?2",
    [SQ_SHOW_PUSH_ANY] =
        "SELECT " PUSH_COLUMNS ", length(p.body) FROM initiator i"
        " CROSS JOIN push p ON p.initiator_no = i.no AND p.push_id = ?1 ORDER BY p.id DESC LIMIT 1",
    [SQ_SHOW_TARGETS] =
        "SELECT id, address, stage, code, tries, demanded, lease, due_ms, event_ms, notified, bearer,"
        " protection, note FROM target WHERE id >= ?1 AND id < ?1 + ?2 ORDER BY id",
    [SQ_COUNT_LEASED] = "SELECT count(*) FROM target WHERE stage < 2 AND lease = ?1",
    [SQ_COUNT_PAGES] = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",

    [SQ_PURGE_NEXT] = "SELECT id, targets_n, accepted_ms FROM push"
                      " WHERE id > ?1 AND id < (SELECT max(id) FROM push) ORDER BY id LIMIT 1",
    [SQ_PURGE_BUSY] = "SELECT 1 FROM target WHERE id >= ?1 AND id < ?1 + ?2"
                      " AND (stage < 2 OR event_ms >= ?3 OR notified = 1) LIMIT 1",
    [SQ_PURGE_TARGETS] = "DELETE FROM target WHERE id >= ?1 AND id < ?1 + ?2",
    [SQ_PURGE_PUSH] = "DELETE FROM push WHERE id = ?1",
};
