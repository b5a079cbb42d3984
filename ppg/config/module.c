/* A terminal's identity module; see module.h.  None of its values is told in a mistake. */
#include "ppg/config/module.h"

#include "base/codec.h"
#include "base/list.h"
#include "base/mem.h"
#include "ppg/config/lists.h"
#include "ppg/config/value.h"
#include "security/gba/gba.h"

#define FILE_MAX_N 65536
#define TEXT_MAX_N 65536 /* octets of impi and gateways */
#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))

struct draft {
    struct ppg_list list;
    struct ppg_module *out;
    uint8_t op[SEC_AKA_K_N]; /* 128 bits; wiped */
    bool has_op, has_opc;
};

static struct draft *draft_of(struct ppg_list *l)
{
    return container_of(l, struct draft, list);
}

static struct ppg_module *out_of(struct ppg_list *l)
{
    return draft_of(l)->out;
}

static void set_key(struct ppg_list *l, const struct ppg_ini_line *line, uint8_t key[SEC_AKA_K_N])
{
    if (codec_unhex(line->value, key, SEC_AKA_K_N))
        ppg_list_say(l, line, "not 32 hexadecimal digits");
}

static void set_impi(struct ppg_list *l, const struct ppg_ini_line *line)
{
    if (!line->value.n || line->value.n > SEC_GBA_IMPI_MAX_N)
        ppg_list_say(l, line, "1 to 255 octets");
    else
        ppg_list_text(l, line, &out_of(l)->mem, &out_of(l)->impi);
}

static void set_k(struct ppg_list *l, const struct ppg_ini_line *line)
{
    set_key(l, line, out_of(l)->k);
}

static void set_op(struct ppg_list *l, const struct ppg_ini_line *line)
{
    draft_of(l)->has_op = true;
    set_key(l, line, draft_of(l)->op);
}

static void set_opc(struct ppg_list *l, const struct ppg_ini_line *line)
{
    draft_of(l)->has_opc = true;
    set_key(l, line, out_of(l)->opc);
}

void ppg_module_kind(struct ppg_list *l, const struct ppg_ini_line *line, enum sec_aka_star *out)
{
    static const struct ppg_word words[] = {{"plain", SEC_AKA_PLAIN},
                                            {"gba-u", SEC_AKA_STAR_SHA256},
                                            {"gba-u-sha1", SEC_AKA_STAR_SHA1},
                                            {NULL, 0}};
    int star = SEC_AKA_PLAIN;

    if (ppg_value_word(line->value, words, &star))
        ppg_list_say(l, line, "plain, gba-u or gba-u-sha1");
    else
        *out = (enum sec_aka_star)star;
}

static void set_module(struct ppg_list *l, const struct ppg_ini_line *line)
{
    ppg_module_kind(l, line, &out_of(l)->star);
}

static void set_gateway(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct ppg_module *m = out_of(l);

    if (!sec_gba_is_fqdn(line->value))
        ppg_list_say(l, line, "not a domain name in lower case");
    else if (m->gateways_n == PPG_MODULE_GATEWAYS_MAX)
        ppg_list_say(l, line, "more than 64 gateways");
    else
        ppg_list_text(l, line, &m->mem, &m->gateways[m->gateways_n++]);
}

static void set_lifetime(struct ppg_list *l, const struct ppg_ini_line *line)
{
    int64_t ms = 0;

    if (ppg_value_time(line->value, 1000, INT64_C(400) * 86400000, &ms))
        ppg_list_say(l, line, "a time, 1s to 400d");
    else
        out_of(l)->life_max_s = ms / 1000;
}

static void set_rate(struct ppg_list *l, const struct ppg_ini_line *line)
{
    int64_t rate = 0;

    if (ppg_value_count(line->value, 1, 1000000, &rate))
        ppg_list_say(l, line, "a number, 1 to 1000000");
    else
        out_of(l)->rate = (uint32_t)rate;
}

static const struct ppg_list_key keys[] = {
    {"impi", set_impi, .must = true},
    {"k", set_k, .must = true},
    {"op", set_op, .must = false},
    {"opc", set_opc, .must = false},
    {"module", set_module, .must = false},
    {"gateway", set_gateway, .repeats = true, .must = true},
    {"key-lifetime", set_lifetime, .must = false},
    {"rate", set_rate, .must = false},
};

static void end(struct ppg_list *l)
{
    struct draft *d = draft_of(l);
    struct ppg_module *m = d->out;

    if (d->has_op == d->has_opc)
        ppg_load_say(l->load, ERR_MALFORMED, l->at, SLICE_NONE, "one of op and opc");
    else if (d->has_op &&
             sec_milenage_opc(slice_of(m->k, sizeof m->k), slice_of(d->op, sizeof d->op), m->opc))
        ppg_load_say(l->load, ERR_IO, l->at, SLICE_NONE, "opc cannot be computed");
}

void ppg_module_read(struct ppg_load *load, const char *path, struct ppg_module *out)
{
    struct draft d = {.list = {.load = load, .keys = keys, .keys_n = COUNT(keys), .end = end}, .out = out};

    *out = (struct ppg_module){.life_max_s = INT64_C(8) * 86400, .rate = 30};
    arena_init(&out->mem, 256, TEXT_MAX_N);
    ppg_list_read(&d.list, path, FILE_MAX_N, S_IRWXG | S_IRWXO, (struct ppg_place){path, 0}, SLICE_NONE);
    mem_wipe(d.op, sizeof d.op);
}

void ppg_module_clear(struct ppg_module *m)
{
    arena_clear(&m->mem);
    mem_wipe(m, sizeof *m);
}
