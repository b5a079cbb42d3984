/* Sealing; see protect.h.  [GPL-A1]: the payload is the MIME entity the terminal would have got unprotected; the
 * outer message shows the application id and no other inner header.  Runs on the core's loop. */
#include "ppg/protect.h"

#include <stdlib.h>
#include "base/codec.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/num.h"
#include "ota/headers.h"
#include "ppg/keys/gba.h"
#include "ppg/item.h"

#define ASSOCIATIONS_MAX 1000000u
#define MADE_LINE_N      64u    /* of the line that says when, and more */
#define INNER_HEAD_MAX_N 65536u /* octets of the header lines inside a sealed message */

/* The sending side of one terminal's association. */
struct association {
    struct sec_sa sa;
    struct list waiting; /* struct ppg_protect_wait */
    bool reserving;
    bool orphan;    /* forgotten while a reservation was under way */
    bool exhausted; /* the store said: no numbers left */
    bool refused;   /* the store failed; who is being woken hears of it instead of asking again */
    bool waking;    /* in reserved(): may not be freed */
    struct ppg_protect *protect;
    struct store_numbers numbers;
};

struct ppg_protect {
    struct ppg_core *core;
    struct map associations; /* by SAID */
    struct ppg_gba *gba;
    struct buf scratch;
    size_t reserving;
};

static void association_free(struct association *a)
{
    sec_sa_clear(&a->sa);
    free(a);
}

static enum err association_make(struct ppg_protect *p, const struct ota_association *conf, uint8_t suite,
                                 struct association **out)
{
    struct association *a = calloc(1, sizeof *a);
    struct sec_sa_conf sa = {.rand = slice_of(conf->said, sizeof conf->said),
                             .ks = sec_secret_slice(&conf->key),
                             .suites = slice_of(&suite, 1),
                             .expires_s = conf->expires_ms ? conf->expires_ms / 1000 : INT64_MAX};
    enum err e = a ? sec_sa_init(&a->sa, &sa) : ERR_NOMEM;

    if (!e) {
        list_init(&a->waiting);
        a->protect = p;
        e = map_put(&p->associations, slice_of(a->sa.rand, sizeof a->sa.rand), a);
    }
    if (e) {
        if (a)
            association_free(a);
        return e;
    }
    *out = a;
    return ERR_OK;
}

/* The first suite, in the terminal's order, that gives what the decision asks: full asks for one that
 * encrypts; integrity takes the first one of any kind. */
static uint8_t choose_suite(const struct ota_association *conf, bool encrypt)
{
    for (size_t i = 0; i < conf->suites_n; i++)
        if (!encrypt || sec_gpl_suite_encrypts(conf->suites[i]))
            return conf->suites[i];
    return 0;
}

static void wake(struct association *a)
{
    struct list waiting;
    struct list *at;

    list_init(&waiting);
    list_splice_back(&waiting, &a->waiting);
    while ((at = list_pop_front(&waiting))) {
        struct ppg_protect_wait *w = container_of(at, struct ppg_protect_wait, link);

        w->fn(w->arg);
    }
}

/* Which numbers are spent on which association; its name shows on the wire, its key nowhere. */
static void log_numbers(const struct association *a)
{
    struct buf said;

    buf_init(&said, sizeof a->sa.rand * 2);
    codec_hex(&said, slice_of(a->sa.rand, sizeof a->sa.rand));
    LOG(a->protect->core->shared->log, LOG_INFO, "sa.numbers", LOG_S("said", buf_slice(&said)),
        LOG_C("suite", sec_gpl_suite_name(a->sa.preferred)), LOG_I("from", a->numbers.from),
        LOG_I("to", a->numbers.to));
    buf_clear(&said);
}

static void reserved(struct store_op *op)
{
    struct association *a = op->arg;
    struct ppg_protect *p = a->protect;

    a->reserving = false;
    p->reserving--;
    if (a->orphan) { /* the waiting ones find the association that took its place */
        wake(a);
        association_free(a);
        return;
    }
    if (op->err == ERR_LATE || (!op->err && sec_sa_reserved(&a->sa, a->numbers.from, a->numbers.to)))
        a->exhausted = true;
    else if (op->err)
        LOG(p->core->shared->log, LOG_ERROR, "sa.numbers.fail", LOG_C("error", err_name(op->err)));
    else
        log_numbers(a);
    a->refused = op->err && !a->exhausted;
    a->waking = true;
    wake(a);
    a->refused = a->waking = false;
}

static void reserve(struct association *a)
{
    struct ppg_protect *p = a->protect;

    if (a->reserving || a->exhausted)
        return;
    a->reserving = true;
    p->reserving++;
    a->numbers = (struct store_numbers){.count = ppg_core_settings(p->core)->protection.number_range};
    mem_copy(a->numbers.said, sizeof a->numbers.said, slice_of(a->sa.rand, sizeof a->sa.rand));
    a->numbers.op.kind = STORE_NUMBERS;
    a->numbers.op.done = reserved;
    a->numbers.op.arg = a;
    ppg_core_submit(p->core, &a->numbers.op);
}

static bool made_from(const struct association *a, const struct ota_association *conf)
{
    return slice_eq_ct(slice_of(a->sa.ks, sizeof a->sa.ks), sec_secret_slice(&conf->key));
}

/* Makes room for one with other keys; false while somebody stands on it. */
static bool give_way(struct ppg_protect *p, struct association *a)
{
    if (a->reserving || a->waking)
        return false;
    (void)map_del(&p->associations, slice_of(a->sa.rand, sizeof a->sa.rand));
    association_free(a);
    return true;
}

/* The association as configured now.  One made from other keys (by an attempt that began before a reload), or for
 * another suite, gives way: numbers belong to the SAID and keep rising, keys differ by suite, so neither can meet a
 * number twice.  ERR_IO: later. */
static enum err association_get(struct ppg_protect *p, const struct ota_association *conf, bool encrypt,
                                struct association **out)
{
    uint8_t suite = choose_suite(conf, encrypt);
    struct slice said = slice_of(conf->said, sizeof conf->said);
    struct association *a = map_get(&p->associations, said);

    if (!conf->present)
        return ERR_ABSENT;
    if (!suite)
        return ERR_UNSUPPORTED;
    if (a && !made_from(a, conf)) {
        if (!give_way(p, a))
            return ERR_IO;
        a = NULL;
    }
    if (!a)
        return association_make(p, conf, suite, out);
    if (a->sa.preferred != suite) {
        a->sa.preferred = suite;
        a->sa.suites[0] = suite;
        sec_sa_keys_drop(&a->sa);
    }
    *out = a;
    return ERR_OK;
}

static void head_of(struct ppg_protect *p, const struct ppg_target *t, const struct ppg_content *content,
                    bool inner, char id[PPG_PROTECT_ID_N], struct buf *out)
{
    const struct ppg_push *push = t->push;
    char name[PPG_ITEM_ID_N];
    struct ota_message_head head = {
        .date_s = push->accepted_ms / 1000,
        .content_type = content->type,
        .content_n = content->body.n,
        .app_id = push->app_id,
        .initiator_uri = push->initiator_uri,
        .verify = content->verify,
        .passed = push->headers,
        .transformed = content->transformed,
        .info = {.authenticated = push->flags & PPG_AUTHENTICATED, .trusted = push->flags & PPG_TRUSTED},
        .with_info = inner,
    };

    ppg_item_print(store_name(p->core->shared->store), t->id, name);
    (void)snprintf(id, PPG_PROTECT_ID_N, "%s%s", name, content->notice ? "-n" : "");
    head.message_id = slice_str(id);
    ota_headers_print(&head, out);
}

/* What a stranger on the path may know: that something sealed goes to this application. */
static void outer_head(const struct ppg_target *t, struct slice type, size_t sealed_n, struct buf *out)
{
    struct ota_message_head head = {.date_s = t->push->accepted_ms / 1000,
                                    .content_type = type,
                                    .content_n = sealed_n,
                                    .app_id = t->push->app_id};

    ota_headers_print(&head, out);
}

/* The parts of a message inside its seal: head, empty line, content. */
static enum err inner_of(struct ppg_protect *p, const struct ppg_target *t, const struct ppg_content *content,
                         char id[PPG_PROTECT_ID_N], struct slice parts[3])
{
    buf_reset(&p->scratch, INNER_HEAD_MAX_N);
    head_of(p, t, content, true, id, &p->scratch);
    parts[0] = buf_slice(&p->scratch);
    parts[1] = SLICE("\r\n");
    parts[2] = content->body;
    return buf_err(&p->scratch);
}

static enum err sealed_as(struct slice type, const struct ppg_target *t, struct ppg_protected *out)
{
    out->body = buf_slice(&out->sealed);
    out->type = type;
    outer_head(t, type, out->body.n, &out->head);
    return buf_err(&out->head);
}

static enum err sealed(const struct ppg_target *t, struct ppg_protected *out)
{
    return sealed_as(SLICE(OTA_TYPE_GPL_A1), t, out);
}

static enum err seal(struct ppg_protect *p, struct association *a, const struct ppg_target *t,
                     const struct ppg_content *content, struct ppg_protected *out)
{
    struct slice parts[3];
    enum err e = inner_of(p, t, content, out->message_id, parts);

    if (!e)
        e = sec_sa_seal(&a->sa, SEC_GPL_DOWNLINK, ppg_core_utc_ms(p->core) / 1000, SLICE_NONE, parts, 3,
                        &out->sealed, &out->sn);
    if (e)
        return e;
    out->suite = a->sa.preferred;
    mem_copy(out->said, sizeof out->said, slice_of(a->sa.rand, sizeof a->sa.rand));
    return sealed(t, out);
}

static enum err seal_when_numbered(struct ppg_protect *p, const struct ppg_target *t,
                                   const struct ppg_content *content, const struct ota_terminal *terminal,
                                   const struct sec_policy_out *decision, struct ppg_protect_wait *wait,
                                   struct ppg_protected *out)
{
    struct association *a;
    enum err e = association_get(p, &terminal->association, decision->seal_encrypts, &a);

    if (e)
        return e;
    e = seal(p, a, t, content, out);
    if (e == ERR_AGAIN && a->exhausted)
        return ERR_LATE;
    if (e == ERR_AGAIN && a->refused)
        return ERR_IO;
    if (e == ERR_AGAIN)
        list_push_back(&a->waiting, &wait->link);
    if (e == ERR_AGAIN || sec_sa_left(&a->sa) < ppg_core_settings(p->core)->protection.number_range / 4)
        reserve(a);
    return e;
}

/* An association of the operator's, while it lasts, comes before one of our own making. */
static bool provisioned(const struct ppg_core *c, const struct ota_association *a)
{
    return a->present && (!a->expires_ms || a->expires_ms > ppg_core_utc_ms(c));
}

static bool encrypts(const struct ota_association *a)
{
    for (size_t i = 0; i < a->suites_n; i++)
        if (sec_gpl_suite_encrypts(a->suites[i]))
            return true;
    return false;
}

bool ppg_protect_possible(const struct ppg_core *c, const struct ota_terminal *terminal, bool encrypted)
{
    if (provisioned(c, &terminal->association))
        return encrypted ? encrypts(&terminal->association) : terminal->association.suites_n != 0;
    return ppg_gba_offers(c, terminal->key, encrypted);
}

static enum err seal_bootstrapped(struct ppg_protect *p, const struct ppg_target *t,
                                  const struct ppg_content *content, const struct ota_terminal *terminal,
                                  struct ppg_protect_wait *wait, struct ppg_protected *out)
{
    int64_t now_s = ppg_core_utc_ms(p->core) / 1000;
    struct slice parts[3];
    struct sec_naf_sa *sa;
    size_t gpi_n;
    enum err e = ppg_gba_get(p->gba, terminal->key, wait, &sa);

    if (!e)
        e = inner_of(p, t, content, out->message_id, parts);
    if (e)
        return e;
    gpi_n = sec_naf_sa_gpi(sa).n;
    e = sec_naf_sa_seal(sa, now_s, parts, 3, &out->sealed, out->said, &out->sn);
    if (e == ERR_AGAIN)
        return ppg_gba_reserve(p->gba, terminal->key, wait);
    if (e)
        return e;
    out->bootstrapped = true;
    out->gpi_n = gpi_n;
    out->suite = (uint8_t)out->sealed.p[1];
    ppg_gba_sealed(p->gba, terminal->key);
    return sealed(t, out);
}

void ppg_protect_taken(struct ppg_protect *p, const struct ota_terminal *terminal,
                       const struct ppg_protected *message)
{
    if (message->bootstrapped)
        ppg_gba_taken(p->gba, terminal->key, message->said);
}

bool ppg_protect_answered(struct ppg_protect *p, const struct ota_terminal *terminal,
                          const struct ppg_protected *message, const struct ota_sa_answer *answer)
{
    if (!message->bootstrapped)
        return false;
    if (answer->word == OTA_SA_CONFIRMED)
        ppg_gba_confirmed(p->gba, terminal->key, message->said, slice_str(message->message_id), answer);
    return ppg_gba_answered(p->gba, terminal->key, message->said, answer);
}

void ppg_protect_revoke(struct ppg_protect *p, struct slice terminal)
{
    ppg_gba_revoke(p->gba, terminal);
}

/* The message as in a seal, and when it was made, which is all that can show that it is new. */
static enum err wrap_xml(struct ppg_protect *p, const struct ppg_target *t, const struct ppg_content *content,
                         const struct ota_xml *with, bool encrypt, struct ppg_protected *out)
{
    const struct sec_xml_key sign = {with->name, sec_secret_slice(&with->keys.sign)};
    struct slice parts[3];
    struct buf entity;
    enum err e = inner_of(p, t, content, out->message_id, parts);

    buf_init(&entity, SEC_XML_CONTENT_MAX_N);
    (void)buf_room(&entity, num_min(parts[0].n + parts[2].n + MADE_LINE_N, SEC_XML_CONTENT_MAX_N));
    buf_add(&entity, parts[0]);
    buf_addf(&entity, OTA_XML_MADE_HEADER ": %lld\r\n", (long long)(ppg_core_utc_ms(p->core) / 1000));
    buf_add(&entity, parts[1]);
    buf_add(&entity, parts[2]);
    if (!e)
        e = buf_err(&entity);
    if (!e && encrypt)
        e = sec_xml_encrypt(buf_slice(&entity), with->name, &with->keys, &out->sealed);
    else if (!e)
        e = sec_xml_sign(SEC_XML_ENVELOPING, buf_slice(&entity), &sign, &out->sealed);
    buf_wipe(&entity);
    return e ? e : sealed_as(encrypt ? SLICE(OTA_TYPE_XML_ENCRYPTED) : SLICE(OTA_TYPE_XML_SIGNED), t, out);
}

enum err ppg_protect(struct ppg_protect *p, const struct ppg_target *t, const struct ppg_content *content,
                     const struct ota_terminal *terminal, const struct sec_policy_out *decision,
                     struct ppg_protect_wait *wait, struct ppg_protected *out)
{
    out->type = SLICE_NONE;
    if (decision->xml)
        return wrap_xml(p, t, content, &terminal->xml, decision->xml_encrypts, out);
    if (decision->seal && provisioned(p->core, &terminal->association))
        return seal_when_numbered(p, t, content, terminal, decision, wait, out);
    if (decision->seal)
        return seal_bootstrapped(p, t, content, terminal, wait, out);
    /* What a mac covers counts as much as what a seal holds. */
    head_of(p, t, content, decision->mac, out->message_id, &out->head);
    out->body = content->body;
    return buf_err(&out->head);
}

static void forget_provisioned(struct ppg_protect *p)
{
    struct association *a;
    size_t pos = 0;

    while ((a = map_next(&p->associations, &pos))) {
        (void)map_del(&p->associations, slice_of(a->sa.rand, sizeof a->sa.rand));
        if (a->reserving)
            a->orphan = true;
        else
            association_free(a);
    }
}

void ppg_protect_forget(struct ppg_protect *p)
{
    forget_provisioned(p);
    ppg_gba_forget(p->gba);
}

enum err ppg_protect_create(struct ppg_core *c, struct ppg_protect **out)
{
    struct ppg_protect *p = calloc(1, sizeof *p);

    if (!p)
        return ERR_NOMEM;
    p->core = c;
    if (ppg_gba_create(c, &p->gba)) {
        free(p);
        return ERR_NOMEM;
    }
    map_init(&p->associations, ASSOCIATIONS_MAX);
    buf_init(&p->scratch, INNER_HEAD_MAX_N);
    *out = p;
    return ERR_OK;
}

void ppg_protect_free(struct ppg_protect **pp)
{
    struct ppg_protect *p = *pp;

    if (!p)
        return;
    MUST(p->reserving == 0);
    ppg_gba_free(&p->gba);
    forget_provisioned(p);
    map_clear(&p->associations);
    buf_wipe(&p->scratch);
    free(p);
    *pp = NULL;
}
