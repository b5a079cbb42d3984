/* Asking terminals to call; see wake.h. */
#include "ppg/doors/wake.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/net/dns.h"
#include "ota/headers.h"
#include "ota/sia.h"
#include "ppg/doors/verify.h"
#include "ppg/route.h"

#define SLEEPERS_MAX                                                                                         \
    100000u /* terminals that are being woken; others wait for their turn or for their own call */
#define HEAD_N 256u

/* A terminal that is being woken, or rests from it. */
struct sleeper {
    struct list at; /* in wake.pauses[tries], the earliest first */
    struct ppg_wake *wake;
    struct ota_registry *registry;    /* held */
    struct ota_terminal as_datagrams; /* the terminal as its wap route reaches it; texts of the registry's */
    struct ota_job job;
    struct buf head, body;
    int64_t next_ms; /* monotonic */
    unsigned tries;
    bool sending;
    bool over; /* it has called, or the core ends: freed when the datagram is away */
    size_t key_n;
    char key[];
};

struct ppg_wake {
    struct ppg_core *core;
    struct map sleepers; /* by key */
    struct list pauses[PPG_WAKE_TRIES_MAX + 1];
    size_t under_way;
    bool told; /* that no contact point is configured */
};

static void sleeper_free(struct sleeper *s)
{
    list_remove(&s->at);
    if (!s->over)
        (void)map_del(&s->wake->sleepers, slice_of(s->key, s->key_n));
    ota_registry_drop(&s->registry);
    sec_secret_clear(&s->as_datagrams.psk);
    buf_clear(&s->head);
    buf_clear(&s->body);
    free(s);
}

static void end(struct sleeper *s)
{
    if (!s->sending) {
        sleeper_free(s);
        return;
    }
    (void)map_del(&s->wake->sleepers, slice_of(s->key, s->key_n));
    list_remove(&s->at);
    s->over = true;
}

/* --- the datagram --- */

/* An address of ours as the terminal finds it there: octets, and the kind of network they are of. */
static bool contact_of(const struct ppg_listen *at, struct sockaddr_storage *room,
                       struct ota_sia_contact *out)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)room;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)room;

    if (net_addr_parse(slice_str(at->address), at->port, room))
        return false;
    out->with_bearer = true;
    out->port = at->port;
    if (room->ss_family == AF_INET) {
        out->bearer = OTA_SIA_IPV4;
        out->address = slice_of(&v4->sin_addr, sizeof v4->sin_addr);
    } else {
        out->bearer = OTA_SIA_IPV6;
        out->address = slice_of(&v6->sin6_addr, sizeof v6->sin6_addr);
    }
    return true;
}

/* The tag of what is known of the terminal, so that it need not say all again. */
static bool tag_of(const struct ppg_core *c, struct slice key, uint8_t tag[OTA_SIA_TAG_N])
{
    struct ota_profile said;
    struct arena mem;
    bool known = false;

    arena_init(&mem, 1024, 2 * OTA_PROFILE_MAX_N);
    if (c->shared->profiles && !ota_profiles_find(c->shared->profiles, key, &mem, &said))
        known = ota_sia_tag(said.tag, tag);
    arena_clear(&mem);
    return known;
}

static enum err body_print(const struct ppg_core *c, struct slice key, struct slice app, struct buf *out)
{
    const struct ppg_settings *set = ppg_core_settings(c);
    struct sockaddr_storage rooms[OTA_SIA_CONTACTS_MAX];
    struct ota_sia sia = {
        .version = 1, .apps = {app}, .apps_n = 1, .prov_url = slice_str(set->ota_http.prov_url)};
    uint8_t tag[OTA_SIA_TAG_N];
    bool tagged = tag_of(c, key, tag);

    for (size_t i = 0; i < set->ota_http.contacts_n && i < OTA_SIA_CONTACTS_MAX; i++) {
        struct ota_sia_contact *contact = &sia.contacts[sia.contacts_n];

        if (!contact_of(&set->ota_http.contacts[i], &rooms[sia.contacts_n], contact))
            continue;
        contact->with_tag = tagged;
        mem_copy(contact->tag, sizeof contact->tag, slice_of(tag, tagged ? sizeof tag : 0));
        sia.contacts_n++;
    }
    return ota_sia_print(&sia, out);
}

static void sent(struct ota_job *job, enum err why, void *arg)
{
    struct sleeper *s = arg;

    (void)why;
    s->sending = false;
    s->wake->under_way--;
    LOG(s->wake->core->shared->log, LOG_INFO, "terminal.wake", LOG_A("terminal", slice_of(s->key, s->key_n)),
        LOG_I("try", s->tries), LOG_C("note", job->result.note));
    if (s->over)
        sleeper_free(s);
}

static const struct ota_bearer *bearer_of(const struct sleeper *s, void **self)
{
    const struct ppg_core *c = s->wake->core;

    for (size_t i = 0; i < c->bearers_n; i++)
        if (c->bearer_self[i] && c->bearers[i]->reaches(&s->as_datagrams)) {
            *self = c->bearer_self[i];
            return c->bearers[i];
        }
    return NULL;
}

/* Each has a token of its own: the one before it may be over, or was asked about. */
static enum err head_print(struct sleeper *s)
{
    char token[SEC_VERIFY_TOKEN_N];
    enum err e = ppg_verify_own_token(s->wake->core, slice_of(s->key, s->key_n), buf_slice(&s->body), token);

    buf_reset(&s->head, HEAD_N);
    buf_add_str(&s->head, "Content-Type: " OTA_SIA_TYPE "\r\nX-Wap-Application-Id: " OTA_SIA_APP "\r\n");
    if (e)
        return e == ERR_ABSENT ? buf_err(&s->head) : e;
    buf_add_str(&s->head, OTA_VERIFY_HEADER ": ");
    buf_add(&s->head, slice_of(token, sizeof token));
    buf_add_str(&s->head, "\r\n");
    return buf_err(&s->head);
}

/* The floor is for all that leaves: what cannot be protected as it wants stays here. */
static bool may_leave(const struct sleeper *s, const struct ota_bearer *bearer)
{
    struct sec_policy_out decision;
    char text[SEC_POLICY_TEXT_N];

    ppg_route_decide(s->wake->core, bearer, &s->as_datagrams, SEC_LEVEL_NONE, SEC_LEVEL_NONE, false,
                     &decision);
    if (decision.refusal == SEC_POLICY_OK && !decision.seal)
        return true;
    sec_policy_text(&decision, text);
    LOG(s->wake->core->shared->log, LOG_WARN, "wake.impossible", LOG_A("terminal", s->as_datagrams.key),
        LOG_C("why", text));
    return false;
}

/* One datagram; then it waits in the list of its pause. */
static void send_one(struct sleeper *s)
{
    const struct ppg_settings *set = ppg_core_settings(s->wake->core);
    int64_t pause_ms = set->ota_http.wake_first_ms << s->tries;
    void *self = NULL;
    const struct ota_bearer *bearer = bearer_of(s, &self);

    list_remove(&s->at);
    s->tries++;
    s->next_ms = ppg_core_mono_ms(s->wake->core) + pause_ms;
    list_push_back(&s->wake->pauses[s->tries], &s->at);
    if (!bearer || !may_leave(s, bearer) || head_print(s))
        return; /* the next try is another chance */
    s->job = (struct ota_job){.terminal = &s->as_datagrams,
                              .message_head = buf_slice(&s->head),
                              .body = buf_slice(&s->body),
                              .content_type = SLICE(OTA_SIA_TYPE),
                              .unconfirmed = true};
    if (bearer->send(self, &s->job, sent, s))
        return;
    s->sending = true;
    s->wake->under_way++;
}

/* --- who sleeps --- */

static struct sleeper *sleeper_new(struct ppg_wake *w, const struct ota_terminal *t)
{
    struct sleeper *s = calloc(1, sizeof *s + t->key.n);

    if (!s)
        return NULL;
    list_init(&s->at);
    buf_init(&s->head, HEAD_N);
    buf_init(&s->body, OTA_SIA_MAX_N);
    s->wake = w;
    s->key_n = t->key.n;
    mem_copy(s->key, t->key.n, t->key);
    if (map_put(&w->sleepers, slice_of(s->key, s->key_n), s)) {
        free(s);
        return NULL;
    }
    s->registry = ota_registry_hold(ppg_config_registry(w->core->config));
    s->as_datagrams = (struct ota_terminal){.key = slice_of(s->key, s->key_n),
                                            .route = OTA_ROUTE_WSP,
                                            .host = t->call_in.wake_host,
                                            .port = t->call_in.wake_port,
                                            .tls = t->call_in.wake_tls};
    if (t->call_in.wake_tls) {
        s->as_datagrams.tls_name = t->tls_name;
        s->as_datagrams.psk_identity = t->psk_identity;
        s->as_datagrams.psk = t->psk;
    }
    return s;
}

static void begin(struct ppg_wake *w, const struct ota_terminal *t, struct slice app)
{
    struct sleeper *s = sleeper_new(w, t);
    enum err e;

    if (!s)
        return; /* a later push wakes it, or it calls by itself */
    e = body_print(w->core, t->key, app, &s->body);
    if (!e) {
        send_one(s);
        return;
    }
    LOG(w->core->shared->log, LOG_WARN, "wake.impossible", LOG_A("terminal", t->key),
        LOG_C("why", err_name(e)));
    sleeper_free(s);
}

void ppg_wake(struct ppg_wake *w, struct slice key, struct slice app_id)
{
    const struct ppg_core *c = w->core;
    const struct ota_terminal *t = ota_registry_find(ppg_config_registry(c->config), key);

    if (!t || !t->call_in.wake_host.n || map_get(&w->sleepers, key) || atomic_load(&c->shared->draining))
        return;
    if (ppg_core_settings(c)->ota_http.contacts_n) {
        begin(w, t, app_id.n ? app_id : SLICE(OTA_APP_DEFAULT));
    } else if (!w->told) {
        LOG(c->shared->log, LOG_WARN, "wake.impossible", LOG_C("why", "[ota-http] contacts is not set"));
        w->told = true;
    }
}

void ppg_wake_called(struct ppg_wake *w, struct slice key)
{
    struct sleeper *s = map_get(&w->sleepers, key);

    if (s)
        end(s);
}

/* In one list all pauses are as long, so the first is the earliest; a reload that changes them makes some a little late. */
void ppg_wake_tick(struct ppg_wake *w)
{
    size_t tries_max = ppg_core_settings(w->core)->ota_http.wake_tries;
    int64_t now = ppg_core_mono_ms(w->core);

    for (unsigned n = PPG_WAKE_TRIES_MAX; n > 0; n--)
        while (!list_empty(&w->pauses[n])) {
            struct sleeper *s = container_of(w->pauses[n].next, struct sleeper, at);

            if (s->next_ms > now || s->sending) /* the one before it is still on its way */
                break;
            if (n >= tries_max || atomic_load(&w->core->shared->draining))
                end(s);
            else
                send_one(s);
        }
}

size_t ppg_wake_under_way(const struct ppg_wake *w)
{
    return w->under_way;
}

enum err ppg_wake_create(struct ppg_core *c, struct ppg_wake **out)
{
    struct ppg_wake *w = calloc(1, sizeof *w);

    if (!w)
        return ERR_NOMEM;
    w->core = c;
    map_init(&w->sleepers, SLEEPERS_MAX);
    for (size_t i = 0; i <= PPG_WAKE_TRIES_MAX; i++)
        list_init(&w->pauses[i]);
    *out = w;
    return ERR_OK;
}

void ppg_wake_free(struct ppg_wake **wp)
{
    struct ppg_wake *w = *wp;

    if (!w)
        return;
    MUST(w->under_way == 0);
    for (size_t i = 0; i <= PPG_WAKE_TRIES_MAX; i++)
        LIST_EACH_SAFE (at, &w->pauses[i])
            sleeper_free(container_of(at, struct sleeper, at));
    map_clear(&w->sleepers);
    free(w);
    *wp = NULL;
}
