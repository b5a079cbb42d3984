/* A copy of the store while the gateway goes on, for an operator: POST /backup.  The store makes it (store.h, struct
 * store_backup); here is only where it goes.  Loop 0. */
#include "ppg/admin/work.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"

struct backup {
    struct ppg_admin_ask ask; /* first */
    struct ppg_admin *admin;
    struct store_backup copy; /* path is owned */
};

static void backup_free(struct backup *j)
{
    free((char *)(uintptr_t)j->copy.path);
    ppg_admin_ask_clear(&j->ask);
    free(j);
}

static void made(const struct backup *j)
{
    json_t *o = json_object();
    struct stat st;

    ppg_json_set_text(o, "file", j->ask.file);
    if (stat(j->copy.path, &st) == 0)
        ppg_json_set_n(o, "octets", (uint64_t)st.st_size);
    ppg_admin_note(j->admin, j->ask.x, "backup", o);
    ppg_admin_answer(j->ask.x, 200, o);
}

static void backup_done(struct store_op *op)
{
    struct backup *j = op->arg;

    if (!op->err)
        made(j);
    else if (op->err == ERR_EXISTS)
        ppg_admin_refuse(j->ask.x, 409, "there is a file of that name already");
    else if (op->err == ERR_NOMEM)
        ppg_admin_refuse(j->ask.x, 503, "out of memory");
    else
        ppg_admin_refuse(j->ask.x, 500, "the gateway's user cannot write it there, or there is no room");
    backup_free(j);
}

void ppg_admin_backup(struct ppg_admin *a, struct net_http_exchange *x, const struct ppg_admin_route *r)
{
    struct backup *j = ppg_admin_ask_new(a->conf.core, x, r, sizeof *j);

    if (!j)
        return;
    j->admin = a;
    j->copy.path = mem_dup(j->ask.file);
    if (!slice_starts(j->ask.file, SLICE("/")) || !j->copy.path) {
        ppg_admin_refuse(x, j->copy.path ? 400 : 503, j->copy.path ? r->usage : "out of memory");
        backup_free(j);
        return;
    }
    j->copy.op = (struct store_op){.kind = STORE_BACKUP, .done = backup_done, .arg = j};
    ppg_core_submit(a->conf.core, &j->copy.op);
}
