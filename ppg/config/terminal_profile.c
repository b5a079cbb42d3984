/* What a terminal takes, in the operator's words: the section's own, and those of the file that describes its model, which is
 * read once however many terminals name it.  Off the loops. */
#include "ppg/config/terminal_parts.h"

#include "ota/profile.h"
#include "pap/uaprof.h"

#define CONTENT_MAX_N (INT64_C(1) << 30)
#define ITEM_MAX_N    255

struct model {
    struct slice path;
    struct ota_profile profile;
};

static void set_max_size(struct ppg_list *l, const struct ppg_ini_line *line)
{
    int64_t n = 0;

    if (ppg_value_size(line->value, 0, CONTENT_MAX_N, &n))
        ppg_list_say(l, line, "octets, 0 to 1G; 0: as the terminal says");
    else
        ppg_terminal_draft(l)->terminal.profile.size_max = (uint64_t)n;
}

/* Items as in a header field: visible, and nothing that could end one or begin a quoted string. */
static bool list_ok(struct slice list, bool types)
{
    struct slice item, left, right;
    size_t n = 0;

    for (size_t i = 0; i < list.n; i++)
        if (list.p[i] < ' ' || list.p[i] > '~' || list.p[i] == '"')
            return false;
    for (; slice_item(&list, &item); n++)
        if (item.n > ITEM_MAX_N ||
            (types && !slice_eq(item, SLICE("*")) && !slice_cut(item, '/', &left, &right)))
            return false;
    return n > 0;
}

static void set_list(struct ppg_list *l, const struct ppg_ini_line *line, struct slice *out, bool types)
{
    if (!list_ok(line->value, types))
        ppg_list_say(l, line, types ? "not media types, comma separated" : "not names, comma separated");
    else
        ppg_list_text(l, line, &ppg_terminal_draft(l)->mem, out);
}

static void set_accept(struct ppg_list *l, const struct ppg_ini_line *line)
{
    set_list(l, line, &ppg_terminal_draft(l)->terminal.profile.accept, true);
}

static void set_applications(struct ppg_list *l, const struct ppg_ini_line *line)
{
    set_list(l, line, &ppg_terminal_draft(l)->terminal.profile.app_ids, false);
}

static void set_charsets(struct ppg_list *l, const struct ppg_ini_line *line)
{
    set_list(l, line, &ppg_terminal_draft(l)->terminal.profile.charsets, false);
}

static void set_encodings(struct ppg_list *l, const struct ppg_ini_line *line)
{
    set_list(l, line, &ppg_terminal_draft(l)->terminal.profile.encodings, false);
}

static void set_languages(struct ppg_list *l, const struct ppg_ini_line *line)
{
    set_list(l, line, &ppg_terminal_draft(l)->terminal.profile.languages, false);
}

static enum err model_parse(struct ppg_terminal_draft *d, struct slice text, struct model *m,
                            const char **why)
{
    struct pap_uaprof p;
    enum err e = pap_uaprof_parse(text, &d->models_mem, &p, why);

    if (!e)
        m->profile = (struct ota_profile){.accept = p.accept,
                                          .charsets = p.charsets,
                                          .encodings = p.encodings,
                                          .languages = p.languages,
                                          .app_ids = p.app_ids,
                                          .size_max = p.size_max};
    return e;
}

/* A file that no section has named before. */
static void read_model(struct ppg_terminal_draft *d, const struct ppg_ini_line *line, struct slice path)
{
    struct model *m = arena_alloc(&d->models_mem, sizeof *m);
    const char *why = "too many profiles";
    struct buf text;
    enum err e;

    buf_init(&text, 0);
    if (!m || arena_dup(&d->models_mem, path, &m->path)) {
        ppg_load_say(d->list.load, ERR_NOMEM, line->at, line->key, "too many profiles");
    } else if (!ppg_load_file(d->list.load, m->path.p, PAP_UAPROF_MAX_N, 0, line->at, line->key, &text)) {
        e = model_parse(d, buf_slice(&text), m, &why);
        if (!e)
            e = map_put(&d->models, m->path, m);
        if (e)
            ppg_load_say(d->list.load, e, line->at, line->key, "%s: %s", m->path.p, why);
        else
            d->model = &m->profile;
    }
    buf_clear(&text);
}

static void set_profile_file(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct ppg_terminal_draft *d = ppg_terminal_draft(l);
    const struct model *known;
    struct buf path;

    buf_init(&path, PPG_INI_LINE_MAX_N + 1);
    ppg_load_path(line->at.file, line->value, &path);
    if (buf_err(&path)) {
        ppg_load_say(l->load, buf_err(&path), line->at, line->key, "file name too long");
    } else {
        struct slice name = slice_of(path.p, path.n - 1); /* without its NUL */

        known = map_get(&d->models, name);
        if (known)
            d->model = &known->profile;
        else
            read_model(d, line, name);
    }
    buf_clear(&path);
}

/* The section's own keys stand before those of its profile. */
static const char *end(struct ppg_terminal_draft *d)
{
    static const struct ota_profile none = {.known = false};
    struct ota_profile own = d->terminal.profile;
    struct slice *texts[OTA_PROFILE_TEXTS];

    own = ota_profile_merge(&own, d->model ? d->model : &none);
    own.known = own.size_max != 0;
    ota_profile_texts(&own, texts);
    for (size_t i = 0; i < OTA_PROFILE_TEXTS; i++)
        own.known = own.known || texts[i]->n;
    d->terminal.profile = own;
    return NULL;
}

static const struct ppg_list_key keys[] = {
    {"max-size", .set = set_max_size},         {"accept", .set = set_accept},
    {"applications", .set = set_applications}, {"charsets", .set = set_charsets},
    {"encodings", .set = set_encodings},       {"languages", .set = set_languages},
    {"profile-file", .set = set_profile_file},
};

const struct ppg_terminal_part ppg_terminal_profile = {keys, sizeof keys / sizeof keys[0], end};
