/* One request about keys or associations: read on loop 0, done on a thread that may block, answered on loop 0.  For
 * admin_key*.c only. */
#ifndef PPG_ADMIN_KEY_H
#define PPG_ADMIN_KEY_H

#include <uv.h>
#include "ppg/admin/routes.h"
#include "security/keyring.h"

struct ppg_keyjob;

/* One kind of request; off the loops.  ERR_OK: job->answer is the answer; else job->why says why not. */
typedef enum err ppg_keyjob_fn(struct ppg_keyjob *job);

struct ppg_keyop {
    const char *path;
    unsigned must; /* names it needs, of PPG_KEYJOB_... */
    unsigned may;  /* and those it takes */
    ppg_keyjob_fn *run;
    const char *event; /* logged when it changed something; NULL: it changes nothing */
    /* Then, on loop 0, when there is more to it: ends with ppg_keyjob_finish.  NULL: nothing. */
    void (*then)(struct ppg_keyjob *job);
};

#define PPG_KEYJOB_NAME        0x01u
#define PPG_KEYJOB_KIND        0x02u
#define PPG_KEYJOB_SECRET      0x04u
#define PPG_KEYJOB_ASSOCIATION 0x08u
#define PPG_KEYJOB_SUITES      0x10u
#define PPG_KEYJOB_EXPIRES     0x20u
#define PPG_KEYJOB_UNTIL       0x40u
#define PPG_KEYJOB_PACKAGE     0x80u

struct ppg_keyjob {
    uv_work_t work;
    struct ppg_admin *admin;
    struct net_http_exchange *x;
    const struct ppg_keyop *op;
    struct ppg_config *config; /* held: the one in force */
    int64_t now_s;
    uid_t uid; /* who asks */
    sec_keyring_change_fn *fn;
    json_t *body; /* what the slices point into; wiped in the end */
    struct buf query;
    unsigned given;
    struct slice name, kind, secret, association, suites, expires, until, package_until;

    enum err err;
    char why[SEC_KEYRING_WHY_N];
    json_t *answer; /* owned */
};

/* e, and job->why set. */
enum err ppg_keyjob_no(struct ppg_keyjob *job, enum err e, const char *why);
/* sec_keyring_change with fn, which sets job->answer; a line of the audit log, where there is one, is on disk before the
 * keyring is. */
enum err ppg_keyjob_change(struct ppg_keyjob *job, sec_keyring_change_fn *fn) MUST_USE;
/* A key without its secret, and the fingerprint of that. */
json_t *ppg_keyjob_json(const struct sec_keyring *r, const struct sec_key *k);

/* Answers as the job came out; after a change, when the reload is done.  The job is gone. */
void ppg_keyjob_finish(struct ppg_keyjob *job);
/* Answers with job->answer. */
void ppg_keyjob_answer(struct ppg_keyjob *job);

/* key_do.c */
ppg_keyjob_fn ppg_keyjob_list;
ppg_keyjob_fn ppg_keyjob_add;
ppg_keyjob_fn ppg_keyjob_import;
ppg_keyjob_fn ppg_keyjob_rotate;
ppg_keyjob_fn ppg_keyjob_remove;
/* key_sa.c */
ppg_keyjob_fn ppg_keyjob_sa;
ppg_keyjob_fn ppg_keyjob_revoke;
/* sa.c: what the store has */
void ppg_keyjob_sa_stored(struct ppg_keyjob *job);
void ppg_keyjob_revoke_stored(struct ppg_keyjob *job);

#endif
