/* Every statement of the embedded engine, prepared once when the file is opened.  The tables stand in schema.c.
 * "stage < 2" (not final) is spelled out wherever the index of open targets is meant: SQLite uses a partial index only
 * for a condition that it can read off the text. */
#include "ppg/store/sqlite.h"

#define PUSH_COLUMNS                                                                                         \
    "p.id, i.name, p.push_id, p.accepted_ms, p.not_before_ms, p.expires_ms, p.flags, p.version, p.priority," \
    " p.method, p.asked, p.source_ref, p.notify_url, p.network, p.bearer, p.app_id, p.initiator_uri,"        \
    " p.content_type, p.headers, p.targets_n, length(p.body)"

/* Found by name: of one initiator, or of any, the newest first. */
#define PUSH_OF(columns)                                                                                     \
    "SELECT " columns " FROM initiator i JOIN push p ON p.initiator_no = i.no AND p.push_id = ?1"            \
    " WHERE i.name = ?2"
#define PUSH_ANY(columns)                                                                                    \
    "SELECT " columns " FROM initiator i CROSS JOIN push p ON p.initiator_no = i.no AND p.push_id = ?1"      \
    " ORDER BY p.id DESC LIMIT 64"
#define FOUND_COLUMNS "p.id, p.initiator_no, p.targets_n, p.notify_url <> ''"
/* ?3 brief: `how` stands behind the body, which is then not passed over. */
#define SHOWN_COLUMNS PUSH_COLUMNS ", CASE WHEN ?3 THEN '' ELSE p.how END"

/* The free rows of an initiator: those nobody holds and those an older run held, merged in order of due time and id.
 * stage is always 0 here; it is in the order because it is in the index, so that SQLite sees that nothing is left to
 * sort. */
#define FREE_TARGETS(more)                                                                                   \
    "SELECT id, due_ms, stage FROM target WHERE stage < 2 AND lease = 0 AND initiator_no = ?2"               \
    " AND due_ms <= ?3" more " UNION ALL "                                                                   \
    "SELECT id, due_ms, stage FROM target WHERE stage < 2 AND lease = ?1 AND initiator_no = ?2"              \
    " AND due_ms <= ?3" more " ORDER BY due_ms, stage, id LIMIT ?4"
#define TARGET_COLUMNS                                                                                       \
    "t.id, t.push_id, t.due_ms, t.address, t.key, t.code, t.tries, t.demanded, t.group_id, t.rule"
#define CLAIM(more)                                                                                          \
    "SELECT " TARGET_COLUMNS " FROM (" FREE_TARGETS(more) ") f JOIN target t ON t.id = f.id"                 \
                                                          " ORDER BY f.due_ms, f.id"
#define IN_INBOX "t.key = ?1 AND t.by_call = 1 AND t.stage < 2"
#define FREE_NOTICES                                                                                         \
    "SELECT target_id, due_ms, tries FROM notice WHERE lease = 0 AND initiator_no = ?2"                      \
    " AND due_ms <= ?3 UNION ALL "                                                                           \
    "SELECT target_id, due_ms, tries FROM notice WHERE lease = ?1 AND initiator_no = ?2"                     \
    " AND due_ms <= ?3 ORDER BY due_ms, target_id LIMIT ?4"

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
    [SQ_INITIATOR_NAME] = "SELECT name FROM initiator WHERE no = ?1",
    [SQ_PUSH_ADD] =
        "INSERT INTO push(id, initiator_no, push_id, targets_n, accepted_ms, not_before_ms, expires_ms,"
        " flags, version, priority, method, asked, source_ref, notify_url, network, bearer, app_id,"
        " initiator_uri, content_type, headers, body, how)"
        " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
        " ON CONFLICT(initiator_no, push_id) DO NOTHING",
    [SQ_TARGET_ADD] =
        "INSERT INTO target(id, push_id, address, key, stage, code, tries, demanded, lease, due_ms,"
        " event_ms, notified, initiator_no, group_id, members_n, open_n, rule)"
        " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [SQ_PUSH_FIND] = "SELECT " FOUND_COLUMNS " FROM push p WHERE p.push_id = ?1 AND p.initiator_no = ?2",
    [SQ_PUSH_FIND_ANY] = PUSH_ANY(FOUND_COLUMNS),
    [SQ_PUSH_TARGETS] = "SELECT id, address, key, stage, lease, group_id, members_n FROM target"
                        " WHERE id >= ?1 AND id < ?1 + ?2 ORDER BY id",
    [SQ_FINISH] =
        "UPDATE target SET stage = ?2, code = ?3, tries = ?4, event_ms = ?5, notified = ?6, lease = 0,"
        " bearer = coalesce(?7, bearer), protection = coalesce(?8, protection), note = coalesce(?9, note),"
        " began_ms = coalesce(?10, began_ms), wire_n = coalesce(?11, wire_n) WHERE id = ?1 AND stage < 2",
    [SQ_MOVE] =
        "UPDATE target SET due_ms = ?2, tries = ?3, lease = CASE WHEN ?4 THEN lease ELSE 0 END,"
        " bearer = coalesce(?5, bearer), protection = coalesce(?6, protection), note = coalesce(?7, note),"
        " began_ms = coalesce(?8, began_ms), wire_n = coalesce(?9, wire_n), by_call = ?10"
        " WHERE id = ?1 AND stage < 2",
    [SQ_ATTEMPT_ADD] =
        "INSERT OR REPLACE INTO attempt(target_id, no, began_ms, ended_ms, wire_n, bearer, protection, note)"
        " SELECT id, tries, began_ms, ?2, wire_n, bearer, protection, note FROM target WHERE id = ?1",
    [SQ_ATTEMPT_CUT] = "DELETE FROM attempt WHERE target_id = ?1 AND no <= ?2",
    [SQ_CANCEL] = "UPDATE target SET stage = ?2, code = ?3, event_ms = ?4, notified = ?5, lease = 0,"
                  " note = coalesce(?6, note) WHERE id = ?1 AND stage < 2",
    [SQ_GROUP_LESS] = "UPDATE target SET open_n = open_n - ?2 WHERE id = ?1 AND stage < 2"
                      " RETURNING open_n, members_n",
    [SQ_GROUP_OUTCOME] = "SELECT stage, code FROM target WHERE id > ?1 AND id <= ?1 + ?2"
                         " ORDER BY CASE stage WHEN 2 THEN 0 WHEN 5 THEN 1 WHEN 3 THEN 2 WHEN 6 THEN 3 WHEN "
                         "4 THEN 4 ELSE 5 END,"
                         " id LIMIT 1",
    [SQ_GROUP_END] = "UPDATE target SET stage = ?2, code = ?3, event_ms = ?4, notified = ?5, lease = 0"
                     " WHERE id = ?1",
    [SQ_NOTICE_ADD] = "INSERT INTO notice(target_id, initiator_no, lease, due_ms, tries)"
                      " SELECT id, initiator_no, ?2, ?3, 0 FROM target WHERE id = ?1",
    [SQ_NOTICE_MOVE] = "UPDATE notice SET due_ms = ?2, tries = ?3, lease = 0 WHERE target_id = ?1",
    [SQ_NOTICE_DEL] = "DELETE FROM notice WHERE target_id = ?1",
    [SQ_TOLD] = "UPDATE target SET notified = ?2, told_code = ?3 WHERE id = ?1",
    [SQ_NUMBER_GET] = "SELECT next FROM number WHERE said = ?1",
    [SQ_NUMBER_SET] = "INSERT INTO number(said, next) VALUES(?1, ?2)"
                      " ON CONFLICT(said) DO UPDATE SET next = excluded.next",
    [SQ_SEQ_GET] = "SELECT next FROM seq WHERE impi = ?1",
    [SQ_SEQ_SET] = "INSERT INTO seq(impi, next) VALUES(?1, ?2)"
                   " ON CONFLICT(impi) DO UPDATE SET next = excluded.next",
    [SQ_SA_TIDY] = "DELETE FROM association WHERE said IN"
                   " (SELECT said FROM association WHERE expires_s <= ?1 ORDER BY expires_s LIMIT ?2)",
    [SQ_SA_LESS] = "DELETE FROM association WHERE terminal = ?1 AND said NOT IN (SELECT said FROM association"
                   " WHERE terminal = ?1 AND confirmed = 1 ORDER BY made_s DESC LIMIT 1)",
    [SQ_SA_ADD] = "INSERT INTO association(said, terminal, made_s, expires_s, confirmed, octets)"
                  " VALUES(?1, ?2, ?3, ?4, 0, ?5)",
    [SQ_SA_FIND] = "SELECT said, terminal, made_s, expires_s, confirmed, octets FROM association"
                   " WHERE terminal = ?1 ORDER BY confirmed, made_s DESC",
    [SQ_SA_CONFIRM] = "UPDATE association SET confirmed = 1 WHERE said = ?1",
    [SQ_SA_DROP] = "DELETE FROM association WHERE said = ?1",
    [SQ_SA_DROP_ALL] = "DELETE FROM association WHERE terminal = ?1",
    [SQ_SA_LIST] = "SELECT said, terminal, made_s, expires_s, confirmed, '' FROM association"
                   " WHERE (?1 IS NULL OR terminal = ?1) AND (?2 IS NULL OR said = ?2)"
                   " ORDER BY terminal, made_s DESC LIMIT ?3",

    [SQ_TURN] = "SELECT initiator_no, due_ms FROM target WHERE stage < 2 AND lease = ?1 AND initiator_no > ?2"
                " ORDER BY initiator_no, due_ms LIMIT 1",
    [SQ_OPEN_OF] = "SELECT count(*) FROM target WHERE stage < 2 AND lease = ?1 AND initiator_no = ?2",
    [SQ_CLAIM] = CLAIM(""),
    [SQ_CLAIM_AHEAD] = CLAIM(" AND by_call = 0"),
    [SQ_LEASE] = "UPDATE target SET lease = ?2, by_call = 0 WHERE id = ?1 AND stage < 2",
    [SQ_PUSH_GET] = "SELECT " PUSH_COLUMNS ", p.body, p.how FROM push p"
                    " JOIN initiator i ON i.no = p.initiator_no WHERE p.id = ?1",
    [SQ_NOTICE_TURN] = "SELECT initiator_no, due_ms FROM notice WHERE lease = ?1 AND initiator_no > ?2"
                       " ORDER BY initiator_no, due_ms LIMIT 1",
    [SQ_NOTICES_OF] = "SELECT count(*) FROM notice WHERE lease = ?1 AND initiator_no = ?2",
    [SQ_NOTICE_CLAIM] =
        "SELECT f.target_id, f.due_ms, f.tries, i.name, p.push_id, p.notify_url, t.address, p.network,"
        " p.bearer, p.flags, p.version, p.priority, p.method, t.stage, t.code, p.accepted_ms,"
        " t.event_ms FROM (" FREE_NOTICES ") f JOIN target t ON t.id = f.target_id"
        " JOIN push p ON p.id = t.push_id JOIN initiator i ON i.no = p.initiator_no"
        " ORDER BY f.due_ms, f.target_id",
    [SQ_NOTICE_LEASE] = "UPDATE notice SET lease = ?2 WHERE target_id = ?1",

    [SQ_SHOW_PUSH] = PUSH_OF(SHOWN_COLUMNS),
    [SQ_SHOW_PUSH_ANY] = PUSH_ANY(SHOWN_COLUMNS),
    [SQ_RECENT] = "SELECT " PUSH_COLUMNS " FROM push p JOIN initiator i ON i.no = p.initiator_no"
                  " WHERE p.id < ?1 ORDER BY p.id DESC LIMIT ?2",
    [SQ_SHOW_TARGETS] =
        "SELECT t.id, t.address, t.key, t.stage, t.code, t.tries, t.demanded, t.lease, t.due_ms, t.event_ms,"
        " t.notified, t.told_code, t.group_id, t.members_n, t.began_ms, t.wire_n, n.tries, n.due_ms,"
        " t.bearer, t.protection, t.note, t.rule FROM target t LEFT JOIN notice n ON n.target_id = t.id"
        " WHERE t.id >= ?1 AND t.id < ?1 + ?2 ORDER BY t.id",
    [SQ_SHOW_ATTEMPTS] =
        "SELECT target_id, no, began_ms, ended_ms, wire_n, bearer, protection, note FROM attempt"
        " WHERE target_id >= ?1 AND target_id < ?1 + ?2 ORDER BY target_id, no, began_ms",
    [SQ_COUNT_LEASED] = "SELECT count(*) FROM target WHERE stage < 2 AND lease = ?1",
    [SQ_COUNT_PAGES] = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
    [SQ_QUEUE_FIRST] = "SELECT id, due_ms FROM target WHERE stage < 2 AND lease = ?1 AND initiator_no = ?2"
                       " ORDER BY due_ms, stage, id LIMIT ?3",
    [SQ_QUEUE_HEAD] =
        "SELECT i.name, p.push_id, t.address, t.tries, t.lease, t.due_ms, t.note FROM target t"
        " JOIN push p ON p.id = t.push_id JOIN initiator i ON i.no = p.initiator_no WHERE t.id = ?1",

    [SQ_REPLAY_PUSH] =
        "INSERT INTO push(id, initiator_no, push_id, targets_n, accepted_ms, not_before_ms, expires_ms,"
        " flags, version, priority, method, asked, source_ref, notify_url, network, bearer, app_id,"
        " initiator_uri, content_type, headers, body, how)"
        " SELECT ?2, initiator_no, ?3, ?4, ?5, 0, ?6, flags, version, priority, method, asked, source_ref, "
        "'',"
        " network, bearer, app_id, initiator_uri, content_type, headers, body, ?7 FROM push WHERE id = ?1"
        " ON CONFLICT(initiator_no, push_id) DO NOTHING",
    [SQ_REPLAY_TARGET] =
        "INSERT INTO target(id, push_id, address, key, stage, code, tries, demanded, lease, due_ms,"
        " event_ms, initiator_no, rule)"
        " SELECT ?2, ?3, address, key, 0, 0, 0, demanded, 0, ?4, 0, ?5, rule FROM target WHERE id = ?1",

    [SQ_WAITING_CALL] = "SELECT count(*) FROM (SELECT 1 FROM target"
                        " WHERE key = ?1 AND by_call = 1 AND stage < 2 AND lease <> ?2 LIMIT ?3)",
    [SQ_WAITING_REST] = "SELECT coalesce(sum(key = ?1 AND by_call = 0), 0), count(*) FROM"
                        " (SELECT key, by_call FROM target WHERE stage < 2 AND lease = ?2 LIMIT ?3)",
    [SQ_PUT_OFF] = "SELECT id, initiator_no FROM target WHERE key = ?1 AND by_call = 1 AND stage < 2"
                   " ORDER BY id LIMIT ?2",
    [SQ_WAKE] = "UPDATE target SET due_ms = ?2, by_call = 0 WHERE id = ?1",

    [SQ_INBOX] = "SELECT t.id, p.accepted_ms, p.expires_ms, p.priority, p.app_id, length(p.body)"
                 " FROM target t CROSS JOIN push p ON p.id = t.push_id"
                 " WHERE " IN_INBOX " AND t.id > ?2 AND p.expires_ms > ?3 ORDER BY t.id LIMIT ?4",
    [SQ_ITEM] = "SELECT " TARGET_COLUMNS " FROM target t WHERE " IN_INBOX " AND t.id = ?2",

    [SQ_PURGE_NEXT] = "SELECT id, targets_n, accepted_ms FROM push"
                      " WHERE id > ?1 AND id < (SELECT max(id) FROM push) ORDER BY id LIMIT 1",
    [SQ_PURGE_BUSY] = "SELECT 1 FROM target WHERE id >= ?1 AND id < ?1 + ?2"
                      " AND (stage < 2 OR event_ms >= ?3 OR notified = 1) LIMIT 1",
    [SQ_PURGE_LAST] = "SELECT max(id) FROM target WHERE id >= ?1 AND id < ?1 + ?2",
    [SQ_PURGE_ATTEMPTS] = "DELETE FROM attempt WHERE target_id >= ?1 AND target_id < ?1 + ?2",
    [SQ_PURGE_TARGETS] = "DELETE FROM target WHERE id >= ?1 AND id < ?1 + ?2",
    [SQ_PURGE_PUSH] = "DELETE FROM push WHERE id = ?1",
};
