/* Two configurations side by side; see changes.h. */
#include "ppg/changes.h"

static void accounts(const struct sec_accounts *was, const struct sec_accounts *is, struct ppg_changes *out)
{
    size_t kept = 0;

    for (size_t i = 0; i < sec_accounts_count(is); i++) {
        const struct sec_account *now = sec_accounts_at(is, i);
        const struct sec_account *before = sec_accounts_find(was, now->name);

        kept += before != NULL;
        out->accounts_added += !before;
        out->accounts_changed += before && !sec_account_same(before, now);
    }
    out->accounts_removed = sec_accounts_count(was) - kept;
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
    *out = (struct ppg_changes){.files = files(was, is)};
    accounts(ppg_config_accounts(was->config), ppg_config_accounts(is->config), out);
    sec_whitelist_changes(ppg_config_whitelist(was->config), ppg_config_whitelist(is->config),
                          &out->rules_added, &out->rules_removed);
}
