/* Security associations: numbers handed out, numbers seen, and the receiver's order of checks.  GPL-A1's
 * processing model; the documented minimum (SN_h moves only with a good tag) is that of TS 33.224.  One thread at
 * a time; stores nothing. */
#include "security/sa.h"

#include "base/mem.h"

static enum err suites_set(struct sec_sa *sa, struct slice suites)
{
    if (suites.n < 1 || suites.n > SEC_SA_SUITES_MAX)
        return ERR_MALFORMED;
    for (size_t i = 0; i < suites.n; i++) {
        uint8_t suite = (uint8_t)suites.p[i];

        if (!sec_gpl_suite_known(suite))
            return ERR_UNSUPPORTED;
        if (sec_sa_allows(sa, suite))
            return ERR_MALFORMED;
        sa->suites[sa->suites_n++] = suite;
    }
    sa->preferred = sa->suites[0];
    return ERR_OK;
}

enum err sec_sa_init(struct sec_sa *sa, const struct sec_sa_conf *conf)
{
    struct sec_sa v = {.expires_s = conf->expires_s, .window = {.size = conf->window}};
    enum err e;

    if (conf->rand.n != SEC_SA_RAND_N || conf->ptid.n > sizeof v.ptid || conf->ks.n != SEC_GPL_KEY_N ||
        conf->window > SEC_SA_WINDOW_MAX)
        return ERR_MALFORMED;
    e = suites_set(&v, conf->suites);
    if (e)
        return e;
    mem_copy(v.ks, sizeof v.ks, conf->ks);
    mem_copy(v.rand, sizeof v.rand, conf->rand);
    mem_copy(v.ptid, sizeof v.ptid, conf->ptid);
    v.ptid_n = (uint8_t)conf->ptid.n;
    *sa = v;
    mem_wipe(v.ks, sizeof v.ks);
    return ERR_OK;
}

void sec_sa_keys_drop(struct sec_sa *sa)
{
    sec_gpl_keys_free(&sa->keys[SEC_GPL_DOWNLINK]);
    sec_gpl_keys_free(&sa->keys[SEC_GPL_UPLINK]);
}

void sec_sa_clear(struct sec_sa *sa)
{
    sec_sa_keys_drop(sa);
    mem_wipe(sa, sizeof *sa);
}

struct slice sec_sa_said(const struct sec_sa *sa, enum sec_gpl_direction direction)
{
    return direction == SEC_GPL_DOWNLINK ? slice_of(sa->rand, sizeof sa->rand)
                                         : slice_of(sa->ptid, sa->ptid_n);
}

bool sec_sa_allows(const struct sec_sa *sa, uint8_t suite)
{
    for (size_t i = 0; i < sa->suites_n; i++)
        if (sa->suites[i] == suite)
            return true;
    return false;
}

bool sec_sa_expired(const struct sec_sa *sa, int64_t now_s)
{
    return now_s >= sa->expires_s;
}

/* The keys of that direction and suite; derived when the cached ones are others. */
static enum err keys_of(struct sec_sa *sa, enum sec_gpl_direction direction, uint8_t suite,
                        const struct sec_gpl_keys **out)
{
    struct sec_gpl_keys *fresh = NULL;
    enum err e;

    if (!sa->keys[direction] || sec_gpl_keys_suite(sa->keys[direction]) != suite) {
        e = sec_gpl_keys_create(slice_of(sa->ks, sizeof sa->ks), direction, suite, &fresh);
        if (e)
            return e;
        sec_gpl_keys_free(&sa->keys[direction]);
        sa->keys[direction] = fresh;
    }
    *out = sa->keys[direction];
    return ERR_OK;
}

enum err sec_sa_reserved(struct sec_sa *sa, uint32_t from, uint32_t to)
{
    struct sec_sa_numbers *r = &sa->numbers;

    if (from == 0 || from >= to)
        return ERR_LIMIT;
    if (from < r->end)
        return ERR_EXISTS;
    if (from > r->end || r->next == 0)
        r->next = from;
    r->end = to;
    return ERR_OK;
}

enum err sec_sa_next_sn(struct sec_sa *sa, uint32_t *sn)
{
    struct sec_sa_numbers *r = &sa->numbers;

    if (r->next == SEC_SA_SN_END)
        return ERR_LATE;
    if (r->next == r->end)
        return ERR_AGAIN;
    *sn = r->next++;
    return ERR_OK;
}

uint32_t sec_sa_left(const struct sec_sa *sa)
{
    return sa->numbers.end - sa->numbers.next;
}

enum err sec_sa_seal(struct sec_sa *sa, enum sec_gpl_direction direction, int64_t now_s, struct slice gpi,
                     const struct slice *parts, size_t parts_n, struct buf *out, uint32_t *sn)
{
    const struct sec_gpl_keys *keys;
    struct slice said = sec_sa_said(sa, direction);
    uint32_t mine;
    enum err e;

    if (said.n == 0)
        return ERR_ABSENT;
    if (sec_sa_expired(sa, now_s))
        return ERR_LATE;
    e = keys_of(sa, direction, sa->preferred, &keys);
    if (!e)
        e = sec_sa_next_sn(sa, &mine);
    if (!e)
        e = sec_gpl_seal(keys, mine, said, gpi, parts, parts_n,
                         out); /* a failure wastes the number, no more */
    if (!e)
        *sn = mine;
    return e;
}

enum err sec_sa_replay_check(const struct sec_sa *sa, uint32_t sn)
{
    const struct sec_sa_window *w = &sa->window;
    uint32_t back;

    if (sn > w->high)
        return ERR_OK;
    back = w->high - sn;
    if (sn == 0 || back == 0 || back > w->size)
        return ERR_EXISTS;
    return w->seen >> (back - 1) & 1 ? ERR_EXISTS : ERR_OK;
}

void sec_sa_replay_update(struct sec_sa *sa, uint32_t sn)
{
    struct sec_sa_window *w = &sa->window;
    uint32_t ahead = sn > w->high ? sn - w->high : 0;

    if (ahead == 0) {
        MUST(w->high > sn && w->high - sn <= SEC_SA_WINDOW_MAX);
        w->seen |= UINT64_C(1) << (w->high - sn - 1);
        return;
    }
    w->seen = ahead < 64 ? w->seen << ahead : 0;
    if (ahead <= 64 && w->high)
        w->seen |= UINT64_C(1) << (ahead - 1); /* the old highest number is one of the seen ones now */
    w->high = sn;
}

/* Steps 3 and 4. */
static enum err open_check(const struct sec_sa *sa, enum sec_gpl_direction direction, int64_t now_s,
                           const struct sec_gpl_msg *msg)
{
    if (msg->direction != direction || !slice_eq(msg->said, sec_sa_said(sa, direction)))
        return ERR_ABSENT;
    if (sec_sa_expired(sa, now_s))
        return ERR_LATE;
    if (!sec_sa_allows(sa, msg->suite))
        return ERR_UNSUPPORTED;
    return sec_sa_replay_check(sa, msg->sn);
}

enum err sec_sa_open(struct sec_sa *sa, enum sec_gpl_direction direction, int64_t now_s,
                     const struct sec_gpl_msg *msg, struct buf *plain)
{
    const struct sec_gpl_keys *keys;
    enum err e = open_check(sa, direction, now_s, msg);

    if (!e)
        e = keys_of(sa, direction, msg->suite, &keys);
    if (!e)
        e = sec_gpl_open(keys, msg, plain);
    if (!e)
        sec_sa_replay_update(sa, msg->sn);
    return e;
}
