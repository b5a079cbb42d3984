/* The contract of store.h; every case runs without the store's thread and with it.  A second engine passes the same
 * cases. */
#include "ppg/store/store.h"

#include <string.h>
#include <sys/stat.h>
#include "tests/unit/harness.h"
#include "tests/unit/ppg/store_fix.h"

static void in_both(void (*body)(struct fix *f))
{
    fix_in_both(test_scratch(), body);
}

static void reopen(struct fix *f)
{
    store_close(&f->s);
    CU_ASSERT_FATAL(fix_open(f) == ERR_OK);
}

static struct store_count counted(struct fix *f)
{
    struct store_count o = {.waiting = 0};

    CU_ASSERT(fix_run(f, &o.op, STORE_COUNT) == ERR_OK);
    return o;
}

static void insert_gives_ids_body(struct fix *f)
{
    struct store_insert a = {.push = fix_push("mms", "a", 3, 1000)};
    struct store_insert b = {.push = fix_push("mms", "b", 1, 1000)};

    CU_ASSERT(fix_run(f, &a.op, STORE_INSERT) == ERR_OK);
    CU_ASSERT(fix_run(f, &b.op, STORE_INSERT) == ERR_OK);
    CU_ASSERT(a.push->id > 0 && b.push->id > a.push->id);
    CU_ASSERT(a.push->targets[2].id == a.push->targets[0].id + 2);
    CU_ASSERT(b.push->targets[0].id > a.push->targets[2].id);
    ppg_push_drop(a.push);
    ppg_push_drop(b.push);
}

static void duplicate_is_refused_body(struct fix *f)
{
    static const struct {
        const char *initiator, *push_id;
        bool good;
    } rows[] = {
        {"mms", "1", true},  {"mms", "1", false},  {"bank", "1", true}, {"mms", "1 ", true},
        {"mms", "01", true}, {"bank", "1", false}, {"MMS", "1", true},  {"mms", "1", false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT((fix_insert(f, rows[i].initiator, rows[i].push_id, 2, 1, false) > 0) == rows[i].good);
    }
    CU_ASSERT(counted(f).waiting == 10);
    reopen(f);
    CU_ASSERT(fix_insert(f, "bank", "1", 1, 1, false) == 0);
}

/* One bad operation in the middle of a batch; the others are stored. */
static void batch_survives_failure_body(struct fix *f)
{
    struct store_insert o[5];
    struct list ops;

    list_init(&ops);
    for (size_t i = 0; i < COUNT(o); i++) {
        o[i] = (struct store_insert){
            .push = fix_push("mms", i == 3 ? "x1" : (const char[]){'x', (char)('0' + i), 0}, 1, 1)};
        o[i].op.kind = STORE_INSERT;
        o[i].op.loop = (unsigned)(i % 2);
        list_push_back(&ops, &o[i].op.link);
    }
    store_submit(f->s, &ops);
    CU_ASSERT(list_empty(&ops));
    fix_wait(f, COUNT(o));
    for (size_t i = 0; i < COUNT(o); i++) {
        CU_ASSERT(o[i].op.err == (i == 3 ? ERR_EXISTS : ERR_OK));
        CU_ASSERT((o[i].push->targets[0].id > 0) == (i != 3));
        ppg_push_drop(o[i].push);
    }
    CU_ASSERT(fix_claim(f, 10, 100) == 4);
}

static void claim_order_body(struct fix *f)
{
    static const int64_t due[] = {50, 10, 40, 20, 30, 10};
    struct store_claim o = {.now_ms = 40, .max = 3, .max_n = SIZE_MAX};
    int64_t ids[COUNT(due)];

    for (size_t i = 0; i < COUNT(due); i++)
        ids[i] = fix_insert(f, "mms", (const char[]){(char)('a' + i), 0}, 1, due[i], false);
    CU_ASSERT(fix_run(f, &o.op, STORE_CLAIM) == ERR_OK);
    CU_ASSERT_FATAL(fix_length(&o.targets) == 3);
    CU_ASSERT(container_of(o.targets.next, struct ppg_target, link)->id == ids[1]);
    CU_ASSERT(container_of(o.targets.next->next, struct ppg_target, link)->id == ids[5]);
    CU_ASSERT(container_of(o.targets.prev, struct ppg_target, link)->id == ids[3]);
    CU_ASSERT(o.more && o.next_due_ms == 30);
    fix_drop_claim(&o);
    CU_ASSERT(fix_run(f, &o.op, STORE_CLAIM) == ERR_OK);
    CU_ASSERT(fix_length(&o.targets) == 2 && !o.more && o.next_due_ms == 50);
    fix_drop_claim(&o);
    CU_ASSERT(fix_run(f, &o.op, STORE_CLAIM) == ERR_OK);
    CU_ASSERT(list_empty(&o.targets) && !o.more && o.next_due_ms == 50);
    fix_drop_claim(&o);
    o.now_ms = 50;
    CU_ASSERT(fix_run(f, &o.op, STORE_CLAIM) == ERR_OK);
    CU_ASSERT(fix_length(&o.targets) == 1 && o.next_due_ms == 0);
    fix_drop_claim(&o);
}

/* Every field that went in comes out, NUL octets and all. */
static void claim_loads_push_body(struct fix *f)
{
    struct store_insert in = {.push = fix_push("mms", "id with \"quotes\" 'n %s", 1, 7)};
    struct store_claim o = {.now_ms = 7, .max = 10, .max_n = 0};
    struct ppg_push *p = in.push;
    const struct ppg_target *t;

    p->source_ref = SLICE("src");
    p->network = SLICE("GSM");
    p->bearer = SLICE("SMS");
    p->app_id = SLICE("x-wap-application:mms.ua");
    p->initiator_uri = SLICE("https://mmsc.example.net");
    p->headers = SLICE("X-A: b\r\n");
    p->body = SLICE("a\0b\0");
    p->flags = PPG_AUTHENTICATED | PPG_HAS_QOS | 0x80000000u;
    p->version = 2;
    p->priority = PPG_PRIO_LOW;
    p->method = PPG_METHOD_UNCONFIRMED;
    p->asked = 2;
    p->not_before_ms = 5;
    p->targets[0].demanded = 1;
    p->targets[0].tries = 3;
    CU_ASSERT_FATAL(fix_run(f, &in.op, STORE_INSERT) == ERR_OK);
    CU_ASSERT_FATAL(fix_run(f, &o.op, STORE_CLAIM) == ERR_OK);
    CU_ASSERT_FATAL(fix_length(&o.targets) == 1);
    t = container_of(o.targets.next, struct ppg_target, link);
    CU_ASSERT(t->id == p->targets[0].id && t->due_ms == 7 && t->tries == 3 && t->demanded == 1 && t->leased);
    CU_ASSERT(t->stage == ST_WAITING && t->push != p && t->push->id == p->id);
    TEST_SLICE_EQ(t->address, SLICE("tel:1"));
    TEST_SLICE_EQ(t->key, SLICE("tel:1"));
    TEST_SLICE_EQ(t->push->initiator, p->initiator);
    TEST_SLICE_EQ(t->push->push_id, p->push_id);
    TEST_SLICE_EQ(t->push->source_ref, p->source_ref);
    TEST_SLICE_EQ(t->push->notify_url, p->notify_url);
    TEST_SLICE_EQ(t->push->network, p->network);
    TEST_SLICE_EQ(t->push->bearer, p->bearer);
    TEST_SLICE_EQ(t->push->app_id, p->app_id);
    TEST_SLICE_EQ(t->push->initiator_uri, p->initiator_uri);
    TEST_SLICE_EQ(t->push->content_type, p->content_type);
    TEST_SLICE_EQ(t->push->headers, p->headers);
    TEST_SLICE_EQ(t->push->body, p->body);
    CU_ASSERT(t->push->flags == p->flags && t->push->version == 2 && t->push->priority == p->priority);
    CU_ASSERT(t->push->method == p->method && t->push->asked == 2);
    CU_ASSERT(t->push->accepted_ms == p->accepted_ms && t->push->not_before_ms == 5);
    CU_ASSERT(t->push->expires_ms == p->expires_ms);
    CU_ASSERT(atomic_load(&t->push->refs) == 1);
    fix_drop_claim(&o);
    ppg_push_drop(p);
}

static void content_is_shared_body(struct fix *f)
{
    struct store_claim o = {.now_ms = 1, .max = 2000, .max_n = 8};
    struct ppg_push *p;

    CU_ASSERT(fix_insert(f, "mms", "many", 1000, 1, false) > 0);
    CU_ASSERT_FATAL(fix_run(f, &o.op, STORE_CLAIM) == ERR_OK);
    CU_ASSERT_FATAL(fix_length(&o.targets) == 1000);
    p = container_of(o.targets.next, struct ppg_target, link)->push;
    CU_ASSERT(atomic_load(&p->refs) == 1000);
    LIST_EACH (at, &o.targets)
        CU_ASSERT(container_of(at, struct ppg_target, link)->push == p);
    fix_drop_claim(&o);
}

static void big_bodies_body(struct fix *f)
{
    const size_t n = 1u << 20;
    struct store_claim o = {.now_ms = 1, .max = 10, .max_n = 2u << 20};
    char *body = malloc(n);

    CU_ASSERT_PTR_NOT_NULL_FATAL(body);
    for (size_t i = 0; i < n; i++)
        body[i] = (char)(i * 31 >> 3);
    for (size_t i = 0; i < 3; i++) {
        struct store_insert in = {.push = fix_push("mms", (const char[]){(char)('a' + i), 0}, 1, 1)};

        in.push->body = slice_of(body, n);
        CU_ASSERT(fix_run(f, &in.op, STORE_INSERT) == ERR_OK);
        ppg_push_drop(in.push);
    }
    CU_ASSERT_FATAL(fix_run(f, &o.op, STORE_CLAIM) == ERR_OK);
    CU_ASSERT(fix_length(&o.targets) == 2 && o.more); /* the third is past max_n */
    LIST_EACH (at, &o.targets)
        CU_ASSERT(slice_eq(container_of(at, struct ppg_target, link)->push->body, slice_of(body, n)));
    fix_drop_claim(&o);
    o.max_n = 1; /* one always goes */
    CU_ASSERT_FATAL(fix_run(f, &o.op, STORE_CLAIM) == ERR_OK);
    CU_ASSERT(fix_length(&o.targets) == 1 && !o.more);
    fix_drop_claim(&o);
    free(body);
}

static void lease_and_epoch_body(struct fix *f)
{
    CU_ASSERT(fix_insert(f, "mms", "held", 2, 5, true) > 0);
    CU_ASSERT(fix_insert(f, "mms", "free", 1, 3, false) > 0);
    CU_ASSERT(counted(f).leased == 2 && counted(f).waiting == 1);
    CU_ASSERT(fix_claim(f, 10, 100) == 1);
    CU_ASSERT(fix_claim(f, 10, 100) == 0);
    CU_ASSERT(counted(f).leased == 3 && counted(f).waiting == 0);
    reopen(f);
    CU_ASSERT(counted(f).leased == 0 && counted(f).waiting == 3);
    CU_ASSERT(fix_insert(f, "mms", "mine", 1, 4, true) > 0);
    CU_ASSERT(fix_claim(f, 10, 1) == 1);
    reopen(f); /* leases of two older runs now */
    CU_ASSERT(counted(f).waiting == 4);
    CU_ASSERT(fix_claim(f, 10, 100) == 4);
    CU_ASSERT(fix_claim(f, 10, 100) == 0);
}

/* Rows that two older runs held and rows that nobody held come in one order. */
static void order_across_epochs_body(struct fix *f)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f"};
    struct store_claim o = {.now_ms = 100, .max = 100, .max_n = SIZE_MAX};
    int64_t last = 0;

    for (size_t i = 0; i < COUNT(names); i++) {
        CU_ASSERT(fix_insert(f, "mms", names[i], 1, (int64_t)(COUNT(names) - i), i % 3 != 0) > 0);
        if (i % 2)
            reopen(f);
    }
    CU_ASSERT_FATAL(fix_run(f, &o.op, STORE_CLAIM) == ERR_OK);
    CU_ASSERT(fix_length(&o.targets) == COUNT(names) && o.next_due_ms == 0);
    LIST_EACH (at, &o.targets) {
        CU_ASSERT(container_of(at, struct ppg_target, link)->due_ms == last + 1);
        last++;
    }
    fix_drop_claim(&o);
}

static void move_body(struct fix *f)
{
    struct store_move o = {
        .target_id = fix_insert(f, "mms", "m", 1, 5, true), .due_ms = 50, .tries = 1, .keep = true};

    CU_ASSERT(fix_run(f, &o.op, STORE_MOVE) == ERR_OK);
    CU_ASSERT(fix_claim(f, 100, 10) == 0); /* still held */
    o.keep = false;
    CU_ASSERT(fix_run(f, &o.op, STORE_MOVE) == ERR_OK);
    CU_ASSERT(fix_claim(f, 49, 10) == 0);
    CU_ASSERT(fix_claim(f, 50, 10) == 1);
    CU_ASSERT(fix_finish(f, o.target_id, ST_EXPIRED, false) == ERR_OK);
    CU_ASSERT(fix_run(f, &o.op, STORE_MOVE) == ERR_LATE);
    o.target_id = 999;
    CU_ASSERT(fix_run(f, &o.op, STORE_MOVE) == ERR_LATE);
    CU_ASSERT(fix_claim(f, 100, 10) == 0);
}

static void finish_once_body(struct fix *f)
{
    static const struct {
        size_t target;
        enum err want;
    } rows[] = {{0, ERR_OK}, {0, ERR_LATE}, {1, ERR_OK}, {7, ERR_LATE}, {0, ERR_LATE}, {1, ERR_LATE}};
    int64_t first = fix_insert(f, "mms", "x", 3, 5, true);

    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row(i);
        CU_ASSERT(fix_finish(f, first + (int64_t)rows[i].target, ST_DELIVERED, true) == rows[i].want);
    }
    CU_ASSERT(counted(f).leased == 1 && counted(f).waiting == 0 && counted(f).notices == 2);
    reopen(f);
    CU_ASSERT(fix_claim(f, 10, 10) == 1);
    CU_ASSERT(fix_finish(f, first, ST_CANCELLED, true) == ERR_LATE);
    CU_ASSERT(counted(f).notices == 2);
}

static void final_at_insert_body(struct fix *f)
{
    struct store_insert in = {.push = fix_push("mms", "half", 2, 1)};

    in.push->targets[0].stage = ST_UNDELIVERABLE;
    in.push->targets[0].code = 2005;
    in.push->targets[0].leased = true;
    CU_ASSERT(fix_run(f, &in.op, STORE_INSERT) == ERR_OK);
    CU_ASSERT(counted(f).waiting == 1 && counted(f).leased == 0);
    CU_ASSERT(fix_claim(f, 10, 10) == 1);
    CU_ASSERT(fix_finish(f, in.push->targets[0].id, ST_DELIVERED, false) == ERR_LATE);
    ppg_push_drop(in.push);
}

static struct ppg_notice *one_notice(struct fix *f, struct store_notice_claim *o)
{
    CU_ASSERT(fix_run(f, &o->op, STORE_NOTICE_CLAIM) == ERR_OK);
    return list_empty(&o->notices) ? NULL : container_of(o->notices.next, struct ppg_notice, link);
}

static void notice_fields(const struct ppg_notice *n, int64_t target_id)
{
    CU_ASSERT(n->id == target_id && n->stage == ST_ABORTED && n->code == 1000 && n->tries == 0);
    CU_ASSERT(n->accepted_ms == 1000 && n->event_ms == 5000 && n->due_ms == 5000);
    TEST_SLICE_EQ(n->initiator, SLICE("mms"));
    TEST_SLICE_EQ(n->push_id, SLICE("n"));
    TEST_SLICE_EQ(n->url, SLICE("http://127.0.0.1/result"));
    TEST_SLICE_EQ(n->address, SLICE("tel:1"));
}

static void notice_life_body(struct fix *f)
{
    struct store_notice_claim o = {.now_ms = 5000, .max = 10};
    struct store_notice_move move = {.due_ms = 9000, .tries = 2};
    struct store_notice_done done = {.told = true, .code = 1000};
    int64_t id = fix_insert(f, "mms", "n", 1, 5, true);
    const struct ppg_notice *n;

    CU_ASSERT(fix_finish(f, id, ST_ABORTED, true) == ERR_OK);
    CU_ASSERT_PTR_NULL(one_notice(f, &o)); /* leased to this run by the finish */
    CU_ASSERT(o.next_due_ms == 0);
    reopen(f);
    n = one_notice(f, &o);
    CU_ASSERT_PTR_NOT_NULL_FATAL(n);
    notice_fields(n, id);
    done.notice_id = move.notice_id = n->id;
    fix_drop_notices(&o.notices);
    CU_ASSERT(fix_run(f, &move.op, STORE_NOTICE_MOVE) == ERR_OK);
    CU_ASSERT(one_notice(f, &o) == NULL && o.next_due_ms == 9000);
    o.now_ms = 9000;
    n = one_notice(f, &o);
    CU_ASSERT_PTR_NOT_NULL_FATAL(n);
    CU_ASSERT(n->tries == 2);
    fix_drop_notices(&o.notices);
    CU_ASSERT(fix_run(f, &done.op, STORE_NOTICE_DONE) == ERR_OK);
    CU_ASSERT(fix_run(f, &done.op, STORE_NOTICE_DONE) == ERR_LATE);
    CU_ASSERT(fix_run(f, &move.op, STORE_NOTICE_MOVE) == ERR_LATE);
    reopen(f);
    CU_ASSERT_PTR_NULL(one_notice(f, &o));
    CU_ASSERT(counted(f).notices == 0);
}

static void notice_batches_body(struct fix *f)
{
    struct store_notice_claim o = {.now_ms = 5000, .max = 2};
    int64_t id = fix_insert(f, "mms", "n", 5, 5, true);

    for (int64_t i = 0; i < 5; i++)
        CU_ASSERT(fix_finish(f, id + i, ST_DELIVERED, i != 2) == ERR_OK);
    reopen(f);
    for (size_t i = 0; i < 3; i++) {
        test_row(i);
        CU_ASSERT(fix_run(f, &o.op, STORE_NOTICE_CLAIM) == ERR_OK);
        CU_ASSERT(fix_length(&o.notices) == (i < 2 ? 2 : 0) && o.more == (i < 1));
        fix_drop_notices(&o.notices);
    }
}

static void numbers_never_repeat_body(struct fix *f)
{
    static const struct {
        uint8_t said;
        uint32_t floor, count, from, to;
        enum err want;
    } rows[] = {
        {1, 0, 10, 1, 11, ERR_OK},
        {2, 1, 5, 1, 6, ERR_OK},
        {1, 5, 1, 11, 12, ERR_OK}, /* a floor below what is used lowers nothing */
        {1, 0, UINT32_MAX, 0, 0, ERR_LATE},
        {1, 0, UINT32_MAX - 11, 0, 0, ERR_LATE},
        {1, 0, UINT32_MAX - 12, 12, UINT32_MAX, ERR_OK},
        {1, 0, 1, 0, 0, ERR_LATE},
        {2, 0, 1, 6, 7, ERR_OK},
        {2, 100, 3, 100, 103, ERR_OK},
        {2, 100, 3, 103, 106, ERR_OK},
        {3, 1000, 1, 1000, 1001, ERR_OK},
        {3, UINT32_MAX, 1, 0, 0, ERR_LATE},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct store_numbers o = {.said = {rows[i].said}, .floor = rows[i].floor, .count = rows[i].count};

        test_row(i);
        CU_ASSERT(fix_run(f, &o.op, STORE_NUMBERS) == rows[i].want);
        CU_ASSERT(o.from == rows[i].from && o.to == rows[i].to); /* untouched on failure */
        reopen(f);
    }
}

/* Sequence numbers of subscribers: from the floor or the last end, or where the terminal says; after a restart too. */
static void seq_body(struct fix *f)
{
    const uint64_t end = UINT64_C(1) << 43;
    const struct {
        const char *impi;
        uint64_t floor;
        bool set;
        uint32_t count;
        uint64_t from, to;
        enum err want;
    } rows[] = {
        {"a@home", 1, false, 16, 1, 17, ERR_OK},
        {"a@home", 1, false, 16, 17, 33, ERR_OK},
        {"b@home", 1, false, 4, 1, 5, ERR_OK},
        {"a@home", 100, false, 16, 100, 116, ERR_OK}, /* the files know of a higher one */
        {"a@home", 100, false, 16, 116, 132, ERR_OK},
        {"a@home", 50, true, 16, 50, 66, ERR_OK}, /* the terminal stands lower */
        {"a@home", 1, false, 16, 66, 82, ERR_OK},
        {"a@home", UINT64_C(1) << 40, true, 1, UINT64_C(1) << 40, (UINT64_C(1) << 40) + 1, ERR_OK},
        {"b@home", 1, false, 1, 5, 6, ERR_OK},
        {"b@home", end - 4, false, 5, 0, 0, ERR_LATE},
        {"b@home", end - 4, false, 4, end - 4, end, ERR_OK},
        {"b@home", 1, false, 1, 0, 0, ERR_LATE},
        {"b@home", UINT64_MAX, true, 1, 0, 0, ERR_LATE},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct store_seq o = {.impi = slice_str(rows[i].impi),
                              .floor = rows[i].floor,
                              .set = rows[i].set,
                              .count = rows[i].count};

        test_row(i);
        CU_ASSERT(fix_run(f, &o.op, STORE_SEQ) == rows[i].want);
        CU_ASSERT(o.from == rows[i].from && o.to == rows[i].to); /* untouched on failure */
        reopen(f);
    }
}

static void show_body(struct fix *f)
{
    struct store_show o = {.initiator = SLICE("mms"), .push_id = SLICE("s")};
    struct store_finish fin = {
        .stage = ST_UNDELIVERABLE, .code = 2500, .tries = 4, .event_ms = 77, .notify = true};
    struct store_notice_done done = {.told = false};
    char note[400];

    memset(note, 'n', sizeof note);
    CU_ASSERT(fix_run(f, &o.op, STORE_SHOW) == ERR_ABSENT);
    fin.target_id = fix_insert(f, "mms", "s", 2, 5, true);
    fin.record = (struct store_record){
        .bearer = SLICE("http"), .protection = SLICE("full by rule"), .note = slice_of(note, sizeof note)};
    CU_ASSERT(fix_run(f, &fin.op, STORE_FINISH) == ERR_OK);
    CU_ASSERT_FATAL(fix_run(f, &o.op, STORE_SHOW) == ERR_OK);
    CU_ASSERT(o.body_n == 5 && o.targets_n == 2 && o.push->body.n == 0);
    TEST_SLICE_EQ(o.push->content_type, SLICE("text/plain"));
    CU_ASSERT(o.targets[0].stage == ST_UNDELIVERABLE && o.targets[0].code == 2500 && o.targets[0].tries == 4);
    CU_ASSERT(o.targets[0].event_ms == 77 && o.targets[0].notified == 1 && !o.targets[0].leased);
    TEST_SLICE_EQ(o.targets[0].bearer, SLICE("http"));
    TEST_SLICE_EQ(o.targets[0].protection, SLICE("full by rule"));
    CU_ASSERT(o.targets[0].note.n == 255);
    CU_ASSERT(o.targets[1].stage == ST_WAITING && o.targets[1].leased && o.targets[1].event_ms == 0);
    CU_ASSERT(o.targets[1].notified == 0 && o.targets[1].id == fin.target_id + 1 && o.targets[1].due_ms == 5);
    TEST_SLICE_EQ(o.targets[1].address, SLICE("tel:2"));
    ppg_push_drop(o.push);
    done.notice_id = fin.notice_id;
    CU_ASSERT(fix_run(f, &done.op, STORE_NOTICE_DONE) == ERR_OK);
    CU_ASSERT_FATAL(fix_run(f, &o.op, STORE_SHOW) == ERR_OK);
    CU_ASSERT(o.targets[0].notified == 3);
    ppg_push_drop(o.push);
}

static void show_any_initiator_body(struct fix *f)
{
    static const struct {
        const char *initiator, *push_id, *want;
    } rows[] = {
        {"", "same", "bank"}, {"mms", "same", "mms"}, {"nobody", "same", NULL},
        {"", "other", NULL},  {"mms", "Same", NULL},  {"", "", NULL},
    };

    CU_ASSERT(fix_insert(f, "zoo", "same", 1, 5, true) > 0);
    CU_ASSERT(fix_insert(f, "mms", "same", 1, 5, true) > 0);
    CU_ASSERT(fix_insert(f, "bank", "same", 1, 5, true) > 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct store_show o = {.initiator = slice_str(rows[i].initiator),
                               .push_id = slice_str(rows[i].push_id)};

        test_row(i);
        CU_ASSERT(fix_run(f, &o.op, STORE_SHOW) == (rows[i].want ? ERR_OK : ERR_ABSENT));
        CU_ASSERT((o.push != NULL) == (rows[i].want != NULL));
        if (o.push)
            TEST_SLICE_EQ(o.push->initiator, slice_str(rows[i].want));
        ppg_push_drop(o.push);
    }
}

/* An attempt is noted before it begins; what a later record leaves out stays. */
static void record_stays_body(struct fix *f)
{
    struct store_show o = {.push_id = SLICE("r")};
    struct store_move move = {.tries = 1, .keep = true, .record = {.bearer = SLICE("sip")}};

    move.target_id = fix_insert(f, "mms", "r", 1, 5, true);
    CU_ASSERT(fix_run(f, &move.op, STORE_MOVE) == ERR_OK);
    move.record = (struct store_record){.note = SLICE("busy")};
    CU_ASSERT(fix_run(f, &move.op, STORE_MOVE) == ERR_OK);
    CU_ASSERT(fix_finish(f, move.target_id, ST_EXPIRED, false) == ERR_OK);
    CU_ASSERT_FATAL(fix_run(f, &o.op, STORE_SHOW) == ERR_OK);
    TEST_SLICE_EQ(o.targets[0].bearer, SLICE("sip"));
    TEST_SLICE_EQ(o.targets[0].note, SLICE("busy"));
    ppg_push_drop(o.push);
}

static size_t purged(struct fix *f, int64_t before_ms, size_t max)
{
    struct store_purge o = {.before_ms = before_ms, .max = max};

    CU_ASSERT(fix_run(f, &o.op, STORE_PURGE) == ERR_OK);
    return o.gone;
}

static void purge_body(struct fix *f)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "newest"};
    int64_t ids[COUNT(names)];

    for (size_t i = 0; i < COUNT(names); i++)
        ids[i] = fix_insert(f, "mms", names[i], 2, 5, true);
    for (size_t i = 0; i < COUNT(names); i++) {
        CU_ASSERT(fix_finish(f, ids[i], ST_DELIVERED, i == 1) == ERR_OK);
        if (i != 2)
            CU_ASSERT(fix_finish(f, ids[i] + 1, ST_DELIVERED, false) == ERR_OK);
    }
    CU_ASSERT(purged(f, 5000, 100) == 0); /* final at 5000, so not before it */
    CU_ASSERT(purged(f, 5001, 2) == 2);   /* a, d */
    CU_ASSERT(purged(f, 5001, 2) == 1);   /* e; b owes a notice, c has an open target */
    CU_ASSERT(purged(f, 5001, 100) == 0);
    CU_ASSERT(fix_insert(f, "mms", "b", 1, 5, true) == 0);
    CU_ASSERT(fix_insert(f, "mms", "c", 1, 5, true) == 0);
    CU_ASSERT(fix_insert(f, "mms", "newest", 1, 5, true) == 0);
    CU_ASSERT(fix_insert(f, "mms", "a", 1, 5, true) > ids[5] + 1); /* the name is free again, the id is new */
    CU_ASSERT(purged(f, 5001, 100) == 1);                          /* it is not the newest any more */
}

static void ids_survive_purge_body(struct fix *f)
{
    int64_t id = fix_insert(f, "mms", "a", 3, 5, true);

    for (int64_t i = 0; i < 3; i++)
        CU_ASSERT(fix_finish(f, id + i, ST_DELIVERED, false) == ERR_OK);
    CU_ASSERT(purged(f, 9000, 10) == 0);
    reopen(f);
    CU_ASSERT(fix_insert(f, "mms", "b", 1, 5, true) == id + 3);
}

/* Room that a purge frees is used again. */
static void file_stops_growing_body(struct fix *f)
{
    uint64_t after_first = 0;
    char name[32];

    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < 200; i++) {
            (void)snprintf(name, sizeof name, "%d", round * 200 + i);
            CU_ASSERT(fix_finish(f, fix_insert(f, "mms", name, 1, 5, true), ST_DELIVERED, false) == ERR_OK);
        }
        (void)purged(f, 6000, 1000);
        if (round == 1)
            after_first = counted(f).file_n;
    }
    CU_ASSERT(after_first > 0 && counted(f).file_n <= after_first + 16384);
}

static void backup_body(struct fix *f)
{
    char path[320];
    struct store_backup o = {.path = path};
    struct store_numbers num = {.said = {9}, .count = 5};
    struct store_seq seq = {.impi = SLICE("a@home"), .floor = 1, .count = 5};
    struct store_sa_keep keep = {.sa = {.terminal = SLICE("+1"), .expires_s = 9, .octets = SLICE("o")}};
    struct store_sa_find find = {.terminal = SLICE("+1")};
    struct fix copy;
    struct stat st;

    (void)snprintf(path, sizeof path, "%s.copy", f->path);
    fix_remove_at(path);
    CU_ASSERT(fix_run(f, &num.op, STORE_NUMBERS) == ERR_OK);
    CU_ASSERT(fix_run(f, &seq.op, STORE_SEQ) == ERR_OK);
    CU_ASSERT(fix_run(f, &keep.op, STORE_SA_KEEP) == ERR_OK);
    for (int i = 0; i < 300; i++)
        CU_ASSERT(fix_insert(f, "mms",
                             (const char[]){(char)('0' + i / 100), (char)('0' + i / 10 % 10),
                                            (char)('0' + i % 10), 0},
                             10, 5, true) > 0);
    CU_ASSERT(fix_run(f, &o.op, STORE_BACKUP) == ERR_OK);
    CU_ASSERT(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    CU_ASSERT(fix_run(f, &o.op, STORE_BACKUP) == ERR_EXISTS);
    fix_init(&copy, test_scratch(), "store.db.copy", true);
    CU_ASSERT_FATAL(fix_open(&copy) == ERR_OK);
    CU_ASSERT(strcmp(store_name(copy.s), store_name(f->s)) != 0);
    CU_ASSERT(fix_claim(&copy, 10, 10000) == 3000);
    CU_ASSERT(fix_run(&copy, &num.op, STORE_NUMBERS) == ERR_OK);
    CU_ASSERT(num.from == 6 + (1u << 24));
    CU_ASSERT(fix_run(&copy, &seq.op, STORE_SEQ) == ERR_OK && seq.from == 6 + (1u << 24));
    CU_ASSERT(fix_run(&copy, &find.op, STORE_SA_FIND) == ERR_OK && find.n == 0);
    arena_clear(&find.mem);
    fix_clear(&copy);
    fix_remove_at(path);
    o.path = "/nowhere/at/all";
    CU_ASSERT(fix_run(f, &o.op, STORE_BACKUP) == ERR_IO);
    CU_ASSERT(fix_run(f, &num.op, STORE_NUMBERS) == ERR_OK && num.from == 6);
}

static void submit_one(struct fix *f, struct store_op *op, enum store_kind kind)
{
    struct list ops;

    op->kind = kind;
    list_init(&ops);
    list_push_back(&ops, &op->link);
    store_submit(f->s, &ops);
}

/* What is stored while a copy is taken is in the copy: the push of 2 MiB makes it take several steps. */
static void backup_while_writing_body(struct fix *f)
{
    char path[320];
    struct store_backup o = {.path = path};
    struct store_insert big = {.push = fix_push("mms", "before", 5, 5)};
    struct store_insert more = {.push = fix_push("mms", "while", 7, 5)};
    char *body = calloc(2, 1u << 20);
    struct fix copy;

    (void)snprintf(path, sizeof path, "%s.copy", f->path);
    fix_remove_at(path);
    CU_ASSERT_PTR_NOT_NULL_FATAL(body);
    big.push->body = slice_of(body, 2u << 20);
    CU_ASSERT(fix_run(f, &big.op, STORE_INSERT) == ERR_OK);
    submit_one(f, &o.op, STORE_BACKUP);
    if (f->conf.no_thread)
        CU_ASSERT(store_turn(f->s) && list_empty(&f->done));
    submit_one(f, &more.op, STORE_INSERT);
    fix_wait(f, 2);
    CU_ASSERT(o.op.err == ERR_OK && more.op.err == ERR_OK);
    fix_init(&copy, test_scratch(), "store.db.copy", true);
    CU_ASSERT_FATAL(fix_open(&copy) == ERR_OK);
    CU_ASSERT(fix_claim(&copy, 10, 100) >= (f->conf.no_thread ? 12 : 5));
    fix_clear(&copy);
    fix_remove_at(path);
    ppg_push_drop(big.push);
    ppg_push_drop(more.push);
    free(body);
}

static void second_program_is_refused_body(struct fix *f)
{
    struct fix other;

    fix_init(&other, test_scratch(), "store.db", true);
    CU_ASSERT(fix_open(&other) == ERR_EXISTS);
    CU_ASSERT_PTR_NULL(other.s);
    CU_ASSERT_PTR_NOT_NULL(strstr(other.why, "in use"));
    fix_clear(&other);
    CU_ASSERT(fix_insert(f, "mms", "still", 1, 1, false) > 0);
}

static void identity_stays_body(struct fix *f)
{
    char name[32];

    (void)snprintf(name, sizeof name, "%s", store_name(f->s));
    CU_ASSERT(strspn(name, "0123456789abcdef") == 16 && strlen(name) == 16);
    reopen(f);
    CU_ASSERT_STRING_EQUAL(store_name(f->s), name);
}

static void close_runs_the_queue_body(struct fix *f)
{
    struct store_insert o = {.op = {.kind = STORE_INSERT}, .push = fix_push("mms", "late", 1, 1)};
    struct list ops;

    list_init(&ops);
    list_push_back(&ops, &o.op.link);
    store_submit(f->s, &ops);
    reopen(f);
    CU_ASSERT(o.op.err == ERR_OK && o.push->id > 0);
    list_init(&f->done);
    ppg_push_drop(o.push);
    CU_ASSERT(fix_claim(f, 1, 1) == 1);
}

static void full_is_advice(void)
{
    struct store_count o[3];
    struct list ops;
    struct fix f;

    fix_init(&f, test_scratch(), "full.db", true);
    f.conf.pending_max = 3;
    CU_ASSERT_FATAL(fix_open(&f) == ERR_OK);
    list_init(&ops);
    for (size_t i = 0; i < COUNT(o); i++) {
        CU_ASSERT(!store_full(f.s));
        o[i] = (struct store_count){.op = {.kind = STORE_COUNT}};
        list_push_back(&ops, &o[i].op.link);
        store_submit(f.s, &ops);
    }
    CU_ASSERT(store_full(f.s));
    CU_ASSERT(store_turn(f.s));
    CU_ASSERT(!store_full(f.s) && fix_length(&f.done) == 3);
    CU_ASSERT(!store_turn(f.s));
    fix_clear(&f);
}

static struct {
    unsigned loop[8];
    size_t n;
} seen;

static void note_loop(void *arg, unsigned loop, struct list *done)
{
    LIST_EACH (at, done)
        CU_ASSERT(container_of(at, struct store_op, link)->loop == loop);
    seen.loop[seen.n++ % COUNT(seen.loop)] = loop;
    fix_post(arg, loop, done);
}

static void posts_once_a_loop(void)
{
    struct store_count o[6];
    struct list ops;
    struct fix f;

    fix_init(&f, test_scratch(), "loops.db", true);
    f.conf.post = note_loop;
    f.conf.loops = 3;
    seen.n = 0;
    CU_ASSERT_FATAL(fix_open(&f) == ERR_OK);
    list_init(&ops);
    for (size_t i = 0; i < COUNT(o); i++) {
        o[i] = (struct store_count){.op = {.kind = STORE_COUNT, .loop = i % 2 ? 2 : 0}};
        list_push_back(&ops, &o[i].op.link);
    }
    store_submit(f.s, &ops);
    CU_ASSERT(store_turn(f.s));
    CU_ASSERT(seen.n == 2 && seen.loop[0] == 0 && seen.loop[1] == 2);
    fix_clear(&f);
}

#define LOAD_THREADS 4
#define LOAD_PUSHES  200

struct loader {
    struct fix *f;
    int no;
};

static void loader_done(struct store_op *op)
{
    CU_ASSERT(op->err == ERR_OK);
    ppg_push_drop(container_of(op, struct store_insert, op)->push);
    free(container_of(op, struct store_insert, op));
}

static void *loader_main(void *arg)
{
    const struct loader *l = arg;
    struct list ops;
    char name[32];

    for (int i = 0; i < LOAD_PUSHES; i++) {
        struct store_insert *o = calloc(1, sizeof *o);

        MUST(o != NULL);
        (void)snprintf(name, sizeof name, "%d-%d", l->no, i);
        o->op = (struct store_op){.kind = STORE_INSERT, .loop = (unsigned)(i % 2), .done = loader_done};
        o->push = fix_push("mms", name, 1, 1);
        list_init(&ops);
        list_push_back(&ops, &o->op.link);
        store_submit(l->f->s, &ops);
    }
    return NULL;
}

static void many_submitters(void)
{
    struct loader loaders[LOAD_THREADS];
    pthread_t threads[LOAD_THREADS];
    struct fix f;

    fix_init(&f, test_scratch(), "many.db", false);
    CU_ASSERT_FATAL(fix_open(&f) == ERR_OK);
    for (int i = 0; i < LOAD_THREADS; i++) {
        loaders[i] = (struct loader){&f, i};
        CU_ASSERT_FATAL(pthread_create(&threads[i], NULL, loader_main, &loaders[i]) == 0);
    }
    fix_wait(&f, LOAD_THREADS * LOAD_PUSHES);
    for (int i = 0; i < LOAD_THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    CU_ASSERT(fix_claim(&f, 1, 10000) == LOAD_THREADS * LOAD_PUSHES);
    fix_clear(&f);
}

#define BOTH(name)                                                                                           \
    static void name(void)                                                                                   \
    {                                                                                                        \
        in_both(name##_body);                                                                                \
    }
BOTH(insert_gives_ids)
BOTH(duplicate_is_refused)
BOTH(batch_survives_failure)
BOTH(claim_order)
BOTH(claim_loads_push)
BOTH(content_is_shared)
BOTH(big_bodies)
BOTH(lease_and_epoch)
BOTH(order_across_epochs)
BOTH(move)
BOTH(finish_once)
BOTH(final_at_insert)
BOTH(notice_life)
BOTH(notice_batches)
BOTH(numbers_never_repeat)
BOTH(seq)
BOTH(show)
BOTH(show_any_initiator)
BOTH(record_stays)
BOTH(purge)
BOTH(ids_survive_purge)
BOTH(file_stops_growing)
BOTH(backup)
BOTH(backup_while_writing)
BOTH(second_program_is_refused)
BOTH(identity_stays)
BOTH(close_runs_the_queue)

const struct test_case test_cases[] = {
    {"insert_gives_ids", insert_gives_ids},
    {"duplicate_is_refused", duplicate_is_refused},
    {"batch_survives_failure", batch_survives_failure},
    {"claim_order", claim_order},
    {"claim_loads_push", claim_loads_push},
    {"content_is_shared", content_is_shared},
    {"big_bodies", big_bodies},
    {"lease_and_epoch", lease_and_epoch},
    {"order_across_epochs", order_across_epochs},
    {"move", move},
    {"finish_once", finish_once},
    {"final_at_insert", final_at_insert},
    {"notice_life", notice_life},
    {"notice_batches", notice_batches},
    {"numbers_never_repeat", numbers_never_repeat},
    {"seq", seq},
    {"show", show},
    {"show_any_initiator", show_any_initiator},
    {"record_stays", record_stays},
    {"purge", purge},
    {"ids_survive_purge", ids_survive_purge},
    {"file_stops_growing", file_stops_growing},
    {"backup", backup},
    {"backup_while_writing", backup_while_writing},
    {"second_program_is_refused", second_program_is_refused},
    {"identity_stays", identity_stays},
    {"close_runs_the_queue", close_runs_the_queue},
    {"full_is_advice", full_is_advice},
    {"posts_once_a_loop", posts_once_a_loop},
    {"many_submitters", many_submitters},
    {NULL, NULL},
};
