/* The store under SIGKILL.  A child runs a random load on a database and tells its parent over a pipe what it is about
 * to do and what the store acknowledged; it dies at a step of the store, or when the parent says so.  The parent
 * opens the database again and compares it with that ledger: what was acknowledged is there, what was not begun is
 * not, and in between either will do.  A target ends once: delivered, or cancelled by itself or by the push that replaces
 * it.  The seeds are fixed; where a kill from outside lands is not. */
#include <string.h>
#include "tests/fault/mortal.h"

#define TARGETS_MAX 20000 /* ids one test may reach */
#define HELD_MAX    64
#define BATCH_MAX   6
#define PUSH_N      3 /* targets a push */

/* What the child writes: small letters before an operation, capitals after its success. */
struct entry {
    char
        what; /* I insert; f F finish; c C cancel; X a new push left it out; d D notice done; N numbers; S seq */
    uint8_t flag; /* notify; association of the numbers, subscriber of the seq */
    int64_t a;    /* id of the first target, of the target, of the notice; from */
    int64_t b;    /* number of the push; to */
};

/* The parent's view of one target. */
struct seen {
    bool inserted;
    bool begun, finished;       /* finish: intended, acknowledged */
    bool cancelling, cancelled; /* likewise */
    bool left_out;              /* final when it came: its push replaced one that was not pending for it */
    bool may_owe, owes;         /* a notice: intended, acknowledged */
    bool telling, told;         /* notice done: intended, acknowledged */
    bool claimable, owed;       /* found in the database */
};

static struct seen seen[TARGETS_MAX];
static int64_t pushes[TARGETS_MAX]; /* acknowledged: number -> id of the first target */
static uint32_t number_top[2];      /* highest `to` of either association */
static uint64_t seq_top[2];         /* likewise of either subscriber */

/* ---- the child ---- */

/* A push of the child's own. */
struct known {
    int64_t first; /* id of its first target */
    int64_t no;
    bool bank;
};

struct child {
    struct mortal m;
    int batches;
    int64_t push_no;
    int64_t held[HELD_MAX];
    size_t held_n;
    int64_t notices[HELD_MAX];
    size_t notices_n;
    struct known known[HELD_MAX];
    size_t known_n;
};

static void tell(const struct child *c, char what, uint8_t flag, int64_t a, int64_t b)
{
    struct entry e;

    memset(&e, 0, sizeof e);
    e.what = what;
    e.flag = flag;
    e.a = a;
    e.b = b;
    mortal_tell(&c->m, &e, sizeof e);
}

static void hold(int64_t *ids, size_t *n, int64_t id)
{
    if (*n < HELD_MAX)
        ids[(*n)++] = id;
}

static int64_t pick(struct child *c, int64_t *ids, size_t *n)
{
    size_t at = mortal_roll(&c->m, (uint32_t)*n);
    int64_t id = ids[at];

    ids[at] = ids[--*n];
    return id;
}

/* An old push that is cancelled: what the child held of it it lets go. */
struct taking_back {
    struct store_cancel cancel;
    int64_t released[PUSH_N];
    char name[32];
};

static void let_go(struct child *c, struct taking_back *t, int64_t first)
{
    for (int64_t id = first; id < first + PUSH_N; id++)
        for (size_t i = 0; i < c->held_n; i++)
            if (c->held[i] == id) {
                c->held[i] = c->held[--c->held_n];
                t->released[t->cancel.released_n++] = id;
                break;
            }
    t->cancel.released = t->released;
}

/* Takes back a push it knows; what is finishing stays. */
static void take_back(struct child *c, struct taking_back *t, const struct known *k)
{
    (void)snprintf(t->name, sizeof t->name, "%lld", (long long)k->no);
    t->cancel = (struct store_cancel){.initiator = k->bank ? SLICE("bank") : SLICE("mms"),
                                      .push_id = slice_str(t->name),
                                      .force = true,
                                      .event_ms = 60};
    let_go(c, t, k->first);
    for (int64_t i = 0; i < PUSH_N; i++)
        tell(c, 'c', 0, k->first + i, 0);
}

static void taken_back(const struct child *c, const struct store_cancel *o)
{
    for (size_t i = 0; i < o->targets_n; i++)
        if (o->targets[i].what == STORE_CANCEL_DONE)
            tell(c, 'C', 0, o->targets[i].id, 0);
}

static void know(struct child *c, const struct ppg_push *p)
{
    struct known *k = &c->known[c->known_n < HELD_MAX ? c->known_n++ : mortal_roll(&c->m, HELD_MAX)];

    *k = (struct known){p->targets[0].id, strtoll(p->push_id.p, NULL, 10),
                        slice_eq(p->initiator, SLICE("bank"))};
}

struct inserting {
    struct store_insert insert;
    struct taking_back old;
};

static void insert_done(struct store_op *op)
{
    struct inserting *o = container_of(op, struct inserting, insert.op);
    struct ppg_push *p = o->insert.push;
    struct child *c = op->arg;

    if (!op->err) {
        for (size_t i = 0; i < PUSH_N; i++) /* before the insert: nobody may hear of that alone */
            if (ppg_stage_final((enum ppg_stage)p->targets[i].stage))
                tell(c, 'X', 0, p->targets[i].id, 0);
            else if (p->targets[i].leased)
                hold(c->held, &c->held_n, p->targets[i].id);
        tell(c, 'I', 0, p->targets[0].id, strtoll(p->push_id.p, NULL, 10));
        know(c, p);
    }
    if (!op->err && o->insert.old)
        taken_back(c, o->insert.old);
    if (o->insert.old)
        arena_clear(&o->insert.old->mem);
    ppg_push_drop(p);
    free(o);
}

static struct inserting *inserting_new(struct child *c, bool bank)
{
    struct inserting *o = calloc(1, sizeof *o);
    bool leased = mortal_roll(&c->m, 2);
    char name[32];

    MUST(o != NULL);
    (void)snprintf(name, sizeof name, "%lld", (long long)c->push_no++);
    o->insert.push = fix_push(bank ? "bank" : "mms", name, PUSH_N, 1 + mortal_roll(&c->m, 100));
    for (size_t i = 0; i < PUSH_N; i++)
        o->insert.push->targets[i].leased = leased;
    o->insert.op = (struct store_op){.kind = STORE_INSERT, .done = insert_done};
    return o;
}

static struct store_op *insert_new(struct child *c)
{
    return &inserting_new(c, mortal_roll(&c->m, 2))->insert.op;
}

static struct store_op *replace_new(struct child *c)
{
    const struct known *k = &c->known[mortal_roll(&c->m, (uint32_t)c->known_n)];
    struct inserting *o = inserting_new(c, k->bank);

    o->insert.push->replace = mortal_roll(&c->m, 2) ? PPG_REPLACE_ALL : PPG_REPLACE_PENDING_ONLY;
    take_back(c, &o->old, k);
    o->insert.old = &o->old.cancel;
    return &o->insert.op;
}

static void cancel_done(struct store_op *op)
{
    struct taking_back *t = container_of(op, struct taking_back, cancel.op);

    if (!op->err)
        taken_back(op->arg, &t->cancel);
    arena_clear(&t->cancel.mem);
    free(t);
}

static struct store_op *cancel_new(struct child *c)
{
    struct taking_back *t = calloc(1, sizeof *t);

    MUST(t != NULL);
    take_back(c, t, &c->known[mortal_roll(&c->m, (uint32_t)c->known_n)]);
    t->cancel.op = (struct store_op){.kind = STORE_CANCEL, .done = cancel_done};
    return &t->cancel.op;
}

static void finish_done(struct store_op *op)
{
    struct store_finish *o = container_of(op, struct store_finish, op);
    struct child *c = op->arg;

    if (!op->err) {
        tell(c, 'F', o->notify, o->target_id, 0);
        if (o->notify)
            hold(c->notices, &c->notices_n, o->notice_id);
    }
    free(o);
}

static struct store_op *finish_new(struct child *c)
{
    struct store_finish *o = calloc(1, sizeof *o);

    MUST(o != NULL);
    o->target_id = pick(c, c->held, &c->held_n);
    o->stage = ST_DELIVERED;
    o->event_ms = 50;
    o->notify = mortal_roll(&c->m, 3) > 0;
    o->op = (struct store_op){.kind = STORE_FINISH, .done = finish_done};
    tell(c, 'f', o->notify, o->target_id, 0);
    return &o->op;
}

static void told_done(struct store_op *op)
{
    struct store_notice_done *o = container_of(op, struct store_notice_done, op);

    if (!op->err)
        tell(op->arg, 'D', 0, o->notice_id, 0);
    free(o);
}

static struct store_op *told_new(struct child *c)
{
    struct store_notice_done *o = calloc(1, sizeof *o);

    MUST(o != NULL);
    o->notice_id = pick(c, c->notices, &c->notices_n);
    o->told = true;
    o->op = (struct store_op){.kind = STORE_NOTICE_DONE, .done = told_done};
    tell(c, 'd', 0, o->notice_id, 0);
    return &o->op;
}

static void numbers_done(struct store_op *op)
{
    struct store_numbers *o = container_of(op, struct store_numbers, op);

    if (!op->err)
        tell(op->arg, 'N', o->said[0], o->from, o->to);
    free(o);
}

static struct store_op *numbers_new(struct child *c)
{
    struct store_numbers *o = calloc(1, sizeof *o);

    MUST(o != NULL);
    o->said[0] = (uint8_t)mortal_roll(&c->m, 2);
    o->count = 1 + mortal_roll(&c->m, 50);
    o->op = (struct store_op){.kind = STORE_NUMBERS, .done = numbers_done};
    return &o->op;
}

static struct slice impi_of(uint8_t which)
{
    return which ? SLICE("b@home") : SLICE("a@home");
}

static void seq_done(struct store_op *op)
{
    struct store_seq *o = container_of(op, struct store_seq, op);

    if (!op->err)
        tell(op->arg, 'S', slice_eq(o->impi, impi_of(1)), (int64_t)o->from, (int64_t)o->to);
    free(o);
}

static struct store_op *seq_new(struct child *c)
{
    struct store_seq *o = calloc(1, sizeof *o);

    MUST(o != NULL);
    o->impi = impi_of((uint8_t)mortal_roll(&c->m, 2));
    o->floor = 1;
    o->count = 1 + mortal_roll(&c->m, 50);
    o->op = (struct store_op){.kind = STORE_SEQ, .done = seq_done};
    return &o->op;
}

static void claim_done(struct store_op *op)
{
    struct store_claim *o = container_of(op, struct store_claim, op);
    struct child *c = op->arg;

    LIST_EACH (at, &o->targets)
        hold(c->held, &c->held_n, container_of(at, struct ppg_target, link)->id);
    fix_drop_claim(o);
    free(o);
}

static struct store_op *claim_new(struct child *c)
{
    struct store_claim *o = calloc(1, sizeof *o);

    (void)c;
    MUST(o != NULL);
    o->now_ms = 1000;
    o->max = 5;
    o->max_n = 1000;
    o->op = (struct store_op){.kind = STORE_CLAIM, .done = claim_done};
    return &o->op;
}

static void notice_claim_done(struct store_op *op)
{
    struct store_notice_claim *o = container_of(op, struct store_notice_claim, op);
    struct child *c = op->arg;

    LIST_EACH (at, &o->notices)
        hold(c->notices, &c->notices_n, container_of(at, struct ppg_notice, link)->id);
    fix_drop_notices(&o->notices);
    free(o);
}

static struct store_op *notice_claim_new(struct child *c)
{
    struct store_notice_claim *o = calloc(1, sizeof *o);

    (void)c;
    MUST(o != NULL);
    o->now_ms = 1000;
    o->max = 3;
    o->op = (struct store_op){.kind = STORE_NOTICE_CLAIM, .done = notice_claim_done};
    return &o->op;
}

static struct store_op *any_new(struct child *c)
{
    switch (mortal_roll(&c->m, 10)) {
    case 0:
    case 1:
        if (c->held_n)
            return finish_new(c);
        return insert_new(c);
    case 2:
        if (c->notices_n)
            return told_new(c);
        return insert_new(c);
    case 3:
        return mortal_roll(&c->m, 2) ? numbers_new(c) : seq_new(c);
    case 4:
        return claim_new(c);
    case 5:
        return notice_claim_new(c);
    case 6:
        return c->known_n ? cancel_new(c) : insert_new(c);
    case 7:
        return c->known_n ? replace_new(c) : insert_new(c);
    default:
        return insert_new(c);
    }
}

static void child_run(struct mortal *m)
{
    struct child *c = container_of(m, struct child, m);

    mortal_open(m);
    for (int i = 0; i < c->batches; i++) {
        size_t n = 1 + mortal_roll(&c->m, BATCH_MAX);
        struct list ops;

        list_init(&ops);
        for (size_t k = 0; k < n; k++) {
            struct store_op *op = any_new(c);

            op->arg = c;
            list_push_back(&ops, &op->link);
        }
        store_submit(c->m.f.s, &ops);
        fix_wait(&c->m.f, n);
    }
    _exit(0); /* without closing: an end like any other */
}

/* ---- the parent ---- */

static void learn(const struct entry *e)
{
    struct seen *t = &seen[e->a];

    if (e->what != 'N')
        CU_ASSERT_FATAL(e->a > 0 && e->a < TARGETS_MAX - PUSH_N);
    switch (e->what) {
    case 'I':
        pushes[e->b] = e->a;
        for (size_t i = 0; i < PUSH_N; i++)
            t[i].inserted = true;
        break;
    case 'f':
        t->begun = true;
        t->may_owe |= e->flag != 0;
        break;
    case 'c':
        t->cancelling = t->may_owe = true;
        break;
    case 'C':
        CU_ASSERT(!t->cancelled && !t->finished); /* one end, and once */
        t->cancelled = t->owes = true;
        break;
    case 'X':
        t->left_out = t->may_owe = t->owes = true;
        break;
    case 'F':
        CU_ASSERT(!t->finished && !t->cancelled); /* only once */
        t->finished = true;
        t->owes = e->flag != 0;
        break;
    case 'd':
        t->telling = true;
        break;
    case 'D':
        CU_ASSERT(!t->told);
        t->told = true;
        break;
    case 'N':
        CU_ASSERT(e->a >= number_top[e->flag]); /* ranges never overlap */
        number_top[e->flag] = (uint32_t)e->b;
        break;
    case 'S':
        CU_ASSERT((uint64_t)e->a >= seq_top[e->flag]);
        seq_top[e->flag] = (uint64_t)e->b;
        break;
    default:
        CU_FAIL("an entry no child writes");
    }
}

static void find_targets(struct fix *f)
{
    struct store_claim o = {.now_ms = INT64_MAX, .max = TARGETS_MAX, .max_n = SIZE_MAX};

    CU_ASSERT_FATAL(fix_run(f, &o.op, STORE_CLAIM) == ERR_OK);
    LIST_EACH (at, &o.targets) {
        struct seen *t = &seen[container_of(at, struct ppg_target, link)->id];

        CU_ASSERT(!t->claimable); /* once */
        t->claimable = true;
    }
    fix_drop_claim(&o);
}

static void find_notices(struct fix *f)
{
    struct store_notice_claim o = {.now_ms = INT64_MAX, .max = TARGETS_MAX};

    CU_ASSERT_FATAL(fix_run(f, &o.op, STORE_NOTICE_CLAIM) == ERR_OK);
    LIST_EACH (at, &o.notices) {
        struct seen *t = &seen[container_of(at, struct ppg_notice, link)->id];

        CU_ASSERT(!t->owed);
        t->owed = true;
    }
    fix_drop_notices(&o.notices);
}

static void check_target(const struct seen *t)
{
    bool final = t->finished || t->cancelled || t->left_out;

    if (t->inserted && !t->begun && !t->cancelling && !t->left_out)
        CU_ASSERT(t->claimable); /* nothing acknowledged is lost */
    if (final)
        CU_ASSERT(!t->claimable); /* nothing final comes back */
    if (t->owes && !t->telling)
        CU_ASSERT(t->owed);
    if (t->told || (t->inserted && !t->may_owe) || (final && !t->owes))
        CU_ASSERT(!t->owed);
    CU_ASSERT(!(t->owed && t->claimable));
}

/* What was acknowledged as the end of a target is its end; each has at most one. */
static void check_ends(const struct store_show *o)
{
    for (size_t i = 0; i < o->targets_n; i++) {
        const struct seen *t = &seen[o->targets[i].id];

        if (t->finished)
            CU_ASSERT(o->targets[i].stage == ST_DELIVERED);
        if (t->cancelled || t->left_out)
            CU_ASSERT(o->targets[i].stage == ST_CANCELLED);
        if (o->targets[i].stage == ST_CANCELLED && !t->left_out)
            CU_ASSERT(t->cancelling && o->targets[i].notified > 0);
        CU_ASSERT(t->claimable == !ppg_stage_final(o->targets[i].stage));
    }
}

static void check_pushes(struct fix *f)
{
    char name[32];

    for (size_t i = 0; i < TARGETS_MAX; i++) {
        struct store_show o = {.push_id = SLICE_NONE};

        if (!pushes[i])
            continue;
        (void)snprintf(name, sizeof name, "%zu", i);
        o.push_id = slice_str(name);
        CU_ASSERT_FATAL(fix_run(f, &o.op, STORE_SHOW) == ERR_OK);
        CU_ASSERT(o.push->id == pushes[i] && o.targets_n == PUSH_N && o.targets[0].id == pushes[i]);
        check_ends(&o);
        ppg_push_drop(o.push);
    }
}

static void check(const char *name)
{
    struct fix f;

    fix_init(&f, test_scratch(), name, true);
    CU_ASSERT_FATAL(fix_open(&f) == ERR_OK);
    for (size_t i = 0; i < TARGETS_MAX; i++)
        seen[i].claimable = seen[i].owed = false;
    find_targets(&f);
    find_notices(&f);
    for (size_t i = 0; i < TARGETS_MAX; i++)
        check_target(&seen[i]);
    check_pushes(&f);
    for (uint8_t said = 0; said < 2; said++) {
        struct store_numbers o = {.said = {said}, .count = 3};

        CU_ASSERT(fix_run(&f, &o.op, STORE_NUMBERS) == ERR_OK);
        CU_ASSERT(o.from >= number_top[said]);
        number_top[said] = o.to;
    }
    for (uint8_t which = 0; which < 2; which++) {
        struct store_seq o = {.impi = impi_of(which), .floor = 1, .count = 3};

        CU_ASSERT(fix_run(&f, &o.op, STORE_SEQ) == ERR_OK);
        CU_ASSERT(o.from >= seq_top[which]);
        seq_top[which] = o.to;
    }
    fix_clear(&f);
}

static void forget(void)
{
    memset(seen, 0, sizeof seen);
    memset(pushes, 0, sizeof pushes);
    memset(number_top, 0, sizeof number_top);
    memset(seq_top, 0, sizeof seq_top);
}

/* Reads the ledger to its end; kills the child after so many entries of it unless that is 0. */
static void follow(int from, pid_t pid, void *arg)
{
    size_t *entries = arg;
    struct entry e;
    ssize_t n;

    while ((n = read(from, &e, sizeof e)) == (ssize_t)sizeof e) {
        learn(&e);
        if (*entries > 0 && --*entries == 0)
            (void)kill(pid, SIGKILL);
    }
    CU_ASSERT(n == 0);
}

/* Runs a child on the database; true when it was killed. */
static bool run_child(struct child *c, size_t kill_after_entries)
{
    return mortal_run(&c->m, child_run, follow, &kill_after_entries);
}

/* The same load, killed at its 1st, 2nd, ... step, until it lives to its end. */
static void at_every_step(void)
{
    const char *name = "steps.db";
    struct child c;
    size_t at = 1;
    bool killed = true;

    for (; killed && at < 2000; at++) {
        test_row(at);
        forget();
        c = (struct child){.m.seed = 7, .batches = 12, .push_no = 1, .m.kill_at = at};
        fix_init(&c.m.f, test_scratch(), name, true);
        fix_remove_at(c.m.f.path);
        killed = run_child(&c, 0);
        check(name);
    }
    CU_ASSERT(!killed && at > 50);
    fix_remove_at(c.m.f.path);
}

/* One database, one end after the other, from outside and at any moment of the store's thread. */
static void at_random(void)
{
    const char *name = "random.db";
    uint32_t seed = 42;
    struct child c;
    int kills = 0;

    forget();
    fix_init(&c.m.f, test_scratch(), name, false);
    fix_remove_at(c.m.f.path);
    for (int64_t i = 0; i < 40; i++) {
        test_row((size_t)i);
        seed = mortal_next(seed);
        c = (struct child){.m.seed = seed, .batches = 60, .push_no = 1 + i * 400};
        fix_init(&c.m.f, test_scratch(), name, false);
        kills += run_child(&c, 1 + (seed >> 8) % 150);
        check(name);
    }
    CU_ASSERT(kills > 20);
    fix_remove_at(c.m.f.path);
}

const struct test_case test_cases[] = {
    {"at_every_step", at_every_step},
    {"at_random", at_random},
    {NULL, NULL},
};
