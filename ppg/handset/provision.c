/* See provision.h. */
#include "ppg/handset/provision.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static enum err read_private(const char *path, struct buf *text, const char **what)
{
    struct stat st;
    enum err e = tool_read(path, text);

    if (!e && stat(path, &st) != 0)
        e = ERR_IO;
    if (!e && st.st_mode & (S_IRWXG | S_IRWXO)) {
        *what = "is open to others, at most mode 0600";
        e = ERR_DENIED;
    }
    return e;
}

static enum err take(struct slice text, struct kit *kit, int64_t now_s, struct sec_secprov **out,
                     const char **what)
{
    struct sec_secprov *object = malloc(sizeof *object);
    enum err e = object ? sec_secprov_parse(text, object, what) : ERR_NOMEM;

    if (e) {
        free(object);
        return e;
    }
    e = kit_provision(kit, object, now_s);
    if (e)
        tool_provision_free(&object);
    else
        *out = object;
    return e;
}

enum err tool_provision(const char *path, struct kit *kit, int64_t now_s, struct sec_secprov **out,
                        char why[TOOL_WHY_N])
{
    const char *what = NULL;
    struct stat st;
    struct buf text;
    enum err e;

    if (stat(path, &st) != 0 && errno == ENOENT)
        return ERR_OK;
    buf_init(&text, SEC_SECPROV_MAX_N);
    e = read_private(path, &text, &what);
    if (!e)
        e = take(buf_slice(&text), kit, now_s, out, &what);
    if (e)
        (void)snprintf(why, TOOL_WHY_N, "%.120s: %s", path, what ? what : err_text(e));
    buf_wipe(&text);
    return e;
}

void tool_provision_free(struct sec_secprov **object)
{
    if (*object)
        sec_secprov_clear(*object);
    free(*object);
    *object = NULL;
}
