/* Cancelling and replacing, by the contract of store.h; every case runs without the store's thread and with it. */
#include <string.h>
#include "tests/unit/harness.h"
#include "tests/unit/ppg/store_fix.h"

static void in_both(void (*body)(struct fix *f))
{
    fix_in_both(test_scratch(), body);
}

static struct store_count counted(struct fix *f)
{
    struct store_count o = {.waiting = 0};

    CU_ASSERT(fix_run(f, &o.op, STORE_COUNT) == ERR_OK);
    return o;
}

static struct store_cancel cancel_of(const char *initiator, const char *push_id)
{
    return (struct store_cancel){.initiator = slice_str(initiator),
                                 .push_id = slice_str(push_id),
                                 .event_ms = 700,
                                 .note = SLICE("cancelled by its initiator")};
}

/* Runs it and compares the answer with letters: D done, L late, H held, S stranger. */
static enum err cancels(struct fix *f, struct store_cancel *o, const char *want)
{
    static const char letters[] = {[STORE_CANCEL_DONE] = 'D',
                                   [STORE_CANCEL_LATE] = 'L',
                                   [STORE_CANCEL_HELD] = 'H',
                                   [STORE_CANCEL_STRANGER] = 'S'};
    enum err e = fix_run(f, &o->op, STORE_CANCEL);

    CU_ASSERT(o->targets_n == strlen(want));
    for (size_t i = 0; i < o->targets_n && i < strlen(want); i++)
        CU_ASSERT(letters[o->targets[i].what] == want[i]);
    return e;
}

/* Stages of a push as letters: w waiting, d delivered, u undeliverable, x expired, a aborted, t timeout, c cancelled. */
static void stages_are(struct fix *f, const char *push_id, const char *want)
{
    struct store_show o = {.push_id = slice_str(push_id)};

    CU_ASSERT_FATAL(fix_run(f, &o.op, STORE_SHOW) == ERR_OK);
    CU_ASSERT(o.targets_n == strlen(want));
    for (size_t i = 0; i < o.targets_n && i < strlen(want); i++)
        CU_ASSERT("w.duxatc"[o.targets[i].stage] == want[i]);
    ppg_push_drop(o.push);
}

/* How many are owed and free, and that each comes once. */
static size_t owed(struct fix *f)
{
    struct store_notice_claim o = {.now_ms = INT64_MAX, .max = 100000};
    size_t n;

    CU_ASSERT(fix_run(f, &o.op, STORE_NOTICE_CLAIM) == ERR_OK);
    n = fix_length(&o.notices);
    fix_drop_notices(&o.notices);
    CU_ASSERT(fix_run(f, &o.op, STORE_NOTICE_CLAIM) == ERR_OK);
    CU_ASSERT(list_empty(&o.notices));
    return n;
}

static void all_that_waits_body(struct fix *f)
{
    struct store_cancel o = cancel_of("mms", "p");
    int64_t id = fix_insert(f, "mms", "p", 4, 100, false);

    CU_ASSERT(fix_finish(f, id + 1, ST_DELIVERED, true) == ERR_OK);
    CU_ASSERT(cancels(f, &o, "DLDD") == ERR_OK);
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT(o.targets[i].id == id + (int64_t)i && o.targets[i].group_id == 0);
    TEST_SLICE_EQ(o.targets[2].address, SLICE("tel:3"));
    TEST_SLICE_EQ(o.targets[2].key, SLICE("tel:3"));
    arena_clear(&o.mem);
    stages_are(f, "p", "cdcc");
    CU_ASSERT(counted(f).waiting == 0 && counted(f).notices == 4);
    CU_ASSERT(fix_claim(f, INT64_MAX, 10) == 0);
    CU_ASSERT(owed(f) == 3); /* the delivered one's is leased by the finish */
    CU_ASSERT(fix_finish(f, id, ST_DELIVERED, true) == ERR_LATE);
    CU_ASSERT(cancels(f, &o, "LLLL") == ERR_OK); /* again: nothing is owed twice */
    arena_clear(&o.mem);
    CU_ASSERT(counted(f).notices == 4);
}

static void what_a_cancel_writes_body(struct fix *f)
{
    struct store_cancel o = cancel_of("mms", "p");
    struct store_show show = {.push_id = SLICE("p")};
    struct store_notice_claim notice = {.now_ms = 700, .max = 9};
    const struct ppg_notice *n;
    char note[400];

    memset(note, 'n', sizeof note);
    o.note = slice_of(note, sizeof note);
    CU_ASSERT(fix_insert(f, "mms", "p", 1, 100, false) > 0);
    CU_ASSERT(cancels(f, &o, "D") == ERR_OK);
    arena_clear(&o.mem);
    CU_ASSERT_FATAL(fix_run(f, &show.op, STORE_SHOW) == ERR_OK);
    CU_ASSERT(show.targets[0].stage == ST_CANCELLED && show.targets[0].code == 1000);
    CU_ASSERT(show.targets[0].event_ms == 700 && show.targets[0].notified == 1);
    CU_ASSERT(show.targets[0].note.n == 255 && show.targets[0].notice_due_ms == 700);
    ppg_push_drop(show.push);
    CU_ASSERT_FATAL(fix_run(f, &notice.op, STORE_NOTICE_CLAIM) == ERR_OK);
    CU_ASSERT_FATAL(fix_length(&notice.notices) == 1);
    n = container_of(notice.notices.next, struct ppg_notice, link);
    CU_ASSERT(n->stage == ST_CANCELLED && n->code == 1000 && n->event_ms == 700 && n->due_ms == 700);
    fix_drop_notices(&notice.notices);
}

static void nobody_to_be_told_body(struct fix *f)
{
    struct store_cancel o = cancel_of("mms", "p");
    struct store_insert in = {.push = fix_push("mms", "p", 2, 100)};

    in.push->notify_url = SLICE_NONE;
    CU_ASSERT(fix_run(f, &in.op, STORE_INSERT) == ERR_OK);
    CU_ASSERT(cancels(f, &o, "DD") == ERR_OK);
    arena_clear(&o.mem);
    CU_ASSERT(counted(f).notices == 0);
    ppg_push_drop(in.push);
}

static void which_push_body(struct fix *f)
{
    static const struct {
        const char *initiator, *push_id;
        enum err want;
    } rows[] = {
        {"mms", "nothing", ERR_ABSENT}, {"nobody", "same", ERR_ABSENT}, {"bank", "mine", ERR_ABSENT},
        {"", "nothing", ERR_ABSENT},    {"mms", "Same", ERR_ABSENT},    {"bank", "same", ERR_OK},
        {"", "same", ERR_OK},
    };

    CU_ASSERT(fix_insert(f, "bank", "same", 1, 100, false) > 0);
    CU_ASSERT(fix_insert(f, "mms", "same", 1, 100, false) > 0); /* the newest */
    CU_ASSERT(fix_insert(f, "mms", "mine", 1, 100, false) > 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct store_cancel o = cancel_of(rows[i].initiator, rows[i].push_id);

        test_row(i);
        CU_ASSERT(cancels(f, &o, rows[i].want ? "" : "D") == rows[i].want);
        arena_clear(&o.mem);
    }
    CU_ASSERT(counted(f).waiting == 1);
}

static void listed_keys_body(struct fix *f)
{
    static const struct slice keys[] = {
        {"tel:3", 5}, {"tel:99", 6}, {"tel:1", 5}, {"tel:3", 5}, {"", 0}, {"TEL:2", 5},
    };
    struct store_cancel o = cancel_of("mms", "p");
    int64_t id = fix_insert(f, "mms", "p", 4, 100, false);

    CU_ASSERT(fix_finish(f, id, ST_EXPIRED, false) == ERR_OK);
    o.keys = keys;
    o.keys_n = COUNT(keys);
    CU_ASSERT(cancels(f, &o, "DSLDSS") == ERR_OK);
    CU_ASSERT(o.targets[0].id == id + 2 && o.targets[3].id == id + 2 && o.targets[1].id == 0);
    TEST_SLICE_EQ(o.targets[1].key, SLICE("tel:99"));
    CU_ASSERT(o.targets[1].key.p != keys[1].p && o.targets[1].address.n == 0);
    arena_clear(&o.mem);
    stages_are(f, "p", "xwcw");
    CU_ASSERT(owed(f) == 1);
}

/* The same address twice in a push: both are meant, one speaks for them. */
static void same_key_twice_body(struct fix *f)
{
    static const struct slice keys[] = {{"tel:1", 5}};
    struct store_cancel o = cancel_of("mms", "p");
    struct store_insert in = {.push = fix_push("mms", "p", 3, 100)};

    in.push->targets[1].key = in.push->targets[0].key;
    CU_ASSERT(fix_run(f, &in.op, STORE_INSERT) == ERR_OK);
    CU_ASSERT(fix_finish(f, in.push->targets[0].id, ST_DELIVERED, false) == ERR_OK);
    o.keys = keys;
    o.keys_n = 1;
    CU_ASSERT(cancels(f, &o, "D") == ERR_OK);
    CU_ASSERT(o.targets[0].id == in.push->targets[1].id);
    arena_clear(&o.mem);
    stages_are(f, "p", "dcw");
    ppg_push_drop(in.push);
}

/* What a loop holds: nothing is written until it has let go. */
static void held_body(struct fix *f)
{
    struct store_cancel o = cancel_of("mms", "p");
    int64_t id = fix_insert(f, "mms", "p", 4, 100, true);
    const int64_t released[] = {id, id + 3};
    const int64_t busy[] = {id + 1};
    struct store_move back = {.target_id = id + 2, .due_ms = 500, .tries = 1};

    CU_ASSERT(fix_run(f, &back.op, STORE_MOVE) == ERR_OK);
    CU_ASSERT(cancels(f, &o, "HHDH") == ERR_AGAIN);
    CU_ASSERT(o.targets[3].id == id + 3);
    TEST_SLICE_EQ(o.targets[3].key, SLICE("tel:4"));
    arena_clear(&o.mem);
    stages_are(f, "p", "wwww");
    CU_ASSERT(counted(f).leased == 3 && counted(f).waiting == 1 && counted(f).notices == 0);
    o.released = released;
    o.released_n = 1;
    o.busy = busy;
    o.busy_n = 1;
    CU_ASSERT(cancels(f, &o, "DLDH") == ERR_AGAIN);
    arena_clear(&o.mem);
    CU_ASSERT(counted(f).leased == 3);
    o.released_n = 2;
    CU_ASSERT(cancels(f, &o, "DLDD") == ERR_OK);
    arena_clear(&o.mem);
    stages_are(f, "p", "cwcc");
    CU_ASSERT(counted(f).leased == 1 && counted(f).waiting == 0 && owed(f) == 3);
    CU_ASSERT(fix_finish(f, id + 1, ST_DELIVERED, true) == ERR_OK);
}

/* Only what is asked for is waited for. */
static void held_but_not_asked_for_body(struct fix *f)
{
    static const struct slice keys[] = {{"tel:2", 5}, {"tel:9", 5}};
    struct store_cancel o = cancel_of("mms", "p");
    int64_t id = fix_insert(f, "mms", "p", 2, 100, true);
    struct store_move back = {.target_id = id + 1, .due_ms = 500, .tries = 1};

    o.keys = keys;
    o.keys_n = COUNT(keys);
    CU_ASSERT(cancels(f, &o, "H") == ERR_AGAIN); /* in the order of the push, each once */
    CU_ASSERT(o.targets[0].id == id + 1);
    arena_clear(&o.mem);
    CU_ASSERT(fix_run(f, &back.op, STORE_MOVE) == ERR_OK);
    CU_ASSERT(cancels(f, &o, "DS") == ERR_OK);
    arena_clear(&o.mem);
    stages_are(f, "p", "wc");
}

static void force_body(struct fix *f)
{
    struct store_cancel o = cancel_of("mms", "p");
    int64_t id = fix_insert(f, "mms", "p", 3, 100, true);
    const int64_t released[] = {id + 1};

    o.force = true;
    o.released = released;
    o.released_n = 1;
    CU_ASSERT(cancels(f, &o, "LDL") == ERR_OK);
    arena_clear(&o.mem);
    stages_are(f, "p", "wcw");
    CU_ASSERT(counted(f).leased == 2);
}

/* What another run held is nobody's. */
static void older_lease_body(struct fix *f)
{
    struct store_cancel o = cancel_of("mms", "p");

    CU_ASSERT(fix_insert(f, "mms", "p", 2, 100, true) > 0);
    store_close(&f->s);
    CU_ASSERT_FATAL(fix_open(f) == ERR_OK);
    CU_ASSERT(cancels(f, &o, "DD") == ERR_OK);
    arena_clear(&o.mem);
    CU_ASSERT(counted(f).waiting == 0 && counted(f).leased == 0);
}

#define MANY 10000

static void ten_thousand_keys_body(struct fix *f)
{
    struct store_cancel o = cancel_of("mms", "p");
    struct slice *keys = calloc(MANY, sizeof *keys);
    char(*texts)[16] = calloc(MANY, sizeof *texts);

    MUST(keys != NULL && texts != NULL);
    CU_ASSERT(fix_insert(f, "mms", "p", MANY, 100, false) > 0);
    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "tel:%zu", MANY + MANY / 2 - i); /* half are strangers */
        keys[i] = slice_str(texts[i]);
    }
    o.keys = keys;
    o.keys_n = MANY;
    CU_ASSERT(fix_run(f, &o.op, STORE_CANCEL) == ERR_OK);
    CU_ASSERT(o.targets_n == MANY);
    for (size_t i = 0; i < MANY; i++)
        CU_ASSERT(o.targets[i].what == (i < MANY / 2 ? STORE_CANCEL_STRANGER : STORE_CANCEL_DONE));
    arena_clear(&o.mem);
    CU_ASSERT(counted(f).waiting == MANY / 2 && counted(f).notices == MANY / 2);
    free(keys);
    free(texts);
}

static void purge_after_cancel_body(struct fix *f)
{
    struct store_cancel o = cancel_of("mms", "p");
    struct store_purge purge = {.before_ms = 100000, .max = 10};
    struct store_notice_done done = {.told = true};
    int64_t id = fix_insert(f, "mms", "p", 1, 100, false);

    CU_ASSERT(fix_insert(f, "mms", "newest", 1, 100, false) > 0);
    CU_ASSERT(cancels(f, &o, "D") == ERR_OK);
    arena_clear(&o.mem);
    CU_ASSERT(fix_run(f, &purge.op, STORE_PURGE) == ERR_OK && purge.gone == 0);
    done.notice_id = id;
    CU_ASSERT(fix_run(f, &done.op, STORE_NOTICE_DONE) == ERR_OK);
    CU_ASSERT(fix_run(f, &purge.op, STORE_PURGE) == ERR_OK && purge.gone == 1);
    CU_ASSERT(cancels(f, &o, "") == ERR_ABSENT);
    arena_clear(&o.mem);
}

/* ---- groups ---- */

/* tel:1; group g1 of tel:2 and tel:3; tel:4; group g2 of tel:5. */
static struct ppg_push *push_with_groups(const char *push_id)
{
    struct ppg_push *p = fix_push("mms", push_id, 7, 100);
    static const char *const names[] = {"tel:1", "g1", "tel:2", "tel:3", "tel:4", "g2", "tel:5"};

    for (size_t i = 0; i < 7; i++)
        p->targets[i].address = p->targets[i].key = slice_str(names[i]);
    p->targets[1].members_n = 2;
    p->targets[5].members_n = 1;
    return p;
}

static void lease_leaves(struct ppg_push *p)
{
    for (size_t i = 0; i < p->targets_n; i++)
        p->targets[i].leased = p->targets[i].members_n == 0;
}

static void group_is_cancelled_by_its_key_body(struct fix *f)
{
    static const struct slice keys[] = {{"g1", 2}, {"tel:2", 5}, {"g2", 2}};
    struct store_cancel o = cancel_of("mms", "g");
    struct store_insert in = {.push = push_with_groups("g")};

    CU_ASSERT(fix_run(f, &in.op, STORE_INSERT) == ERR_OK);
    CU_ASSERT(fix_finish(f, in.push->targets[6].id, ST_DELIVERED, false) == ERR_OK);
    o.keys = keys;
    o.keys_n = 2;
    CU_ASSERT(cancels(f, &o, "DS") == ERR_OK); /* a member is no recipient */
    CU_ASSERT(o.targets[0].id == in.push->targets[1].id);
    arena_clear(&o.mem);
    stages_are(f, "g", "wcccwwd"); /* told by a finish that did not say it was a member's: g2 waits */
    CU_ASSERT(owed(f) == 1);       /* the group's alone */
    ppg_push_drop(in.push);
}

static void group_half_delivered_body(struct fix *f)
{
    struct store_cancel o = cancel_of("mms", "g");
    struct store_insert in = {.push = push_with_groups("g")};
    struct store_finish fin = {.stage = ST_DELIVERED, .code = 1001, .event_ms = 60, .notify = true};

    CU_ASSERT(fix_run(f, &in.op, STORE_INSERT) == ERR_OK);
    fin.target_id = in.push->targets[2].id;
    fin.group_id = in.push->targets[2].group_id;
    CU_ASSERT(fin.group_id == in.push->targets[1].id);
    CU_ASSERT(fix_run(f, &fin.op, STORE_FINISH) == ERR_OK && !fin.group_ended && !fin.notice_id);
    CU_ASSERT(cancels(f, &o, "DDDD") == ERR_OK); /* g1 too: one of its members was cancelled */
    arena_clear(&o.mem);
    stages_are(f, "g", "cddcccc"); /* and still it was delivered to one */
    CU_ASSERT(owed(f) == 4);
    CU_ASSERT(counted(f).waiting == 0);
    CU_ASSERT(cancels(f, &o, "LLLL") == ERR_OK);
    arena_clear(&o.mem);
    CU_ASSERT(counted(f).notices == 4);
    ppg_push_drop(in.push);
}

static void held_members_are_listed_body(struct fix *f)
{
    static const struct slice keys[] = {{"g1", 2}};
    struct store_cancel o = cancel_of("mms", "g");
    struct store_insert in = {.push = push_with_groups("g")};
    int64_t ids[2];

    lease_leaves(in.push);
    CU_ASSERT(fix_run(f, &in.op, STORE_INSERT) == ERR_OK);
    ids[0] = in.push->targets[2].id;
    ids[1] = in.push->targets[3].id;
    CU_ASSERT(counted(f).leased == 5 &&
              counted(f).waiting == 0); /* a group is not counted beside its members */
    CU_ASSERT(cancels(f, &o, "HLHHHLH") == ERR_AGAIN);
    CU_ASSERT(o.targets[2].group_id == in.push->targets[1].id && o.targets[2].id == ids[0]);
    TEST_SLICE_EQ(o.targets[2].key, SLICE("tel:2"));
    arena_clear(&o.mem);
    o.keys = keys;
    o.keys_n = 1;
    CU_ASSERT(cancels(f, &o, "LHH") == ERR_AGAIN);
    arena_clear(&o.mem);
    o.released = ids;
    o.released_n = 1;
    o.busy = &ids[1];
    o.busy_n = 1;
    CU_ASSERT(cancels(f, &o, "D") == ERR_OK);
    arena_clear(&o.mem);
    stages_are(f, "g", "wwcwwww");
    CU_ASSERT(owed(f) == 0);
    o.released_n = 0;
    CU_ASSERT(cancels(f, &o, "L") == ERR_OK); /* the one that is left is on the wire */
    arena_clear(&o.mem);
    ppg_push_drop(in.push);
}

/* ---- replacing ---- */

struct replacing {
    struct store_insert in;
    struct store_cancel old;
};

static enum err replaces(struct fix *f, struct replacing *r, enum ppg_replace how)
{
    r->in.push->replace = (uint8_t)how;
    r->in.old = &r->old;
    return fix_run(f, &r->in.op, STORE_INSERT);
}

static void replaced(struct replacing *r)
{
    arena_clear(&r->old.mem);
    ppg_push_drop(r->in.push);
}

static void replace_all_body(struct fix *f)
{
    int64_t id = fix_insert(f, "mms", "old", 4, 100, false);
    struct replacing r = {.in = {.push = fix_push("mms", "new", 6, 100)}, .old = cancel_of("", "old")};

    CU_ASSERT(fix_finish(f, id, ST_DELIVERED, false) == ERR_OK);
    r.in.push->targets[3].leased = true;
    r.in.push->targets[3].key = r.in.push->targets[3].address = SLICE("tel:other");
    CU_ASSERT(replaces(f, &r, PPG_REPLACE_ALL) == ERR_OK);
    CU_ASSERT_FATAL(r.old.targets_n == 6);
    CU_ASSERT(r.old.targets[0].what == STORE_CANCEL_LATE && r.old.targets[1].what == STORE_CANCEL_DONE);
    CU_ASSERT(r.old.targets[2].what == STORE_CANCEL_DONE && r.old.targets[3].what == STORE_CANCEL_STRANGER);
    CU_ASSERT(r.in.push->targets[3].leased && r.in.push->targets[0].stage == ST_WAITING);
    stages_are(f, "old", "dccw"); /* the fourth was not named */
    stages_are(f, "new", "wwwwww");
    CU_ASSERT(owed(f) == 2);
    CU_ASSERT(counted(f).leased == 1 && counted(f).waiting == 6);
    replaced(&r);
}

static void replace_pending_only_body(struct fix *f)
{
    int64_t id = fix_insert(f, "mms", "old", 3, 100, false);
    struct replacing r = {.in = {.push = fix_push("mms", "new", 5, 100)}, .old = cancel_of("mms", "old")};
    struct ppg_target *t = r.in.push->targets;
    struct store_show show = {.push_id = SLICE("new")};

    for (size_t i = 0; i < 5; i++)
        t[i].leased = true;
    t[4].stage = ST_UNDELIVERABLE; /* refused for a reason of its own */
    t[4].code = 2005;
    CU_ASSERT(fix_finish(f, id + 1, ST_TIMEOUT, false) == ERR_OK);
    CU_ASSERT(replaces(f, &r, PPG_REPLACE_PENDING_ONLY) == ERR_OK);
    stages_are(f, "old", "ctc");
    stages_are(f, "new", "wcwcu");
    CU_ASSERT(t[0].leased && !t[1].leased && t[2].leased && !t[3].leased);
    CU_ASSERT(t[1].stage == ST_CANCELLED && t[1].code == 3003 && t[3].code == 3003 && t[4].code == 2005);
    CU_ASSERT(t[0].stage == ST_WAITING && t[4].stage == ST_UNDELIVERABLE);
    CU_ASSERT_FATAL(fix_run(f, &show.op, STORE_SHOW) == ERR_OK);
    CU_ASSERT(show.targets[1].code == 3003 && show.targets[1].event_ms == 1000 &&
              show.targets[4].code == 2005);
    ppg_push_drop(show.push);
    CU_ASSERT(counted(f).leased == 2 && counted(f).waiting == 0);
    CU_ASSERT(owed(f) == 5); /* two of the old, three of the new */
    replaced(&r);
}

static void replace_waits_for_loops_body(struct fix *f)
{
    int64_t id = fix_insert(f, "mms", "old", 2, 100, true);
    const int64_t released[] = {id, id + 1};
    struct replacing r = {.in = {.push = fix_push("mms", "new", 2, 100)}, .old = cancel_of("mms", "old")};

    r.in.push->targets[0].leased = r.in.push->targets[1].leased = true;
    CU_ASSERT(replaces(f, &r, PPG_REPLACE_PENDING_ONLY) == ERR_AGAIN);
    CU_ASSERT(r.old.targets_n == 2 && r.old.targets[1].what == STORE_CANCEL_HELD && r.in.push->id == 0);
    CU_ASSERT(r.in.push->targets[0].id == 0 && r.in.push->targets[0].leased);
    arena_clear(&r.old.mem);
    CU_ASSERT(counted(f).leased == 2 && counted(f).notices == 0);
    CU_ASSERT(fix_insert(f, "mms", "other", 1, 100, false) == id + 2); /* not even an id was used */
    r.old.released = released;
    r.old.released_n = 2;
    CU_ASSERT(replaces(f, &r, PPG_REPLACE_PENDING_ONLY) == ERR_OK);
    stages_are(f, "old", "cc");
    stages_are(f, "new", "ww");
    replaced(&r);
}

static void replace_refused_body(struct fix *f)
{
    static const struct {
        const char *initiator, *push_id, *old;
        enum err want;
    } rows[] = {
        {"mms", "new", "nothing", ERR_ABSENT}, {"bank", "new", "old", ERR_ABSENT},
        {"who", "new", "old", ERR_ABSENT},     {"mms", "taken", "old", ERR_EXISTS},
        {"mms", "old", "old", ERR_EXISTS},     {"mms", "taken", "nothing", ERR_EXISTS},
    };

    CU_ASSERT(fix_insert(f, "mms", "old", 1, 100, false) > 0);
    CU_ASSERT(fix_insert(f, "mms", "taken", 1, 100, false) > 0);
    CU_ASSERT(fix_insert(f, "bank", "other", 1, 100, false) > 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct replacing r = {.in = {.push = fix_push(rows[i].initiator, rows[i].push_id, 1, 100)},
                              .old = cancel_of("", rows[i].old)};

        test_row(i);
        CU_ASSERT(replaces(f, &r, PPG_REPLACE_ALL) == rows[i].want);
        CU_ASSERT(r.in.push->id == 0 && r.in.push->targets[0].id == 0);
        replaced(&r);
    }
    stages_are(f, "old", "w");
    CU_ASSERT(counted(f).waiting == 3 && counted(f).notices == 0);
}

/* The members of a new group go as the group does. */
static void replace_groups_body(struct fix *f)
{
    struct store_insert before = {.push = push_with_groups("old")};
    struct replacing r = {.in = {.push = push_with_groups("new")}, .old = cancel_of("mms", "old")};
    struct store_finish fin = {.stage = ST_ABORTED, .code = 2000, .event_ms = 60};

    CU_ASSERT(fix_run(f, &before.op, STORE_INSERT) == ERR_OK);
    fin.target_id = before.push->targets[6].id;
    fin.group_id = before.push->targets[6].group_id;
    CU_ASSERT(fix_run(f, &fin.op, STORE_FINISH) == ERR_OK && fin.group_ended);
    lease_leaves(r.in.push);
    CU_ASSERT(replaces(f, &r, PPG_REPLACE_PENDING_ONLY) == ERR_OK);
    CU_ASSERT(r.old.targets_n == 4);
    stages_are(f, "old",
               "ccccc"
               "aa");
    stages_are(f, "new",
               "wwwww"
               "cc");
    CU_ASSERT(r.in.push->targets[6].stage == ST_CANCELLED && r.in.push->targets[6].code == 3003);
    CU_ASSERT(!r.in.push->targets[6].leased && r.in.push->targets[2].leased);
    CU_ASSERT(owed(f) == 4); /* tel:1, g1, tel:4 of the old, g2 of the new; the finish asked for none */
    CU_ASSERT(counted(f).leased == 4 && counted(f).waiting == 0);
    replaced(&r);
    ppg_push_drop(before.push);
}

#define BOTH(name)                                                                                           \
    static void name(void)                                                                                   \
    {                                                                                                        \
        in_both(name##_body);                                                                                \
    }
BOTH(all_that_waits)
BOTH(what_a_cancel_writes)
BOTH(nobody_to_be_told)
BOTH(which_push)
BOTH(listed_keys)
BOTH(same_key_twice)
BOTH(held)
BOTH(held_but_not_asked_for)
BOTH(force)
BOTH(older_lease)
BOTH(ten_thousand_keys)
BOTH(purge_after_cancel)
BOTH(group_is_cancelled_by_its_key)
BOTH(group_half_delivered)
BOTH(held_members_are_listed)
BOTH(replace_all)
BOTH(replace_pending_only)
BOTH(replace_waits_for_loops)
BOTH(replace_refused)
BOTH(replace_groups)

const struct test_case test_cases[] = {
    {"all_that_waits", all_that_waits},
    {"what_a_cancel_writes", what_a_cancel_writes},
    {"nobody_to_be_told", nobody_to_be_told},
    {"which_push", which_push},
    {"listed_keys", listed_keys},
    {"same_key_twice", same_key_twice},
    {"held", held},
    {"held_but_not_asked_for", held_but_not_asked_for},
    {"force", force},
    {"older_lease", older_lease},
    {"ten_thousand_keys", ten_thousand_keys},
    {"purge_after_cancel", purge_after_cancel},
    {"group_is_cancelled_by_its_key", group_is_cancelled_by_its_key},
    {"group_half_delivered", group_half_delivered},
    {"held_members_are_listed", held_members_are_listed},
    {"replace_all", replace_all},
    {"replace_pending_only", replace_pending_only},
    {"replace_waits_for_loops", replace_waits_for_loops},
    {"replace_refused", replace_refused},
    {"replace_groups", replace_groups},
    {NULL, NULL},
};
