/* Two configurations side by side; see changes.h. */
#include "ppg/changes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/codec.h"

#define DOTS SLICE(" ...")

static void name_it(struct ppg_changes *c, char how, struct slice name)
{
    size_t used = strlen(c->named), room = sizeof c->named - used;

    if (slice_ends(slice_of(c->named, used), DOTS))
        return;
    if (name.n + 3 + DOTS.n > room)
        (void)snprintf(c->named + used, room, " ...");
    else
        (void)snprintf(c->named + used, room, "%s%c%.*s", used ? " " : "", how, (int)name.n, name.p);
}

static void accounts(const struct sec_accounts *was, const struct sec_accounts *is, struct ppg_changes *out)
{
    size_t kept = 0;

    for (size_t i = 0; i < sec_accounts_count(is); i++) {
        const struct sec_account *now = sec_accounts_at(is, i);
        const struct sec_account *before = sec_accounts_find(was, now->name);

        kept += before != NULL;
        if (before && sec_account_same(before, now))
            continue;
        out->accounts_added += !before;
        out->accounts_changed += before != NULL;
        name_it(out, before ? '~' : '+', now->name);
    }
    out->accounts_removed = sec_accounts_count(was) - kept;
    for (size_t i = 0; out->accounts_removed && i < sec_accounts_count(was); i++)
        if (!sec_accounts_find(is, sec_accounts_at(was, i)->name))
            name_it(out, '-', sec_accounts_at(was, i)->name);
    out->delegates = sec_delegates_changes(sec_accounts_delegates(was), sec_accounts_delegates(is));
}

static bool had(const struct ppg_snapshot *was, const struct ppg_file_mark *file)
{
    for (size_t i = 0; i < was->files_n; i++)
        if (was->files[i].name == file->name && was->files[i].content == file->content)
            return true;
    return false;
}

static size_t files(const struct ppg_snapshot *was, const struct ppg_snapshot *is)
{
    size_t n = 0;

    for (size_t i = 0; i < is->files_n; i++)
        n += !had(was, &is->files[i]);
    return n;
}

void ppg_changes_find(const struct ppg_snapshot *was, const struct ppg_snapshot *is, struct ppg_changes *out)
{
    *out = (struct ppg_changes){.files = files(was, is), .generation = ppg_config_generation(is->config)};
    accounts(ppg_config_accounts(was->config), ppg_config_accounts(is->config), out);
    sec_whitelist_changes(ppg_config_whitelist(was->config), ppg_config_whitelist(is->config),
                          &out->rules_added, &out->rules_removed);
}

void ppg_changes_print(const struct ppg_changes *c, struct buf *out)
{
    const struct {
        const char *name;
        size_t n;
    } rows[] = {{"accounts_added", c->accounts_added},
                {"accounts_removed", c->accounts_removed},
                {"accounts_changed", c->accounts_changed},
                {"delegates_changed", c->delegates},
                {"rules_added", c->rules_added},
                {"rules_removed", c->rules_removed},
                {"tls_files_changed", c->files}};

    buf_addf(out, "{\"generation\":%" PRIu64, c->generation);
    if (c->named[0]) {
        buf_add_str(out, ",\"accounts\":");
        codec_json(out, slice_str(c->named));
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].n)
            buf_addf(out, ",\"%s\":%zu", rows[i].name, rows[i].n);
    buf_add_ch(out, '}');
}
