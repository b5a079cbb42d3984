/* Configuration text: the first octet chooses what it is read as, the rest is the text.  No file is opened: password
 * files are left to the unit tests. */
#include <stdint.h>
#include <stdlib.h>
#include "ppg/config/groups.h"
#include "ppg/config/initiators.h"
#include "ppg/config/schema.h"
#include "ppg/config/terminals.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void read_settings(struct ppg_load *load, struct slice text)
{
    struct ppg_settings s;
    struct arena strings;

    arena_init(&strings, 4096, 1 << 20);
    ppg_schema_read(load, text, "/f/ppg.conf", false, &strings, &s);
    if (load->err == ERR_OK)
        MUST(s.gateway.name && s.pap.realm && s.pap.listen_n + s.pap.listen_tls_n > 0 &&
             s.pap.listen_n <= PPG_LISTEN_MAX && s.notify.retries_n <= PPG_RETRIES_MAX);
    arena_clear(&strings);
}

static void read_association(struct ppg_load *load, struct slice text)
{
    struct ota_association a = {.present = false};

    sec_secret_init(&a.key);
    ppg_association_read_text(load, text, "f", &a);
    MUST(a.present == (load->err == ERR_OK));
    sec_secret_clear(&a.key);
}

/* A list that names no file: "-file" is a word of none of its other keys. */
static void read_initiators(struct ppg_load *load, struct slice text)
{
    struct sec_accounts *accounts = NULL;

    if (slice_find_slice(text, SLICE("-file")) == SIZE_MAX)
        ppg_initiators_read_text(load, text, "f", SLICE("ppg"), true, NULL, &accounts);
    sec_accounts_free(&accounts);
}

/* Groups that name no file. */
static void read_groups(struct ppg_load *load, struct slice text)
{
    struct ppg_groups *groups = NULL;
    const struct ppg_group *g;

    if (slice_find_slice(text, SLICE("file")) == SIZE_MAX)
        ppg_groups_read_text(load, text, "f", &groups);
    g = ppg_groups_find(groups, SLICE("$a"));
    for (size_t i = 0; g && !load->err && i < g->members_n; i++)
        MUST(g->members[i].n > 0 && g->members[i].p[0] != '$');
    ppg_groups_free(&groups);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct ppg_config_errors *errs = calloc(1, sizeof *errs);
    struct ppg_load load = {.errs = errs};
    struct slice text = slice_sub(slice_of(data, n), 1, n);

    if (errs && n > 0 && data[0] == 'a')
        read_association(&load, text);
    else if (errs && n > 0 && data[0] == 'i')
        read_initiators(&load, text);
    else if (errs && n > 0 && data[0] == 'g')
        read_groups(&load, text);
    else if (errs && n > 0)
        read_settings(&load, text);
    MUST(!errs || (errs->n > 0) == (load.err != ERR_OK));
    free(errs);
    return 0;
}
