/* --help-config: the table of keys.c as annotated INI; conf/ppg.conf is this text.  Any thread. */
#include "ppg/config.h"

#include "base/buf.h"
#include "base/num.h"
#include "ppg/config/keys.h"

#define WIDTH_N 100 /* columns of a comment */

/* Words of `text` behind "# ", as many a line as fit. */
static void print_comment(struct slice text, FILE *to)
{
    struct slice word;
    size_t column = 0;
    bool more = true;

    while (more) {
        more = slice_cut(text, ' ', &word, &text);
        if (column + 1 + word.n > WIDTH_N)
            column = 0;
        column += (size_t)fprintf(to, "%s %.*s", column ? "" : "\n#", SLICE_FMT(word));
    }
}

static void print_key(const struct ppg_config_key *key, FILE *to)
{
    struct buf allowed;

    buf_init(&allowed, 512);
    ppg_config_key_allowed(key, &allowed);
    print_comment(slice_str(key->help), to);
    (void)fprintf(to, "\n# %.*s; %s", SLICE_FMT(buf_slice(&allowed)),
                  ppg_config_key_at_start(key) ? "read at a start; " : "");
    if (key->preset)
        (void)fprintf(to, "default: %s\n%s =%s%s\n", *key->preset ? key->preset : "empty", key->name,
                      *key->preset ? " " : "", key->preset);
    else
        (void)fprintf(to, "not set unless written\n#%s = %s\n", key->name, key->sample);
    buf_clear(&allowed);
}

void ppg_config_help(FILE *to)
{
    const char *section = "";

    (void)fprintf(
        to,
        "# Settings of the push proxy gateway, each with what it may be and its default.  `ppgd "
        "--check-config -c\n"
        "# FILE` tells of every mistake.  Times: ms, s, min, h, d.  Octets: k, M, G.  File names are "
        "relative to the\n"
        "# folder of this file.  A comment starts with # or ; at the start of a line or behind a space.\n");
    for (size_t i = 0; i < ppg_config_keys_n; i++) {
        const struct ppg_config_key *key = &ppg_config_keys[i];

        if (!slice_eq(slice_str(section), slice_str(key->section)))
            (void)fprintf(to, "\n[%s]", key->section);
        section = key->section;
        print_key(key, to);
    }
}
