/* Configuration as one immutable value: settings, accounts, whitelist, groups, terminals.  Built whole from the files,
 * swapped whole by a reload; an atomic count of holders lets each loop change over at its own time.
 * Loading blocks: call it off the loops. */
#ifndef PPG_CONFIG_H
#define PPG_CONFIG_H

#include <stdio.h>
#include "base/err.h"
#include "ota/registry.h"
#include "ppg/file.h"
#include "ppg/settings.h"
#include "security/gba/bootstrap.h"
#include "security/rules/entities.h"
#include "security/keyring.h"
#include "security/gba/keyserver.h"
#include "security/gba/naf.h"
#include "ppg/config/visits.h"
#include "security/rules/nafs.h"
#include "security/terminal/visits.h"
#include "security/rules/trust.h"
#include "security/rules/whitelist.h"

struct ppg_config;
struct ppg_groups;
struct ppg_limits;

#define PPG_CONFIG_ERRORS_MAX 50

/* "file:line: key: what, allowed range" each; line 0 when the file itself is at fault. */
struct ppg_config_errors {
    size_t n;
    size_t more; /* beyond the first PPG_CONFIG_ERRORS_MAX */
    char text[PPG_CONFIG_ERRORS_MAX][512];
    /* Of each text: what may be a subscriber's name, or anything in a wrong place.  It goes to operators, not to logs. */
    struct {
        size_t at, n;
    } name[PPG_CONFIG_ERRORS_MAX];
};

/* The i-th text as it may stand in a log, NUL behind it. */
void ppg_config_error_bare(const struct ppg_config_errors *errs, size_t i, char out[512]);

/* ERR_MALFORMED, ERR_IO, ERR_DENIED (a secret file others may read), ERR_NOMEM; *errs holds every line found. */
enum err ppg_config_load(const char *path, struct ppg_config **out, struct ppg_config_errors *errs) MUST_USE;
struct ppg_config *ppg_config_hold(struct ppg_config *c);
void ppg_config_drop(struct ppg_config **c); /* any thread; the last one frees and wipes */

/* Nobody but the caller holds it or its registry: dropping it frees it. */
bool ppg_config_alone(const struct ppg_config *c);

const struct ppg_settings *ppg_config_settings(const struct ppg_config *c);
const struct sec_accounts *ppg_config_accounts(const struct ppg_config *c);
const struct sec_whitelist *ppg_config_whitelist(const struct ppg_config *c);
/* The whitelist as it would be with this text (NULL: as the file stands now), the rest as configured.  As
 * sec_whitelist_load; blocks. */
enum err ppg_config_whitelist_of(const struct ppg_config *c, const struct slice *text,
                                 struct sec_whitelist **out, struct sec_load_error *e) MUST_USE;
/* NULL: no groups are configured.  Asked with ppg/config/groups.h. */
const struct ppg_groups *ppg_config_groups(const struct ppg_config *c);
/* What initiators have used of their limits; asked with ppg/limits.h. */
struct ppg_limits *ppg_config_limits(const struct ppg_config *c);
/* A configuration that will follow `before` goes on with what was used under it, limits and sequence numbers, and with
 * what was bootstrapped.  Before anybody else sees `c`. */
void ppg_config_follow(struct ppg_config *c, const struct ppg_config *before);
/* NULL: no subscribers are configured.  One for all loops, in use until the next reload, whose one goes on with its
 * numbers; they move, everything else of it is constant.  More of them come by way of ppg/keys/seq.h. */
struct sec_keyserver *ppg_config_keyserver(const struct ppg_config *c);
/* Users with entities, and their keys; NULL: none are configured. */
const struct sec_accounts *ppg_config_users(const struct ppg_config *c);
struct sec_entities *ppg_config_entities(const struct ppg_config *c);
/* Takes the keys of entities whose users are gone out of the keyring.  Told in the log.  Blocks. */
void ppg_config_prune(const struct ppg_config *c, struct log *log);
/* Other NAFs; NULL: none are configured. */
const struct sec_nafs *ppg_config_nafs(const struct ppg_config *c);
const struct ppg_visits *ppg_config_visits(const struct ppg_config *c); /* NULL: none */
struct sec_visits *ppg_config_visitors(const struct ppg_config *c); /* keys of those who come; NULL with it */
/* Who has bootstrapped over Ub; NULL as above.  Good as long as the configuration. */
struct sec_bootstrap *ppg_config_bootstrap(const struct ppg_config *c);
/* Ourselves as a NAF, at that time; want is the caller's to set. */
struct sec_naf ppg_config_naf(const struct ppg_config *c, int64_t utc_ms);
/* What associations of the gateway's own making are sealed under in the store: derived from the keyring's master key; without
 * a keyring it lives no longer than the program, and what it sealed is made anew after a restart. */
const struct sec_secret *ppg_config_sa_key(const struct ppg_config *c);
/* Keys by name; NULL: no keyring is configured. */
const struct sec_keyring *ppg_config_keyring(const struct ppg_config *c);
/* Where it is kept; false: nowhere. */
bool ppg_config_keyring_at(const struct ppg_config *c, struct sec_keyring_conf *out);
/* After a load that found the keyring under the previous master key: writes it anew under the present one, else does
 * nothing.  Told in the log; a failure is harmless while both keys are named.  Blocks. */
void ppg_config_rewrap(const struct ppg_config *c, struct log *log);
/* Where look-ups of keys are told, when it is in use; NULL (at first): nowhere.  Before anybody else sees `c`; the log
 * outlives it. */
void ppg_config_set_log(struct ppg_config *c, struct log *log);
struct log *ppg_config_log(const struct ppg_config *c);
/* Before it is used: from here on no older policy of algorithms is good.  On failure it must not be used; errors as
 * ppg_serial_raise.  Blocks. */
enum err ppg_config_fence(const struct ppg_config *c, char why[PPG_FILE_WHY_N]) MUST_USE;
struct ota_registry *ppg_config_registry(const struct ppg_config *c); /* borrowed; hold it to keep it */
const char *ppg_config_path(const struct ppg_config *c);
/* Loads in this process so far, from 1: tells snapshots apart. */
uint64_t ppg_config_generation(const struct ppg_config *c);

void ppg_config_help(FILE *to); /* every key as annotated INI; equals conf/ppg.conf */

#endif
