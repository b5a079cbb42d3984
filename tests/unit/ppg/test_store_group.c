/* Groups of recipients: how they end, and that nobody but their members is tried.  By the contract of store.h and
 * push.h; every case runs without the store's thread and with it. */
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

/* One group of n members: targets[0] and what follows. */
static struct ppg_push *group_push(const char *push_id, size_t n)
{
    struct ppg_push *p = fix_push("mms", push_id, n + 1, 100);

    p->targets[0].address = p->targets[0].key = SLICE("group:all");
    p->targets[0].members_n = (uint32_t)n;
    return p;
}

static enum ppg_stage stage_of(char letter)
{
    return (enum ppg_stage)(strchr("w.duxatc", letter) - "w.duxatc");
}

static struct store_finish finish_of(const struct ppg_target *t, char letter, int64_t event_ms)
{
    return (struct store_finish){.target_id = t->id,
                                 .push_id = t->push->id,
                                 .group_id = t->group_id,
                                 .stage = stage_of(letter),
                                 .code = (uint16_t)(2000 + letter),
                                 .tries = 1,
                                 .event_ms = event_ms,
                                 .notify = true};
}

/* The first target of a push. */
static struct store_show_target first_of(struct fix *f, const char *push_id)
{
    struct store_show o = {.push_id = slice_str(push_id), .brief = true};
    struct store_show_target t = {.id = 0};

    CU_ASSERT(fix_run(f, &o.op, STORE_SHOW) == ERR_OK);
    if (o.push) {
        t = o.targets[0];
        ppg_push_drop(o.push);
    }
    return t;
}

static const struct {
    const char *members; /* in the order in which they end; place is the order in the push */
    char want;
} outcomes[] = {
    {"d", 'd'},    {"u", 'u'},      {"x", 'x'},     {"a", 'a'},    {"t", 't'},     {"c", 'c'},
    {"cd", 'd'},   {"dc", 'd'},     {"ax", 'a'},    {"xa", 'a'},   {"ua", 'a'},    {"tu", 'u'},
    {"ut", 'u'},   {"xt", 't'},     {"tx", 't'},    {"cx", 'x'},   {"xc", 'x'},    {"ct", 't'},
    {"cccu", 'u'}, {"cxtuad", 'd'}, {"cxtua", 'a'}, {"cxtu", 'u'}, {"uadxt", 'd'}, {"cxt", 't'},
    {"ccc", 'c'},  {"xxxxxd", 'd'},
};

static void outcome_body(struct fix *f)
{
    char name[16];

    for (size_t i = 0; i < COUNT(outcomes); i++) {
        size_t n = strlen(outcomes[i].members);
        struct store_insert in;
        struct store_show_target t;

        test_row(i);
        (void)snprintf(name, sizeof name, "%zu", i);
        in = (struct store_insert){.push = group_push(name, n)};
        CU_ASSERT(fix_run(f, &in.op, STORE_INSERT) == ERR_OK);
        for (size_t k = 0; k < n; k++) {
            struct store_finish fin =
                finish_of(&in.push->targets[1 + k], outcomes[i].members[k], 50 + (int64_t)k);

            CU_ASSERT(first_of(f, name).stage == ST_WAITING);
            CU_ASSERT(fix_run(f, &fin.op, STORE_FINISH) == ERR_OK);
            CU_ASSERT(fin.group_ended == (k + 1 == n) && fin.notice_id == 0);
        }
        t = first_of(f, name);
        CU_ASSERT(t.stage == stage_of(outcomes[i].want) && t.members_n == n && t.notified == 1);
        CU_ASSERT(t.code == (outcomes[i].want == 'd' ? 1000 : 2000 + outcomes[i].want));
        CU_ASSERT(t.event_ms == 50 + (int64_t)n - 1 && t.notice_due_ms == t.event_ms && !t.leased);
        ppg_push_drop(in.push);
    }
    CU_ASSERT(counted(f).waiting == 0 && counted(f).leased == 0 && counted(f).notices == COUNT(outcomes));
}

/* Only members are claimed; what they say of their group survives a restart. */
static void only_members_are_tried_body(struct fix *f)
{
    struct store_insert in = {.push = group_push("g", 3)};
    struct store_claim claim = {.now_ms = 100, .max = 10, .max_n = SIZE_MAX};
    int64_t group;

    for (size_t i = 0; i < 4; i++)
        in.push->targets[i].leased = i > 0;
    in.push->targets[2].rule = SLICE("whitelist.conf:12 allow");
    CU_ASSERT(fix_run(f, &in.op, STORE_INSERT) == ERR_OK);
    group = in.push->targets[0].id;
    for (size_t i = 1; i < 4; i++)
        CU_ASSERT(in.push->targets[i].group_id == group);
    CU_ASSERT(in.push->targets[0].group_id == 0);
    CU_ASSERT(counted(f).leased == 3 && counted(f).waiting == 0);
    store_close(&f->s);
    CU_ASSERT_FATAL(fix_open(f) == ERR_OK);
    CU_ASSERT(counted(f).leased == 0 && counted(f).waiting == 3);
    CU_ASSERT_FATAL(fix_run(f, &claim.op, STORE_CLAIM) == ERR_OK);
    CU_ASSERT(fix_length(&claim.targets) == 3 && claim.next_due_ms == 0);
    LIST_EACH (at, &claim.targets) {
        const struct ppg_target *t = container_of(at, struct ppg_target, link);

        CU_ASSERT(t->group_id == group && t->id > group && t->members_n == 0);
        TEST_SLICE_EQ(t->rule, t->id == group + 2 ? SLICE("whitelist.conf:12 allow") : SLICE(""));
    }
    fix_drop_claim(&claim);
    ppg_push_drop(in.push);
}

/* The notification is the group's, and waits for whoever claims it. */
static void one_notice_for_all_body(struct fix *f)
{
    struct store_insert in = {.push = group_push("g", 2)};
    struct store_notice_claim owed = {.now_ms = 1000, .max = 10};
    struct store_finish fin;

    CU_ASSERT(fix_run(f, &in.op, STORE_INSERT) == ERR_OK);
    for (size_t i = 1; i < 3; i++) {
        fin = finish_of(&in.push->targets[i], i == 1 ? 'd' : 'u', 60);
        CU_ASSERT(counted(f).notices == 0);
        CU_ASSERT(fix_run(f, &fin.op, STORE_FINISH) == ERR_OK);
        CU_ASSERT(fix_run(f, &fin.op, STORE_FINISH) == ERR_LATE); /* counted once */
    }
    CU_ASSERT_FATAL(fix_run(f, &owed.op, STORE_NOTICE_CLAIM) == ERR_OK);
    CU_ASSERT_FATAL(fix_length(&owed.notices) == 1);
    TEST_SLICE_EQ(container_of(owed.notices.next, struct ppg_notice, link)->address, SLICE("group:all"));
    CU_ASSERT(container_of(owed.notices.next, struct ppg_notice, link)->id == in.push->targets[0].id);
    CU_ASSERT(container_of(owed.notices.next, struct ppg_notice, link)->stage == ST_DELIVERED);
    fix_drop_notices(&owed.notices);
    ppg_push_drop(in.push);
}

static void nobody_asked_body(struct fix *f)
{
    struct store_insert in = {.push = group_push("g", 1)};
    struct store_finish fin;

    CU_ASSERT(fix_run(f, &in.op, STORE_INSERT) == ERR_OK);
    fin = finish_of(&in.push->targets[1], 't', 60);
    fin.notify = false;
    CU_ASSERT(fix_run(f, &fin.op, STORE_FINISH) == ERR_OK && fin.group_ended);
    CU_ASSERT(counted(f).notices == 0 && first_of(f, "g").notified == 0 &&
              first_of(f, "g").stage == ST_TIMEOUT);
    ppg_push_drop(in.push);
}

/* Members that were refused when they came do not keep a group open; without any other it is final at once. */
static void final_at_insert_body(struct fix *f)
{
    static const struct {
        const char *members;
        char want;
        size_t waiting;
    } rows[] = {{"uu", 'u', 0}, {"uw", 'w', 1}, {"wu", 'w', 1},
                {"cu", 'u', 0}, {"ww", 'w', 2}, {"ca", 'a', 0}};
    size_t owed = 0;
    size_t waiting = 0;
    char name[16];

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct store_insert in;

        test_row(i);
        (void)snprintf(name, sizeof name, "%zu", i);
        in = (struct store_insert){.push = group_push(name, 2)};
        for (size_t k = 0; k < 2; k++) {
            in.push->targets[1 + k].stage = (uint8_t)stage_of(rows[i].members[k]);
            in.push->targets[1 + k].code = 2005;
        }
        CU_ASSERT(fix_run(f, &in.op, STORE_INSERT) == ERR_OK);
        waiting += rows[i].waiting;
        owed += rows[i].waiting == 0;
        CU_ASSERT(counted(f).waiting == waiting && counted(f).notices == owed);
        CU_ASSERT(first_of(f, name).stage == stage_of(rows[i].want));
        CU_ASSERT(first_of(f, name).event_ms == (rows[i].waiting ? 0 : 1000));
        for (size_t k = 0; k < 2; k++)
            if (rows[i].members[k] == 'w') {
                struct store_finish fin = finish_of(&in.push->targets[1 + k], 'd', 60);

                CU_ASSERT(fix_run(f, &fin.op, STORE_FINISH) == ERR_OK);
                CU_ASSERT(fin.group_ended == (k == 1 || rows[i].members[1] != 'w'));
            }
        waiting -= rows[i].waiting;
        owed += rows[i].waiting > 0;
        CU_ASSERT(counted(f).waiting == waiting && counted(f).notices == owed);
        ppg_push_drop(in.push);
    }
}

/* An empty group is undeliverable when it comes, and owes its notification at once like every other final target. */
static void empty_group_body(struct fix *f)
{
    struct store_insert in = {.push = fix_push("mms", "e", 2, 100)};
    struct store_notice_claim owed = {.now_ms = 1000, .max = 10};

    in.push->targets[0].stage = ST_UNDELIVERABLE;
    in.push->targets[0].code = 2002;
    CU_ASSERT(fix_run(f, &in.op, STORE_INSERT) == ERR_OK);
    CU_ASSERT(counted(f).waiting == 1 && counted(f).notices == 1);
    CU_ASSERT_FATAL(fix_run(f, &owed.op, STORE_NOTICE_CLAIM) == ERR_OK);
    CU_ASSERT_FATAL(fix_length(&owed.notices) == 1);
    CU_ASSERT(container_of(owed.notices.next, struct ppg_notice, link)->code == 2002);
    CU_ASSERT(container_of(owed.notices.next, struct ppg_notice, link)->event_ms == 1000);
    fix_drop_notices(&owed.notices);
    ppg_push_drop(in.push);
}

#define CROWD 10000

/* Ten thousand members: each end costs the same, and the group ends once. */
static void large_group_body(struct fix *f)
{
    struct store_insert in = {.push = group_push("g", CROWD)};
    struct store_finish *fin = calloc(CROWD, sizeof *fin);
    struct list ops;
    size_t ended = 0;

    MUST(fin != NULL);
    CU_ASSERT(fix_run(f, &in.op, STORE_INSERT) == ERR_OK);
    list_init(&ops);
    for (size_t i = 0; i < CROWD; i++) {
        fin[i] = finish_of(&in.push->targets[1 + i], i == 4711 ? 'd' : 'x', 60);
        fin[i].op.kind = STORE_FINISH;
        list_push_back(&ops, &fin[i].op.link);
    }
    store_submit(f->s, &ops);
    fix_wait(f, CROWD);
    for (size_t i = 0; i < CROWD; i++)
        ended += fin[i].group_ended;
    CU_ASSERT(ended == 1 && first_of(f, "g").stage == ST_DELIVERED);
    CU_ASSERT(counted(f).waiting == 0 && counted(f).notices == 1);
    ppg_push_drop(in.push);
    free(fin);
}

/* A group goes with its push, and not before its notice. */
static void purge_body(struct fix *f)
{
    struct store_insert in = {.push = group_push("g", 2)};
    struct store_purge purge = {.before_ms = 100000, .max = 10};
    struct store_notice_done done = {.told = true};
    struct store_finish fin;

    CU_ASSERT(fix_run(f, &in.op, STORE_INSERT) == ERR_OK);
    CU_ASSERT(fix_insert(f, "mms", "newest", 1, 1, false) > 0);
    for (size_t i = 1; i < 3; i++) {
        CU_ASSERT(fix_run(f, &purge.op, STORE_PURGE) == ERR_OK && purge.gone == 0);
        fin = finish_of(&in.push->targets[i], 'd', 60);
        CU_ASSERT(fix_run(f, &fin.op, STORE_FINISH) == ERR_OK);
    }
    CU_ASSERT(fix_run(f, &purge.op, STORE_PURGE) == ERR_OK && purge.gone == 0);
    done.notice_id = in.push->targets[0].id;
    CU_ASSERT(fix_run(f, &done.op, STORE_NOTICE_DONE) == ERR_OK);
    CU_ASSERT(fix_run(f, &purge.op, STORE_PURGE) == ERR_OK && purge.gone == 1);
    ppg_push_drop(in.push);
}

#define BOTH(name)                                                                                           \
    static void name(void)                                                                                   \
    {                                                                                                        \
        in_both(name##_body);                                                                                \
    }
BOTH(outcome)
BOTH(only_members_are_tried)
BOTH(one_notice_for_all)
BOTH(nobody_asked)
BOTH(final_at_insert)
BOTH(empty_group)
BOTH(large_group)
BOTH(purge)

const struct test_case test_cases[] = {
    {"outcome", outcome},
    {"only_members_are_tried", only_members_are_tried},
    {"one_notice_for_all", one_notice_for_all},
    {"nobody_asked", nobody_asked},
    {"final_at_insert", final_at_insert},
    {"empty_group", empty_group},
    {"large_group", large_group},
    {"purge", purge},
    {NULL, NULL},
};
