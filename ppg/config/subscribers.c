/* subscribers.conf; see subscribers.h.  Keys may stand in the file itself: it is read whole, wiped, and none of its
 * values is ever told in a mistake.  Off the loops. */
#include "ppg/config/subscribers.h"

#include "base/codec.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/num.h"
#include "ppg/config/lists.h"
#include "ppg/config/module.h"
#include "ppg/config/value.h"
#include "security/address.h"

#define FILE_MAX_N (512 << 20) /* octets of subscribers.conf */
#define NAMES_MAX  2000000     /* IMPIs and identities */
#define TEXT_MAX_N (16 << 10)  /* octets of text in one section */
#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))

/* The section being read. */
struct draft {
    struct ppg_list list;
    struct arena mem; /* names of the section */
    struct sec_subscriber subscriber;
    struct slice publics[SEC_KEYSERVER_PUBLICS_MAX];
    uint8_t k[SEC_AKA_K_N], op[SEC_AKA_K_N], opc[SEC_AKA_K_N]; /* 128 bits each; wiped */
    bool has_k, has_op, has_opc, has_key;
    const struct sec_keyring *keyring;
    struct sec_keyserver *server;
};

static struct draft *draft_of(struct ppg_list *l)
{
    return container_of(l, struct draft, list);
}

static void forget(struct draft *d)
{
    mem_wipe(d->k, sizeof d->k);
    mem_wipe(d->op, sizeof d->op);
    mem_wipe(d->opc, sizeof d->opc);
    d->has_k = d->has_op = d->has_opc = d->has_key = false;
    arena_clear(&d->mem);
}

/* An IMPI is an NAI with a realm (TS 23.003 §13.3). */
static bool is_impi(struct slice name)
{
    struct slice user, realm;

    return name.n <= SEC_GBA_IMPI_MAX_N && slice_cut(name, '@', &user, &realm) && user.n &&
           slice_printable_n(user) == user.n && slice_find(user, ' ') >= user.n && sec_gba_is_fqdn(realm);
}

static void begin(struct ppg_list *l, struct slice name)
{
    struct draft *d = draft_of(l);

    forget(d);
    d->subscriber = (struct sec_subscriber){.publics = d->publics};
    if (!is_impi(name))
        ppg_load_say(l->load, ERR_MALFORMED, l->at, name, "not a private identity, user@realm in lower case");
    else if (arena_dup(&d->mem, name, &d->subscriber.impi))
        ppg_load_say(l->load, ERR_NOMEM, l->at, SLICE_NONE, "no memory");
}

static void set_k(struct ppg_list *l, const struct ppg_ini_line *line)
{
    draft_of(l)->has_k = true;
    if (codec_unhex(line->value, draft_of(l)->k, SEC_AKA_K_N))
        ppg_list_say(l, line, "not 32 hexadecimal digits");
}

static void set_op(struct ppg_list *l, const struct ppg_ini_line *line)
{
    draft_of(l)->has_op = true;
    if (codec_unhex(line->value, draft_of(l)->op, SEC_AKA_K_N))
        ppg_list_say(l, line, "not 32 hexadecimal digits");
}

static void set_opc(struct ppg_list *l, const struct ppg_ini_line *line)
{
    draft_of(l)->has_opc = true;
    if (codec_unhex(line->value, draft_of(l)->opc, SEC_AKA_K_N))
        ppg_list_say(l, line, "not 32 hexadecimal digits");
}

/* K and OPc of the keyring's record, and its AMF. */
static enum err key_open(struct draft *d, struct slice name)
{
    const struct sec_key *key = sec_keyring_find(d->keyring, name);
    struct sec_secret secret;
    enum err e;

    if (!key || key->kind != SEC_KEY_SUBSCRIBER)
        return ERR_ABSENT;
    sec_secret_init(&secret);
    e = sec_keyring_secret(d->keyring, key, &secret);
    if (!e) {
        mem_copy(d->k, sizeof d->k, slice_sub(sec_secret_slice(&secret), 0, SEC_AKA_K_N));
        mem_copy(d->opc, sizeof d->opc, slice_sub(sec_secret_slice(&secret), SEC_AKA_K_N, SEC_AKA_K_N));
        d->subscriber.amf = num_get16(key->attr.p);
        d->subscriber.expires_s = key->expires_s;
    }
    sec_secret_clear(&secret);
    return e;
}

static void set_key(struct ppg_list *l, const struct ppg_ini_line *line)
{
    enum err e = key_open(draft_of(l), line->value);

    draft_of(l)->has_key = true;
    if (e == ERR_ABSENT)
        ppg_list_say(l, line, "the keyring has no subscriber of that name");
    else if (e)
        ppg_load_say(l->load, e, line->at, line->key, "the keyring's record cannot be opened");
}

static void set_amf(struct ppg_list *l, const struct ppg_ini_line *line)
{
    uint8_t amf[SEC_AKA_AMF_N];

    if (codec_unhex(line->value, amf, sizeof amf))
        ppg_list_say(l, line, "not 4 hexadecimal digits");
    else
        draft_of(l)->subscriber.amf = num_get16(amf);
}

static void set_sqn(struct ppg_list *l, const struct ppg_ini_line *line)
{
    uint8_t sqn[SEC_AKA_SQN_N];

    if (codec_unhex(line->value, sqn, sizeof sqn))
        ppg_list_say(l, line, "not 12 hexadecimal digits");
    else
        draft_of(l)->subscriber.sqn = (uint64_t)num_get16(sqn) << 32 | num_get32(sqn + 2);
}

static void set_identity(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct draft *d = draft_of(l);
    struct sec_address address;

    if (d->subscriber.publics_n == SEC_KEYSERVER_PUBLICS_MAX)
        ppg_list_say(l, line, "more than 16 identities");
    else if (sec_address_canonical(line->value, &address))
        ppg_list_say(l, line, "not an address");
    else if (arena_dup(&d->mem, slice_of(address.text, address.n), &d->publics[d->subscriber.publics_n]))
        ppg_load_say(l->load, ERR_NOMEM, line->at, line->key, "no memory");
    else
        d->subscriber.publics_n++;
}

static void set_module(struct ppg_list *l, const struct ppg_ini_line *line)
{
    ppg_module_kind(l, line, &draft_of(l)->subscriber.star);
}

static const struct ppg_list_key keys[] = {
    {"key", set_key, .must = false},
    {"k", set_k, .must = false},
    {"op", set_op, .must = false},
    {"opc", set_opc, .must = false},
    {"amf", set_amf, .must = false},
    {"sqn", set_sqn, .must = false},
    {"identity", set_identity, .repeats = true, .must = false},
    {"module", set_module, .must = false},
};

/* The keys of the section, from one place. */
static const char *keys_missing(const struct draft *d)
{
    if (d->has_key)
        return d->has_k || d->has_op || d->has_opc ? "key stands for k, op and opc: leave them out" : NULL;
    if (!d->has_k)
        return "one of key and k";
    return d->has_op == d->has_opc ? "one of op and opc" : NULL;
}

static void end(struct ppg_list *l)
{
    struct draft *d = draft_of(l);
    struct sec_subscriber *s = &d->subscriber;
    const char *missing = keys_missing(d);
    enum err e = ERR_OK;

    s->k = slice_of(d->k, sizeof d->k);
    s->opc = slice_of(d->opc, sizeof d->opc);
    if (missing) {
        ppg_load_say_of(l->load, ERR_MALFORMED, l->at, s->impi, "%s", missing);
    } else {
        if (d->has_op)
            e = sec_milenage_opc(s->k, slice_of(d->op, sizeof d->op), d->opc);
        if (!e)
            e = sec_keyserver_add(d->server, s);
        if (e)
            ppg_load_say_of(l->load, e, l->at, s->impi, "%s",
                            e == ERR_EXISTS ? "it or one of its identities is already described"
                                            : err_text(e));
    }
    forget(d);
}

static enum err server_make(const struct ppg_subscribers_conf *conf, struct sec_keyserver **out)
{
    struct sec_keyserver_conf server = {.names_max = NAMES_MAX, .ind = conf->slot};
    struct sec_naf_id id;
    enum err e = sec_gba_naf_id(conf->name, SEC_GBA_UA_GPL, &id);

    if (!e)
        e = sec_keyserver_create(&server, out);
    if (e)
        return e;
    e = sec_keyserver_allow(*out, slice_of(id.octets, id.n), conf->life_s);
    if (e)
        sec_keyserver_free(out);
    return e;
}

void ppg_subscribers_read(struct ppg_load *load, const char *path, const struct ppg_subscribers_conf *conf,
                          struct sec_keyserver **out)
{
    struct ppg_place at = {path, 0};
    struct draft d = {.list = {.load = load,
                               .kind = "subscriber",
                               .keys = keys,
                               .keys_n = COUNT(keys),
                               .begin = begin,
                               .end = end},
                      .keyring = conf->keyring};
    enum err e = server_make(conf, &d.server);

    if (e) {
        ppg_load_say(load, e, at, SLICE_NONE, "no key server: %s", err_text(e));
        return;
    }
    arena_init(&d.mem, 1024, TEXT_MAX_N);
    ppg_list_read(&d.list, path, FILE_MAX_N, S_IRWXG | S_IRWXO, at, SLICE_NONE);
    forget(&d);
    *out = d.server;
}
