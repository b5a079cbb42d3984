/* What the store's thread can take, beside bare SQLite: rows a second at 100 rows a commit, submissions a second in
 * groups of 64, finishes of the same, a cancel of ten thousand targets, and the time to open a database in which a million
 * wait and to claim from it.  Durable throughout.  The peer writes
 * rows of the same columns and octets with prepared statements in one thread, into tables without secondary indexes
 * and with a checkpoint as often as ours at most; the two take turns and the medians are compared.  Needs 1 GB of room
 * in $TMPDIR or /tmp; removed afterwards. */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "ppg/store/schema.h"
#include "tests/unit/ppg/store_fix.h"

#define ROUNDS      7
#define ROUND_ROWS  40000 /* a push and a target are two rows */
#define PEER_COMMIT 100   /* rows */
#define OURS_GROUP  50    /* submissions: the same 100 rows */
#define SUBMIT_N    60000
#define SUBMIT_BY   64
#define QUEUED_N    1000000
#define QUEUED_BY   10000 /* targets a push */

static char folder[256];

static double now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double median(double *v, size_t n)
{
    qsort(v, n, sizeof *v, by_size);
    return v[n / 2];
}

/* One submission with its texts; 600 octets of content. */
struct item {
    struct store_insert o;
    struct ppg_push push;
    struct ppg_target target;
    char push_id[48];
    char address[48];
};

static char content[600];

static void item_fill(struct item *it, unsigned long no)
{
    struct ppg_push *p = &it->push;

    (void)snprintf(it->push_id, sizeof it->push_id, "2024-%08lu@mms.example.net", no);
    (void)snprintf(it->address, sizeof it->address, "tel:+1555%07lu", no % 10000000);
    p->initiator = SLICE("mms");
    p->push_id = slice_str(it->push_id);
    p->notify_url = SLICE("http://127.0.0.1:8080/result");
    p->content_type = SLICE("application/vnd.wap.mms-message");
    p->headers = SLICE("X-Wap-Application-Id: x-wap-application:mms.ua\r\n");
    p->body = slice_of(content, sizeof content);
    p->accepted_ms = p->expires_ms = 1700000000000 + (int64_t)no;
    p->targets = &it->target;
    p->targets_n = 1;
    it->target.address = it->target.key = slice_str(it->address);
    it->target.due_ms = p->accepted_ms;
    it->target.leased = true;
    it->target.rule = SLICE("whitelist.conf:12 allow mms +1555*");
    p->how = SLICE("digest mms");
    it->o.push = p;
    it->o.op.kind = STORE_INSERT;
}

/* n submissions in groups; two groups are in flight, so that the store's thread never waits for us.  Seconds. */
static double ours(struct fix *f, unsigned long from, size_t n, size_t group)
{
    struct item *items = calloc(n, sizeof *items);
    double t;
    struct list ops;
    size_t sent = 0;
    size_t back = 0;

    MUST(items != NULL);
    for (size_t i = 0; i < n; i++)
        item_fill(&items[i], from + i);
    list_init(&ops);
    t = now_s();
    for (size_t groups = 0; sent < n; groups++) {
        size_t stop = sent + group < n ? sent + group : n;

        if (groups >= 2) {
            fix_wait(f, group);
            back += group;
        }
        while (sent < stop)
            list_push_back(&ops, &items[sent++].o.op.link);
        store_submit(f->s, &ops);
    }
    fix_wait(f, n - back);
    t = now_s() - t;
    for (size_t i = 0; i < n; i++)
        MUST(!items[i].o.op.err);
    free(items);
    return t;
}

struct peer {
    sqlite3 *db;
    sqlite3_stmt *push;
    sqlite3_stmt *target;
};

static void peer_exec(struct peer *p, const char *sql)
{
    MUST(sqlite3_exec(p->db, sql, NULL, NULL, NULL) == SQLITE_OK);
}

static void peer_open(struct peer *p)
{
    char path[300];

    (void)snprintf(path, sizeof path, "%s/peer.db", folder);
    fix_remove_at(path);
    MUST(sqlite3_open(path, &p->db) == SQLITE_OK);
    peer_exec(p, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4096;");
    for (size_t i = 0; i < SCHEMA_VERSION; i++)
        peer_exec(p, schema_steps[i]);
    peer_exec(p, "DROP INDEX push_name; DROP INDEX target_open;");
    MUST(sqlite3_prepare_v2(
             p->db, "INSERT INTO push VALUES(?1,1,?2,1,?3,0,?3,0,0,0,0,0,'',?4,'','','','',?5,?6,?7,?8)", -1,
             &p->push, NULL) == SQLITE_OK);
    MUST(sqlite3_prepare_v2(
             p->db,
             "INSERT INTO target(id, push_id, address, key, stage, code, tries, demanded, lease,"
             " due_ms, event_ms, initiator_no, rule) VALUES(?1,?1,?2,?2,0,0,0,0,1,?3,0,1,?4)",
             -1, &p->target, NULL) == SQLITE_OK);
}

static void peer_text(sqlite3_stmt *st, int at, struct slice s)
{
    (void)sqlite3_bind_text(st, at, s.p, (int)s.n, SQLITE_STATIC);
}

static void peer_row(struct peer *p, const struct item *it, sqlite3_int64 id)
{
    (void)sqlite3_bind_int64(p->push, 1, id);
    peer_text(p->push, 2, it->push.push_id);
    (void)sqlite3_bind_int64(p->push, 3, it->push.accepted_ms);
    peer_text(p->push, 4, it->push.notify_url);
    peer_text(p->push, 5, it->push.content_type);
    peer_text(p->push, 6, it->push.headers);
    (void)sqlite3_bind_blob(p->push, 7, content, sizeof content, SQLITE_STATIC);
    peer_text(p->push, 8, it->push.how);
    MUST(sqlite3_step(p->push) == SQLITE_DONE);
    (void)sqlite3_reset(p->push);
    (void)sqlite3_bind_int64(p->target, 1, id);
    peer_text(p->target, 2, it->target.address);
    (void)sqlite3_bind_int64(p->target, 3, it->target.due_ms);
    peer_text(p->target, 4, it->target.rule);
    MUST(sqlite3_step(p->target) == SQLITE_DONE);
    (void)sqlite3_reset(p->target);
}

static double theirs(struct peer *p, unsigned long from, size_t n)
{
    struct item *items = calloc(n, sizeof *items);
    double t;

    MUST(items != NULL);
    for (size_t i = 0; i < n; i++)
        item_fill(&items[i], from + i);
    t = now_s();
    for (size_t i = 0; i < n; i++) {
        if (i % (PEER_COMMIT / 2) == 0)
            peer_exec(p, i ? "COMMIT; BEGIN" : "BEGIN");
        peer_row(p, &items[i], (sqlite3_int64)(from + i + 1));
    }
    peer_exec(p, "COMMIT");
    t = now_s() - t;
    free(items);
    return t;
}

static void rows(struct fix *f)
{
    double a[ROUNDS], b[ROUNDS];
    double mine, peers;
    struct peer p;
    char path[300];

    peer_open(&p);
    for (unsigned long i = 0; i < ROUNDS; i++) {
        a[i] = ROUND_ROWS / ours(f, i * ROUND_ROWS, ROUND_ROWS / 2, OURS_GROUP);
        b[i] = ROUND_ROWS / theirs(&p, i * ROUND_ROWS, ROUND_ROWS / 2);
    }
    mine = median(a, ROUNDS);
    peers = median(b, ROUNDS);
    (void)printf("bench store_rows ours=%.0f peer=%.0f ratio=%.2f\n", mine, peers, mine / peers);
    (void)sqlite3_finalize(p.push);
    (void)sqlite3_finalize(p.target);
    (void)sqlite3_close(p.db);
    (void)snprintf(path, sizeof path, "%s/peer.db", folder);
    fix_remove_at(path);
}

static void submissions(struct fix *f)
{
    double v[3];

    for (unsigned long i = 0; i < 3; i++)
        v[i] = SUBMIT_N / ours(f, 50000000 + i * SUBMIT_N, SUBMIT_N, SUBMIT_BY);
    (void)printf("bench store_submissions ours=%.0f\n", median(v, 3));
}

/* The other half of a push's life: finishes a second, against the inserts of the same targets in the same run. */
static void finishes(struct fix *f)
{
    struct store_finish *fin = calloc(SUBMIT_N, sizeof *fin);
    double inserted = ours(f, 90000000, SUBMIT_N, SUBMIT_BY);
    int64_t last = fix_insert(f, "mms", "behind the others", 1, 1, false);
    struct list ops;
    double t;

    MUST(fin != NULL);
    list_init(&ops);
    t = now_s();
    for (size_t i = 0; i < SUBMIT_N; i++) {
        fin[i] = (struct store_finish){.op = {.kind = STORE_FINISH},
                                       .target_id = last - SUBMIT_N + (int64_t)i,
                                       .stage = ST_DELIVERED,
                                       .code = 1000,
                                       .tries = 1,
                                       .event_ms = 1,
                                       .record = {.bearer = SLICE("http"),
                                                  .protection = SLICE("full: asked"),
                                                  .note = SLICE("200 OK"),
                                                  .began_ms = 1700000000000,
                                                  .wire_n = 900}};
        list_push_back(&ops, &fin[i].op.link);
        if (i % SUBMIT_BY == SUBMIT_BY - 1) {
            store_submit(f->s, &ops);
            if (i > SUBMIT_BY)
                fix_wait(f, SUBMIT_BY);
        }
    }
    store_submit(f->s, &ops);
    fix_wait(f, SUBMIT_BY + SUBMIT_N % SUBMIT_BY);
    t = now_s() - t;
    (void)printf("bench store_finishes ours=%.0f inserts=%.0f ratio=%.2f\n", SUBMIT_N / t,
                 SUBMIT_N / inserted, inserted / t);
    free(fin);
}

/* A push to ten thousand is cancelled whole. */
static void cancel(struct fix *f)
{
    struct store_cancel o = {.initiator = SLICE("bulk"), .push_id = SLICE("taken back"), .event_ms = 1};
    double t;

    MUST(fix_insert(f, "bulk", "taken back", QUEUED_BY, 1900000000000, false) > 0);
    t = now_s();
    MUST(!fix_run(f, &o.op, STORE_CANCEL));
    t = now_s() - t;
    MUST(o.targets_n == QUEUED_BY);
    arena_clear(&o.mem);
    (void)printf("bench store_cancel targets=%d ms=%.1f\n", QUEUED_BY, t * 1e3);
}

/* A million targets, all leased to the run that ends here: the worst a restart can meet.  Claimed when they are due, and
 * when none of them is: then the length of the queue must not show. */
static void restart(struct fix *f)
{
    struct store_claim claim = {.now_ms = INT64_MAX, .max = 1000, .max_n = 1u << 24};
    struct store_claim early = {.now_ms = 0, .max = 1000, .max_n = 1u << 24};
    struct store_queue queue = {.max = 20, .heads_max = 20};
    char name[32];
    double t[5];

    for (int i = 0; i < QUEUED_N / QUEUED_BY; i++) {
        (void)snprintf(name, sizeof name, "queued %d", i);
        MUST(fix_insert(f, i % 10 ? "bulk" : name, name, QUEUED_BY, 1700000000000 + i, true) > 0);
    }
    store_close(&f->s);
    t[0] = now_s();
    MUST(!fix_open(f));
    t[1] = now_s();
    MUST(!fix_run(f, &early.op, STORE_CLAIM));
    t[2] = now_s();
    MUST(list_empty(&early.targets));
    MUST(!fix_run(f, &claim.op, STORE_CLAIM));
    t[3] = now_s();
    MUST(!fix_run(f, &queue.op, STORE_QUEUE));
    t[4] = now_s();
    (void)printf(
        "bench store_restart queued=%d claimed=%zu ms=%.0f open_ms=%.0f nothing_due_ms=%.2f queue_ms=%.0f\n",
        QUEUED_N, fix_length(&claim.targets), (t[3] - t[0]) * 1e3, (t[1] - t[0]) * 1e3, (t[2] - t[1]) * 1e3,
        (t[4] - t[3]) * 1e3);
    fix_drop_claim(&early);
    fix_drop_claim(&claim);
    arena_clear(&queue.mem);
}

int main(void)
{
    const char *tmp = getenv("TMPDIR");
    struct fix f;

    (void)snprintf(folder, sizeof folder, "%s/ppg-bench-XXXXXX", tmp ? tmp : "/tmp");
    MUST(mkdtemp(folder) != NULL);
    memset(content, 'c', sizeof content);
    fix_init(&f, folder, "store.db", false);
    f.conf.pending_max = 100000;
    MUST(!fix_open(&f));
    rows(&f);
    submissions(&f);
    finishes(&f);
    cancel(&f);
    restart(&f);
    fix_clear(&f);
    fix_remove_at(f.path);
    (void)rmdir(folder);
    return 0;
}
