/* Terminals as they are now: who has a connection and how it came to it, what one of them can take and what waits for it,
 * and an operator's way to end a connection.  Each loop is asked about the terminals it owns and makes their rows.  Routes
 * of admin.c; answered on loop 0. */
#include "ppg/admin/work.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/net/stream.h"
#include "ota/profile.h"
#include "ota/registrar/location.h"
#include "ppg/admin/log.h"
#include "ppg/schedule.h"
#include "security/address.h"

#define ROWS_DEFAULT  1000u
#define PROFILE_MEM_N (4u * OTA_PROFILE_MAX_N)
#define LOOK_MAX      10000u /* waiting targets that the store looks through for one terminal: some ms */

struct look;

/* One loop's share of a question. */
struct part {
    struct ppg_errand errand;
    struct look *look;
    json_t *rows; /* owned */
    size_t more;  /* rows that there was no room for */
};

/* One question, until it is answered. */
struct look {
    struct ppg_admin_ask ask; /* first */
    struct ppg_admin *admin;
    struct ota_registry *registry;       /* held */
    const struct ota_terminal *terminal; /* the one that is meant; NULL: a list */
    bool hang_up;
    bool all;
    uint64_t from, count;
    struct store_waiting stored; /* of the one that is meant */
    size_t parts_n, parts_out;
    struct part parts[];
};

/* --- on the loop that owns the terminals --- */

/* "https", "calls in", "http, calls in" */
static void set_reached(json_t *o, const struct ota_terminal *t)
{
    static const char *const schemes[][2] = {[OTA_ROUTE_HTTP] = {"http", "https"},
                                             [OTA_ROUTE_WSP] = {"wap", "waps"},
                                             [OTA_ROUTE_SIP] = {"sip", "sips"}};
    bool calls = t->call_in.calls != OTA_CALLS_NO, registers = t->registers != OTA_CALLS_NO;
    struct buf text;

    buf_init(&text, 64);
    buf_add_str(&text, t->host.n ? schemes[t->route][t->tls] : "");
    buf_add_str(&text, t->host.n && calls ? ", " : "");
    buf_add_str(&text, calls ? "calls in" : "");
    buf_add_str(&text, (t->host.n || calls) && registers ? ", " : "");
    buf_add_str(&text, registers ? "registers" : "");
    if (t->call_in.wake_host.n)
        buf_addf(&text, ", woken by %s", schemes[OTA_ROUTE_WSP][t->call_in.wake_tls]);
    ppg_json_set_text(o, "reached", buf_slice(&text));
    buf_clear(&text);
}

struct line_to {
    const struct ppg_core *core;
    struct part *part;
    const struct ota_terminal *terminal; /* NULL: each line makes a row of its own */
    json_t *row;                         /* with terminal: what the line is added to */
};

static void set_line(const struct ppg_core *c, json_t *o, const struct ota_line *line)
{
    ppg_json_set_text(o, "connection", line->called ? SLICE("called in") : SLICE("opened here"));
    ppg_json_set_text(o, "from", slice_str(line->from));
    ppg_json_set_time(o, "since", ppg_core_utc_ms(c) - (ppg_core_mono_ms(c) - line->since_ms));
    ppg_json_set(o, "tls", json_boolean(line->tls));
    ppg_json_set(o, "registered", json_boolean(line->registered));
    ppg_json_set_text(o, "proof", slice_str(line->proof));
    ppg_json_set_text(o, "identity", line->identity);
    ppg_json_set_text(o, "tag", line->tag);
    ppg_json_set_n(o, "unanswered", line->flying);
}

static void set_queue(const struct ppg_core *c, json_t *o, struct slice key)
{
    struct ppg_schedule_place place;

    ppg_schedule_look(c->schedule, key, &place);
    ppg_json_set_n(o, "waiting", place.waiting);
    ppg_json_set(o, "sending", json_boolean(place.sending));
    ppg_json_set_time(o, "tried_again", place.closed_until_ms);
}

static json_t *row_begin(const struct ppg_core *c, const struct ota_terminal *t)
{
    json_t *o = json_object();

    ppg_json_set_text(o, "terminal", t->key);
    ppg_json_set_n(o, "loop", c->loop);
    set_reached(o, t);
    set_queue(c, o, t->key);
    return o;
}

static void row_add(struct part *p, json_t *row)
{
    if (json_array_size(p->rows) < p->look->count)
        (void)json_array_append_new(p->rows, row);
    else
        json_decref(row);
}

static void on_line(const struct ota_line *line, void *arg)
{
    struct line_to *to = arg;
    const struct ota_terminal *t =
        to->terminal ? to->terminal : ota_registry_find(to->part->look->registry, line->address);
    json_t *row;

    if (!t)
        return; /* the reload that took it away is on its way to the connection */
    if (!to->row && json_array_size(to->part->rows) >= to->part->look->count) {
        to->part->more++;
        return;
    }
    row = to->row ? to->row : row_begin(to->core, t);
    set_line(to->core, row, line);
    if (!to->row)
        row_add(to->part, row);
}

static void each_line(struct ppg_core *c, const struct ota_terminal *t, struct line_to *to)
{
    for (size_t i = 0; i < c->bearers_n; i++)
        if (c->bearers[i]->lines && c->bearer_self[i])
            c->bearers[i]->lines(c->bearer_self[i], t, on_line, to);
}

/* --- registered over SIP --- */

struct contacts_to {
    const struct ppg_core *core;
    json_t *list;
};

static void set_origin(json_t *o, const struct ota_sip_flow *f)
{
    char text[NET_ADDR_TEXT_N] = "";

    if (!ota_sip_flow_any(f) || uv_ip_name(&f->peer.sa, text, sizeof text))
        return;
    ppg_json_set_text(o, "from", slice_str(text));
    ppg_json_set_text(o, "via", slice_str(ota_sip_via_name(f->via)));
}

static void set_methods(json_t *o, const struct ota_sip_methods *m)
{
    if (m->said)
        ppg_json_set_text(o, "methods",
                          m->message && m->invite ? SLICE("MESSAGE, INVITE")
                          : m->message            ? SLICE("MESSAGE")
                          : m->invite             ? SLICE("INVITE")
                                                  : SLICE("none"));
}

static void on_contact(const struct ota_sip_binding *b, int64_t since_ms, void *arg)
{
    struct contacts_to *to = arg;
    json_t *o = json_object();

    ppg_json_set_text(o, "contact", b->contact);
    set_origin(o, &b->flow);
    ppg_json_set_time(o, "since", ppg_core_utc_ms(to->core) - (ppg_core_mono_ms(to->core) - since_ms));
    ppg_json_set_n(o, "expires_s", (uint64_t)b->expires_s);
    ppg_json_set_text(o, "applications", b->tagged ? b->apps : SLICE("unknown"));
    set_methods(o, &b->methods);
    ppg_json_set_text(o, "accept", b->accept);
    ppg_json_set_text(o, "path", b->path);
    ppg_json_set_text(o, "instance", b->instance);
    ppg_json_set_text(o, "agent", b->agent);
    if (json_array_append_new(to->list, o))
        return; /* as if it were not there */
}

/* Where a terminal is that has registered; NULL: it has not. */
static json_t *contacts_of(const struct ppg_core *c, const struct ota_terminal *t)
{
    struct contacts_to to = {.core = c};

    if (t->registers == OTA_CALLS_NO || !c->shared->location)
        return NULL;
    to.list = json_array();
    ota_sip_location_each(c->shared->location, t->sip_record, on_contact, &to);
    if (json_array_size(to.list))
        return to.list;
    json_decref(to.list);
    return NULL;
}

/* In a list: that it is there, and from where; of one that is asked about, everything. */
static void set_contacts(const struct ppg_core *c, json_t *row, const struct ota_terminal *t, bool whole)
{
    json_t *list = contacts_of(c, t), *first = json_array_get(list, 0);

    if (!list)
        return;
    if (whole) {
        ppg_json_set(row, "contacts", list);
        return;
    }
    ppg_json_set_text(row, "connection", SLICE("registered"));
    ppg_json_set(row, "from", json_incref(json_object_get(first, "from")));
    ppg_json_set(row, "since", json_incref(json_object_get(first, "since")));
    json_decref(list);
}

static void each_registered(struct ppg_core *c, struct part *p)
{
    const struct ota_terminal *t;
    size_t pos = 0;

    while ((t = ota_registry_next(p->look->registry, &pos))) {
        if (t->registers == OTA_CALLS_NO || ppg_core_owner(c, t->key) != c->loop ||
            !ota_sip_location_has(c->shared->location, t->sip_record))
            continue;
        if (json_array_size(p->rows) < p->look->count) {
            json_t *row = row_begin(c, t);

            set_contacts(c, row, t, false);
            row_add(p, row);
        } else {
            p->more++;
        }
    }
}

static void add_row(struct ppg_core *c, struct part *p, const struct ota_terminal *t)
{
    struct line_to to = {.core = c, .part = p, .terminal = t, .row = row_begin(c, t)};

    set_contacts(c, to.row, t, p->look->terminal != NULL);
    each_line(c, t, &to);
    row_add(p, to.row);
}

/* The page is of the whole table; each loop makes the rows of it that are its own. */
static void add_page(struct ppg_core *c, struct part *p)
{
    const struct look *l = p->look;
    const struct ota_terminal *t;
    size_t pos = 0;

    for (uint64_t i = 0; i < l->from + l->count && (t = ota_registry_next(l->registry, &pos)); i++)
        if (i >= l->from && ppg_core_owner(c, t->key) == c->loop)
            add_row(c, p, t);
}

static bool hang_up(struct ppg_core *c, const struct ota_terminal *t)
{
    bool done = t->registers != OTA_CALLS_NO &&
                ota_sip_location_drop(c->shared->location, t->sip_record) > 0; /* it has to come anew */

    for (size_t i = 0; i < c->bearers_n; i++)
        if (c->bearers[i]->hang_up && c->bearer_self[i])
            done = c->bearers[i]->hang_up(c->bearer_self[i], t) || done;
    return done;
}

static void at_loop(struct ppg_core *c, struct ppg_errand *e)
{
    struct part *p = container_of(e, struct part, errand);
    struct line_to to = {.core = c, .part = p};

    p->rows = json_array();
    if (p->look->terminal)
        add_row(c, p, p->look->terminal);
    else if (p->look->all)
        add_page(c, p);
    else {
        each_line(c, NULL, &to);
        each_registered(c, p);
    }
    if (p->look->hang_up && !hang_up(c, p->look->terminal))
        (void)json_array_clear(p->rows);
}

/* --- on loop 0 --- */

/* What it can take: the operator's word, else its own. */
static void set_capabilities(const struct look *l, json_t *o)
{
    const struct ppg_shared *shared = l->admin->conf.core->shared;
    struct ota_profile said = {.known = false}, p;
    json_t *caps = json_object();
    struct arena mem;

    arena_init(&mem, 1024, PROFILE_MEM_N);
    if (shared->profiles && ota_profiles_find(shared->profiles, l->terminal->key, &mem, &said))
        said = (struct ota_profile){.known = false};
    p = ota_profile_merge(&l->terminal->profile, &said);
    ppg_json_set_text(caps, "types", p.accept);
    ppg_json_set_text(caps, "charsets", p.charsets);
    ppg_json_set_text(caps, "encodings", p.encodings);
    ppg_json_set_text(caps, "languages", p.languages);
    ppg_json_set_text(caps, "applications", p.app_ids);
    ppg_json_set_text(caps, "profile", p.profile_url);
    if (p.size_max)
        ppg_json_set_n(caps, "size_max", p.size_max);
    ppg_json_set_time(caps, "learnt", said.learnt_ms);
    if (json_object_size(caps))
        ppg_json_set(o, "capabilities", json_incref(caps));
    json_decref(caps);
    arena_clear(&mem);
}

static void add_xml_key(json_t *list, const char *use, const char *kind, const struct sec_secret *key)
{
    json_t *o = key->n ? json_object() : NULL;

    ppg_json_set_text(o, "use", slice_str(use));
    ppg_json_set_text(o, "kind", slice_str(kind));
    if (json_array_append_new(list, o))
        return; /* no such key, or no memory: as if it were not there */
}

/* What it shares with the gateway for XML security: the name, and which keys there are; never one of them. */
static void set_xml(json_t *o, const struct ota_xml *x)
{
    json_t *list;

    if (!x->name.n)
        return;
    list = json_array();
    ppg_json_set_text(o, "xml_name", x->name);
    add_xml_key(list, "signing", "hmac-sha256", &x->keys.sign);
    add_xml_key(list, "key wrap", "kw-aes256", &x->keys.encrypt);
    ppg_json_set(o, "xml_keys", list);
}

/* How it is let in and where it is sought. */
static void set_configured(json_t *o, const struct ota_terminal *t)
{
    static const char *const proofs[] = {[OTA_PROOF_CERTIFICATE] = "certificate",
                                         [OTA_PROOF_PSK] = "psk",
                                         [OTA_PROOF_DIGEST] = "digest",
                                         [OTA_PROOF_BASIC] = "basic",
                                         [OTA_PROOF_SYNCML_MD5] = "syncml-md5",
                                         [OTA_PROOF_AKA] = "aka",
                                         [OTA_PROOF_NONE] = "none"};

    ppg_json_set_text(o, "host", t->host);
    if (t->host.n)
        ppg_json_set_n(o, "port", t->port);
    ppg_json_set_text(o, "woken_at", t->call_in.wake_host);
    ppg_json_set_text(o, "terminal_id", t->terminal_id);
    if (t->call_in.calls != OTA_CALLS_NO)
        ppg_json_set_text(o, "may_call_over",
                          t->call_in.calls == OTA_CALLS_TLS ? SLICE("tls") : SLICE("any"));
    if (t->inbox)
        ppg_json_set(o, "may_fetch", json_true());
    ppg_json_set_text(o, "registers_as", t->sip_record);
    if (t->call_in.calls != OTA_CALLS_NO || t->inbox || t->registers != OTA_CALLS_NO)
        ppg_json_set_text(o, "must_prove_by", slice_str(proofs[t->call_in.proof]));
    ppg_json_set(o, "association", json_boolean(t->association.present));
    set_xml(o, &t->xml);
}

static void look_free(struct look *l)
{
    for (size_t i = 0; i < l->parts_n; i++)
        json_decref(l->parts[i].rows);
    ota_registry_drop(&l->registry);
    ppg_admin_ask_clear(&l->ask);
    free(l);
}

static void answer_list(struct look *l)
{
    json_t *o = json_object(), *rows = json_array();
    uint64_t more = 0;

    for (size_t i = 0; i < l->parts_n; i++) {
        (void)json_array_extend(rows, l->parts[i].rows);
        more += l->parts[i].more;
    }
    while (json_array_size(rows) > l->count) {
        (void)json_array_remove(rows, json_array_size(rows) - 1);
        more++;
    }
    ppg_json_set(o, "terminals", rows);
    if (l->all)
        ppg_json_set_n(o, "all", ota_registry_n(l->registry));
    else
        ppg_json_set_n(o, "more", more);
    ppg_admin_answer(l->ask.x, 200, o);
}

static void answer_one(struct look *l)
{
    json_t *row = json_array_get(l->parts[0].rows, 0);

    if (!row && l->hang_up) {
        ppg_admin_refuse(l->ask.x, 409, "the terminal has no connection");
        return;
    }
    if (!row) {
        ppg_admin_refuse(l->ask.x, 503, "out of memory");
        return;
    }
    (void)json_incref(row);
    if (l->hang_up) {
        LOG(l->admin->env->log, LOG_INFO, "terminal.disconnect", LOG_A("terminal", l->terminal->key));
        ppg_admin_note(l->admin, l->ask.x, "terminal.disconnect", row);
    } else {
        ppg_admin_set_token(row, "in_log", l->admin->conf.core->shared->log, l->terminal->key);
        set_configured(row, l->terminal);
        set_capabilities(l, row);
    }
    ppg_admin_answer(l->ask.x, 200, row);
}

/* Beside what is in memory, which its row has. */
static void counted(struct store_op *op)
{
    struct look *l = op->arg;
    json_t *row = json_array_get(l->parts[0].rows, 0);

    if (row && !op->err) {
        ppg_json_set_n(row, "stored", l->stored.waiting);
        if (l->stored.more)
            ppg_json_set(row, "stored_at_least", json_true());
    }
    answer_one(l);
    look_free(l);
}

static void count_stored(struct ppg_core *c, struct look *l)
{
    l->stored = (struct store_waiting){.key = l->terminal->key, .look_max = LOOK_MAX};
    l->stored.op = (struct store_op){.kind = STORE_WAITING, .done = counted, .arg = l};
    ppg_core_submit(c, &l->stored.op);
}

static void back(struct ppg_core *c, struct ppg_errand *e)
{
    struct look *l = container_of(e, struct part, errand)->look;

    if (--l->parts_out)
        return;
    if (l->terminal && !l->hang_up) {
        count_stored(c, l);
        return;
    }
    if (l->terminal)
        answer_one(l);
    else
        answer_list(l);
    look_free(l);
}

static void look_start(struct look *l)
{
    struct ppg_core *c = l->admin->conf.core;

    l->parts_out = l->parts_n;
    for (size_t i = 0; i < l->parts_n; i++) {
        struct part *p = &l->parts[i];

        p->look = l;
        p->errand.run = at_loop;
        p->errand.back = back;
        ppg_core_errand(c, &p->errand, l->terminal ? ppg_core_owner(c, l->terminal->key) : (unsigned)i);
    }
}

/* Finds the terminal that is asked about, if one is. */
static enum err look_whom(struct look *l)
{
    struct sec_address address;

    if (!(l->ask.given & PPG_ASK_TERMINAL))
        return ERR_OK;
    if (sec_address_canonical(l->ask.terminal, &address))
        return ERR_ABSENT;
    l->terminal = ota_registry_find(l->registry, slice_of(address.text, address.n));
    return l->terminal ? ERR_OK : ERR_ABSENT;
}

static void look_at(struct ppg_admin *a, struct net_http_exchange *x, const struct ppg_admin_route *r,
                    bool hang_up_too)
{
    struct ppg_core *c = a->conf.core;
    struct look *l = ppg_admin_ask_new(c, x, r, sizeof *l + c->shared->loops * sizeof l->parts[0]);

    if (!l)
        return;
    l->admin = a;
    l->registry = ota_registry_hold(ppg_config_registry(c->config));
    l->hang_up = hang_up_too;
    l->all = l->ask.given & PPG_ASK_ALL;
    l->from = l->ask.from;
    l->count = l->ask.given & PPG_ASK_COUNT ? l->ask.count : ROWS_DEFAULT;
    if (look_whom(l)) {
        ppg_admin_refuse(x, 404, "no such terminal");
        look_free(l);
        return;
    }
    l->parts_n = l->terminal ? 1 : c->shared->loops;
    look_start(l);
}

void ppg_admin_terminal(struct ppg_admin *a, struct net_http_exchange *x, const struct ppg_admin_route *r)
{
    look_at(a, x, r, false);
}

void ppg_admin_terminal_disconnect(struct ppg_admin *a, struct net_http_exchange *x,
                                   const struct ppg_admin_route *r)
{
    look_at(a, x, r, true);
}
