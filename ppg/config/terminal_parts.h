/* A section [terminal ADDRESS] of terminals.conf, while it is read: the draft that it fills, and the parts that the work is
 * divided into, one for each subject.  terminals.c puts them together.  Off the loops. */
#ifndef PPG_CONFIG_TERMINAL_PARTS_H
#define PPG_CONFIG_TERMINAL_PARTS_H

#include "base/list.h"
#include "base/map.h"
#include "ppg/config/lists.h"
#include "security/keyring.h"

#define PPG_TERMINAL_KEYS_MAX 64 /* as a list has them */

struct ppg_terminal_draft {
    struct ppg_list list; /* keys name fields by their distance from it */
    struct ppg_list_key keys[PPG_TERMINAL_KEYS_MAX];
    struct arena mem; /* text of the section */
    struct ota_terminal terminal;
    struct buf password;             /* of terminal.login */
    struct buf call_password;        /* of terminal.call_in */
    struct buf mac_password;         /* of terminal.mac */
    bool has_proof;                  /* call-proof was there */
    const struct ota_profile *model; /* of the section's profile-file; NULL: none */

    /* Of the whole file: */
    struct ota_registry *registry;
    const struct sec_keyring *keyring;
    unsigned suites; /* 1 << octet of those that may seal */
    bool md5;        /* is of use */
    struct slice sip_domains;
    struct map models; /* file name -> what it says: many terminals name one */
    struct arena models_mem;
};
_Static_assert(offsetof(struct ppg_terminal_draft, list) == 0, "the list is first");

static inline struct ppg_terminal_draft *ppg_terminal_draft(struct ppg_list *l)
{
    return container_of(l, struct ppg_terminal_draft, list);
}

/* One subject: its keys, and what is done about it when the section is whole. */
struct ppg_terminal_part {
    const struct ppg_list_key *keys;
    size_t keys_n;
    /* Completes what the keys have said; what is wrong with it, NULL: nothing. */
    const char *(*end)(struct ppg_terminal_draft *d);
};
extern const struct ppg_terminal_part ppg_terminal_reach, ppg_terminal_call, ppg_terminal_register,
    ppg_terminal_tls, ppg_terminal_keys, ppg_terminal_profile;

#endif
