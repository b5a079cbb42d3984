/* Pushes that ask to connect, and whether they may: held, asked about once, let go or dropped; see kit.h.  A forger makes
 * the terminal ask at most once for a token and content, and a few times a minute in all; then forgeries are dropped
 * unasked.  SEC_CF 1.1, use case B.7.  No I/O: the program asks.  One thread. */
#include "base/scan.h"
#include "ota/sia.h"
#include "ota/terminal/kit_state.h"
#include "security/terminal/verify.h"

#define TOKEN_MAX_N   64u
#define DONE_MAX      256u           /* tokens and contents remembered */
#define PENDING_MAX_N (128u * 1024u) /* octets of a push that is held, header lines and content */
#define MINUTE_S      60

static struct kit_verdict drop(enum kit_reason reason)
{
    return (struct kit_verdict){KIT_DROPPED, reason, 204, 235};
}

enum err kit_verify_init(struct kit_verify *v)
{
    return kit_seen_init(&v->done, DONE_MAX);
}

void kit_verify_clear(struct kit_verify *v)
{
    for (size_t i = 0; i < KIT_PENDING_MAX; i++)
        arena_clear(&v->pending[i].mem);
    kit_seen_clear(&v->done);
}

static bool is_sia(const struct kit_push *push)
{
    return slice_eq_ci(ota_type_bare(push->content_type), SLICE(OTA_SIA_TYPE));
}

bool kit_verify_wanted(const struct kit *k, const struct kit_push *push)
{
    return is_sia(push) || slice_eq_ci(push->app_id, SLICE(OTA_SIA_APP)) ||
           ota_header_find(push->headers, SLICE(OTA_VERIFY_HEADER)).n ||
           (k->conf.verify_apps.n && ota_accepts_app(k->conf.verify_apps, push->app_id));
}

/* --- what is worth a question --- */

static bool is_token(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!scan_is_token_ch((unsigned char)s.p[i]))
            return false;
    return s.n != 0 && s.n <= TOKEN_MAX_N;
}

static bool well_formed(const struct kit_push *push)
{
    struct ota_sia sia;

    return !is_sia(push) || !ota_sia_parse(push->body, &sia);
}

/* A minute at a time; what is open counts as if it came to nothing. */
static bool may_ask(struct kit *k, int64_t now_s)
{
    struct kit_verify *v = &k->verify;
    unsigned open = 0;

    if (now_s < v->since_s || now_s - v->since_s >= MINUTE_S) {
        v->since_s = now_s;
        v->failed = 0;
    }
    for (size_t i = 0; i < KIT_PENDING_MAX; i++)
        open += v->pending[i].open;
    return open < KIT_PENDING_MAX && v->failed + open < k->conf.verify_rate;
}

/* "TOKEN:DIGEST" */
static void print_name(struct slice token, struct slice digest, struct buf *out)
{
    buf_add(out, token);
    buf_add_ch(out, ':');
    buf_add(out, digest);
}

/* Was it asked about, or is it just being asked about?  Also when memory is out. */
static bool known(const struct kit *k, struct slice token, struct slice digest)
{
    const struct kit_verify *v = &k->verify;
    struct buf name;
    bool is;

    buf_init(&name, TOKEN_MAX_N + 1 + SEC_VERIFY_DIGEST_N);
    print_name(token, digest, &name);
    is = buf_err(&name) || kit_seen_has(&v->done, buf_slice(&name));
    buf_clear(&name);
    for (size_t i = 0; i < KIT_PENDING_MAX; i++)
        is = is || (v->pending[i].open && slice_eq(v->pending[i].token, token) &&
                    slice_eq(v->pending[i].digest, digest));
    return is;
}

/* --- holding --- */

/* Places are used in turn, so that a push just let go stays readable as long as possible. */
static struct kit_pending *free_place(struct kit_verify *v)
{
    while (v->pending[v->next % KIT_PENDING_MAX].open)
        v->next++;
    return &v->pending[v->next++ % KIT_PENDING_MAX];
}

static enum err copy_push(struct kit_pending *p, const struct kit_push *push)
{
    struct slice *const texts[] = {&p->push.message_id,   &p->push.app_id,  &p->push.initiator_uri,
                                   &p->push.content_type, &p->push.headers, &p->push.body,
                                   &p->push.server,       &p->push.gateway};
    enum err e = ERR_OK;

    p->push = *push;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && !e; i++)
        e = texts[i]->n ? arena_dup(&p->mem, *texts[i], texts[i]) : ERR_OK;
    return e;
}

static enum err hold(struct kit *k, const struct kit_push *push, struct slice token, struct slice digest)
{
    struct kit_pending *p = free_place(&k->verify);
    enum err e;

    arena_clear(&p->mem);
    arena_init(&p->mem, 1024, PENDING_MAX_N);
    e = copy_push(p, push);
    if (!e)
        e = arena_dup(&p->mem, token, &p->token);
    if (!e)
        e = arena_dup(&p->mem, digest, &p->digest);
    p->open = !e;
    p->taken = false;
    return e;
}

struct kit_verdict kit_verify_take(struct kit *k, int64_t now_s, const struct kit_push *push)
{
    struct slice token = ota_header_find(push->headers, SLICE(OTA_VERIFY_HEADER));
    struct sec_verify_content content;
    struct slice digest = slice_of(content.digest, sizeof content.digest);

    if (!k->conf.verify)
        return drop(KIT_REASON_VERIFY_NOBODY);
    if (!is_token(token))
        return drop(KIT_REASON_VERIFY_TOKEN);
    if (!well_formed(push))
        return drop(KIT_REASON_FORM);
    if (!may_ask(k, now_s))
        return drop(KIT_REASON_VERIFY_RATE);
    if (sec_verify_digest(push->body, &content))
        return drop(KIT_REASON_RESOURCES);
    if (known(k, token, digest))
        return drop(KIT_REASON_VERIFY_KNOWN);
    if (hold(k, push, token, digest))
        return drop(KIT_REASON_RESOURCES);
    return (struct kit_verdict){KIT_VERIFY, KIT_REASON_NONE, 204, 400};
}

/* --- questions and answers --- */

bool kit_verify_next(struct kit *k, struct kit_question *out)
{
    for (unsigned i = 0; i < KIT_PENDING_MAX; i++) {
        struct kit_pending *p = &k->verify.pending[i];

        if (p->open && !p->taken) {
            p->taken = true;
            *out = (struct kit_question){i, p->token, p->digest};
            return true;
        }
    }
    return false;
}

static enum kit_reason judge(const struct kit_verified *v)
{
    if (!v->answered)
        return KIT_REASON_VERIFY_UNANSWERED;
    if (!v->valid)
        return KIT_REASON_VERIFY_INVALID;
    return v->now_s > v->not_after_s ? KIT_REASON_VERIFY_LATE : KIT_REASON_NONE;
}

/* What cannot be remembered could be asked about again: it is no longer genuine then. */
static enum err remember(struct kit_verify *v, const struct kit_pending *p)
{
    struct buf name;
    enum err e;

    buf_init(&name, TOKEN_MAX_N + 1 + SEC_VERIFY_DIGEST_N);
    print_name(p->token, p->digest, &name);
    e = buf_err(&name) ? buf_err(&name) : kit_seen_add(&v->done, buf_slice(&name));
    buf_clear(&name);
    return e;
}

enum kit_event kit_verify_done(struct kit *k, unsigned place, const struct kit_verified *v,
                               struct kit_push *push, const char **reason)
{
    struct kit_pending *p = &k->verify.pending[place];
    enum kit_reason why = judge(v);

    MUST(place < KIT_PENDING_MAX && p->open && p->taken);
    p->open = false;
    if (remember(&k->verify, p) && why == KIT_REASON_NONE)
        why = KIT_REASON_RESOURCES;
    k->counts[why]++;
    *reason = kit_reason_text(why);
    if (why == KIT_REASON_NONE) {
        *push = p->push;
        return KIT_CONNECT;
    }
    k->verify.failed++;
    return KIT_DROPPED;
}
