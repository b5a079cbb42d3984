/* visits.conf: functions of other networks that our terminals may visit, each in a section [visited NAME], and home functions whose
 * terminals may visit us, each in a section [home NAME].  SEC_CF 1.1, use case B.6.  Off the loops. */
#ifndef PPG_CONFIG_VISITS_H
#define PPG_CONFIG_VISITS_H

#include "base/arena.h"
#include "security/rules/delegates.h"

#define PPG_VISITS_MAX 256 /* of either kind */

/* Trusted with keys for our terminals. */
struct ppg_visited {
    struct slice name; /* that terminals ask for; a domain name in lower case */
    struct slice url;  /* https: of its door for keys */
    struct slice host; /* HOST:PORT that terminals are told */
    int64_t life_s;    /* of a key */
    bool identity;     /* it is told who comes */
};

struct ppg_home {
    struct slice name;
    struct slice certificate; /* as matcher.h spells it */
    size_t share; /* keys that it may have here at once; written or its part of what others leave */
};

struct ppg_visits {
    struct arena mem;
    struct ppg_visited visited[PPG_VISITS_MAX];
    struct ppg_home homes[PPG_VISITS_MAX];
    size_t visited_n, homes_n;
};

struct ppg_load; /* ppg/config/ini.h */
/* keys_max: of all homes together.  Tells every mistake; *out is written whenever it could be made, and only good when nothing
 * was told. */
void ppg_visits_read(struct ppg_load *load, const char *path, size_t keys_max, struct ppg_visits **out);
void ppg_visits_free(struct ppg_visits **v);
const struct ppg_visited *ppg_visits_visited(const struct ppg_visits *v, struct slice name); /* NULL */
/* Whose verified certificate it is; NULL: no home's. */
const struct ppg_home *ppg_visits_home(const struct ppg_visits *v, const struct sec_peer_names *names);

#endif
