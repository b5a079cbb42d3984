/* Activation packages taken; see activate.h. */
#include "ppg/handset/activate.h"

#include <unistd.h>
#include "base/codec.h"
#include "base/mem.h"
#include "pap/time.h"
#include "security/gpl.h"
#include "security/terminal/activation.h"

#define TEXT_MAX_N 1024

static enum err say(char why[TOOL_WHY_N], enum err e, const char *what)
{
    (void)snprintf(why, TOOL_WHY_N, "%s", what);
    return e;
}

static enum err read_code(const char *code, struct buf *out)
{
    struct slice line;
    enum err e;

    if (!slice_eq(slice_str(code), SLICE("-"))) {
        buf_add_str(out, code);
        return buf_err(out);
    }
    e = tool_read("-", out);
    if (!e) {
        (void)slice_cut(buf_slice(out), '\n', &line, &(struct slice){NULL, 0});
        buf_cut(out, line.n);
    }
    return e;
}

static enum err open_package(const char *path, const char *code, int64_t now_s, struct sec_activation *a,
                             char why[TOOL_WHY_N])
{
    struct buf package, text;
    enum err e;

    buf_init(&package, SEC_ACTIVATION_MAX_N);
    buf_init(&text, TEXT_MAX_N);
    e = tool_read(path, &package);
    if (!e)
        e = read_code(code, &text);
    if (e)
        (void)say(why, e, err_text(e));
    else if ((e = sec_activation_open(buf_slice(&package), buf_slice(&text), now_s, a)))
        (void)say(why, e,
                  e == ERR_DENIED      ? "another code, or somebody has changed the package"
                  : e == ERR_LATE      ? "it is too late for this package; ask for another"
                  : e == ERR_MALFORMED ? "no activation package, or not a code of 24 letters and digits"
                                       : err_text(e));
    buf_clear(&package);
    buf_wipe(&text);
    return e;
}

static void print_association(const struct sec_activation *a, struct buf *out)
{
    buf_add_str(out, "said = ");
    codec_hex(out, slice_of(a->said, sizeof a->said));
    buf_add_str(out, "\nkey = ");
    codec_hex(out, sec_secret_slice(&a->key));
    buf_add_str(out, "\nsuites = ");
    for (size_t i = 0; i < a->suites_n; i++) {
        buf_add_str(out, i ? ", " : "");
        buf_add_str(out, sec_gpl_suite_name(a->suites[i]));
    }
    buf_add_str(out, "\nexpires = ");
    if (!a->expires_s || pap_time_print(a->expires_s, out))
        buf_add_str(out, "never");
    buf_add_ch(out, '\n');
}

/* NAME.VERSION, where a name's slashes would be folders. */
static void default_path(const struct sec_activation *a, char made[TOOL_ACTIVATE_PATH_N])
{
    int n = snprintf(made, TOOL_ACTIVATE_PATH_N, "./%.*s.%u", (int)a->name_n, a->name, a->version);

    for (int i = 2; i < n; i++)
        made[i] = made[i] == '/' ? '_' : made[i];
}

enum err tool_activate(const char *package, const char *code, const char *out, int64_t now_s,
                       char made[TOOL_ACTIVATE_PATH_N], char why[TOOL_WHY_N])
{
    struct sec_activation a;
    struct buf text;
    enum err e = open_package(package, code, now_s, &a, why);

    if (e)
        return e;
    default_path(&a, made);
    if (out && mem_cstr(made, TOOL_ACTIVATE_PATH_N, slice_str(out)))
        e = say(why, ERR_LIMIT, "the file's name is too long");
    else if (access(made, F_OK) == 0)
        e = say(why, ERR_EXISTS, "the association file is there already");
    buf_init(&text, TEXT_MAX_N);
    if (!e && buf_room(&text, TEXT_MAX_N))
        print_association(&a, &text);
    if (!e && (buf_err(&text) || tool_write(made, buf_slice(&text))))
        e = say(why, ERR_IO, "the association file cannot be written");
    sec_secret_clear(&a.key);
    buf_wipe(&text);
    return e;
}
