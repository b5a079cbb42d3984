/* Which association of a terminal seals, and for how long; see naf_sa.h.  Profile GPL-A1, §6.2 "combined delivery" and
 * defaults, §7 for the number of tries.  One thread at a time. */
#include "security/gba/naf_sa.h"

#include <stdlib.h>
#include "base/mem.h"
#include "base/num.h"

#define REFRESH_TENTHS  1                   /* of the life left */
#define REFRESH_NUMBERS (UINT32_C(1) << 31) /* left */

/* One association, and its GPI while the terminal may need it. */
struct one {
    struct sec_sa sa;
    int64_t made_s, first_use_s; /* UTC; first_use_s only when used */
    char *gpi;                   /* owned, gpi_n octets; NULL once confirmed: it is not needed any more */
    uint16_t gpi_n;
    bool used, confirmed;
};

struct sec_naf_sa {
    const struct sec_naf_sa_conf *conf;
    struct one *front; /* seals; NULL: none */
    struct one *old;   /* confirmed once; NULL: none */
    unsigned tries;    /* associations in a row that were not taken */
    int64_t last_try_s;
};

enum err sec_naf_sa_create(const struct sec_naf_sa_conf *conf, struct sec_naf_sa **out)
{
    struct sec_naf_sa *n = calloc(1, sizeof *n);

    if (!n)
        return ERR_NOMEM;
    n->conf = conf;
    *out = n;
    return ERR_OK;
}

static void one_free(struct one **one)
{
    if (!*one)
        return;
    sec_sa_clear(&(*one)->sa);
    free((*one)->gpi);
    free(*one);
    *one = NULL;
}

void sec_naf_sa_free(struct sec_naf_sa **n)
{
    if (!*n)
        return;
    one_free(&(*n)->front);
    one_free(&(*n)->old);
    free(*n);
    *n = NULL;
}

static bool is_named(const struct one *one, const uint8_t said[SEC_SA_RAND_N])
{
    return one && slice_eq(slice_of(one->sa.rand, SEC_SA_RAND_N), slice_of(said, SEC_SA_RAND_N));
}

static bool usable(const struct one *one, int64_t now_s)
{
    return one && !sec_sa_expired(&one->sa, now_s) && one->sa.numbers.next != SEC_SA_SN_END;
}

/* The front one is given up; the old one seals again when it still can. */
static void step_back(struct sec_naf_sa *n, int64_t now_s)
{
    one_free(&n->front);
    if (usable(n->old, now_s)) {
        n->front = n->old;
        n->old = NULL;
    }
}

static void front_failed(struct sec_naf_sa *n, int64_t now_s)
{
    n->tries++;
    n->last_try_s = now_s;
    step_back(n, now_s);
}

/* What time alone changes. */
static void tidy(struct sec_naf_sa *n, int64_t now_s)
{
    struct one *front = n->front;

    if (front && !usable(front, now_s))
        step_back(n, now_s);
    else if (front && front->used && !front->confirmed && n->conf->confirm_s &&
             now_s - front->first_use_s >= n->conf->confirm_s)
        front_failed(n, now_s);
    front = n->front;
    if (n->old && (sec_sa_expired(&n->old->sa, now_s) ||
                   (front && front->confirmed && now_s - front->first_use_s >= SEC_NAF_SA_OVERLAP_S)))
        one_free(&n->old);
}

static bool running_out(const struct one *one, int64_t now_s)
{
    int64_t life_s = one->sa.expires_s - one->made_s;

    return (one->sa.expires_s - now_s) * 10 <= life_s * REFRESH_TENTHS ||
           SEC_SA_SN_END - one->sa.numbers.next <= REFRESH_NUMBERS;
}

enum sec_naf_sa_need sec_naf_sa_need(struct sec_naf_sa *n, int64_t now_s)
{
    tidy(n, now_s);
    if (n->tries >= SEC_NAF_SA_TRIES) {
        if (now_s - n->last_try_s < n->conf->rest_s)
            return n->front ? SEC_NAF_SA_READY : SEC_NAF_SA_FAILED;
        n->tries = 0;
    }
    if (!n->front)
        return SEC_NAF_SA_NEW;
    return running_out(n->front, now_s) ? SEC_NAF_SA_REFRESH : SEC_NAF_SA_READY;
}

static enum err one_make(const struct sec_naf_sa *n, const struct sec_push_info *info, struct slice ptid,
                         int64_t now_s, struct one **out)
{
    struct sec_sa_conf conf = {.rand = slice_of(info->rand, sizeof info->rand),
                               .ptid = ptid,
                               .ks = sec_secret_slice(&info->ks_naf),
                               .suites = n->conf->suites,
                               .expires_s = info->expires_s,
                               .window = n->conf->window};
    struct one *one = calloc(1, sizeof *one);
    enum err e = one ? sec_sa_init(&one->sa, &conf) : ERR_NOMEM;

    if (!e) {
        one->made_s = now_s;
        one->gpi = mem_dup(slice_of(info->gpi, info->gpi_n));
        one->gpi_n = (uint16_t)info->gpi_n;
        if (one->gpi)
            *out = one;
        else
            e = ERR_NOMEM;
    }
    if (e)
        one_free(&one);
    return e;
}

enum err sec_naf_sa_adopt(struct sec_naf_sa *n, const struct sec_push_info *info, struct slice ptid,
                          int64_t now_s)
{
    struct one *one;
    enum err e;

    tidy(n, now_s);
    if (info->expires_s <= now_s)
        return ERR_LATE;
    e = one_make(n, info, ptid, now_s, &one);
    if (e)
        return e;
    if (n->front && n->front->confirmed) {
        one_free(&n->old);
        n->old = n->front;
        n->front = NULL;
    }
    one_free(&n->front);
    n->front = one;
    return ERR_OK;
}

enum err sec_naf_sa_restore(struct sec_naf_sa *n, const struct sec_push_info *info, struct slice ptid,
                            bool confirmed, int64_t now_s)
{
    enum err e = sec_naf_sa_adopt(n, info, ptid, now_s);

    if (e)
        return e;
    n->front->made_s = info->created_s;
    n->front->first_use_s = now_s; /* at the latest then: how long it was not confirmed counts anew */
    n->front->used = true;
    if (confirmed)
        (void)sec_naf_sa_confirm(n, info->rand);
    return ERR_OK;
}

uint32_t sec_naf_sa_floor(const struct sec_naf_sa *n, int64_t now_s)
{
    const struct one *one = n->front;
    int64_t life_s, age_s, pace;

    if (!one)
        return 1;
    life_s = one->sa.expires_s - one->made_s;
    age_s = num_min64(now_s - one->made_s, life_s);
    pace = life_s > 0 ? num_min64(SEC_NAF_SA_PACE, SEC_NAF_SA_PACED / life_s) : 0;
    return age_s > 0 ? 1 + (uint32_t)(age_s * pace) : 1;
}

uint32_t sec_naf_sa_left(const struct sec_naf_sa *n)
{
    return n->front ? sec_sa_left(&n->front->sa) : 0;
}

struct slice sec_naf_sa_gpi(const struct sec_naf_sa *n)
{
    return n->front && !n->front->confirmed ? slice_of(n->front->gpi, n->front->gpi_n) : SLICE_NONE;
}

enum err sec_naf_sa_name(struct sec_naf_sa *n, int64_t now_s, uint8_t said[SEC_SA_RAND_N])
{
    tidy(n, now_s);
    if (!n->front)
        return ERR_ABSENT;
    mem_copy(said, SEC_SA_RAND_N, slice_of(n->front->sa.rand, SEC_SA_RAND_N));
    return ERR_OK;
}

enum err sec_naf_sa_reserved(struct sec_naf_sa *n, const uint8_t said[SEC_SA_RAND_N], uint32_t from,
                             uint32_t to)
{
    return is_named(n->front, said) ? sec_sa_reserved(&n->front->sa, from, to) : ERR_ABSENT;
}

enum err sec_naf_sa_seal(struct sec_naf_sa *n, int64_t now_s, const struct slice *parts, size_t parts_n,
                         struct buf *out, uint8_t said[SEC_SA_RAND_N], uint32_t *sn)
{
    struct one *one;
    enum err e;

    tidy(n, now_s);
    one = n->front;
    if (!one)
        return ERR_ABSENT;
    e = sec_sa_seal(&one->sa, SEC_GPL_DOWNLINK, now_s, sec_naf_sa_gpi(n), parts, parts_n, out, sn);
    if (e)
        return e;
    if (!one->used)
        one->first_use_s = now_s;
    one->used = true;
    mem_copy(said, SEC_SA_RAND_N, slice_of(one->sa.rand, SEC_SA_RAND_N));
    return ERR_OK;
}

bool sec_naf_sa_confirm(struct sec_naf_sa *n, const uint8_t said[SEC_SA_RAND_N])
{
    if (!is_named(n->front, said) || n->front->confirmed)
        return false;
    free(n->front->gpi);
    n->front->gpi = NULL;
    n->front->confirmed = true;
    n->tries = 0;
    return true;
}

void sec_naf_sa_refuse(struct sec_naf_sa *n, const uint8_t said[SEC_SA_RAND_N], int64_t now_s)
{
    if (is_named(n->front, said))
        front_failed(n, now_s);
    else if (is_named(n->old, said))
        one_free(&n->old);
}

enum err sec_naf_sa_open(struct sec_naf_sa *n, int64_t now_s, const struct sec_gpl_msg *msg,
                         struct buf *plain, uint8_t said[SEC_SA_RAND_N])
{
    struct one *one;
    enum err e = ERR_ABSENT;

    tidy(n, now_s);
    for (one = n->front; one && e == ERR_ABSENT; one = one == n->old ? NULL : n->old) {
        e = sec_sa_open(&one->sa, SEC_GPL_UPLINK, now_s, msg, plain);
        if (!e)
            mem_copy(said, SEC_SA_RAND_N, slice_of(one->sa.rand, SEC_SA_RAND_N));
    }
    return e;
}
