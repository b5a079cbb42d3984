/* Files that describe several things alike, each in a section [kind name]: initiators, terminals.  A file that
 * describes one thing has no sections.  Keys come from a table; what they do is its owner's.  Off the loops. */
#ifndef PPG_CONFIG_LISTS_H
#define PPG_CONFIG_LISTS_H

#include "base/arena.h"
#include "ppg/config/ini.h"
#include "ppg/config/value.h"
#include "security/secret.h"
#include "security/xml/xmlsec.h"

#define PPG_LIST_SECRET_MAX_N 1024 /* octets of a file that holds one secret */

struct ppg_list;
typedef void ppg_list_set_fn(struct ppg_list *l, const struct ppg_ini_line *line);

/* What a key does: a function of its owner's takes it, or it goes as it is to a field of the owner's draft, so many octets
 * (offsetof) behind the draft's first, which is the list.  One of the four is there. */
struct ppg_list_key {
    const char *name;
    ppg_list_set_fn *set; /* takes the value or tells why not */
    size_t text_at;       /* struct slice, empty until then: as ppg_list_text, in the list's mem */
    size_t bool_at;       /* bool, as ppg_list_bool */
    size_t secret_at;     /* struct buf, as ppg_list_secret */
    bool repeats;         /* may stand several times in a section */
    bool must;            /* may not be missing */
};

/* Embedded in the owner's draft, which set(), begin() and end() reach with container_of. */
struct ppg_list {
    struct ppg_load *load;
    struct arena *mem; /* for keys with text_at; else NULL */
    const char *kind;  /* NULL: a file without sections */
    const struct ppg_list_key *keys;
    size_t keys_n;                                        /* at most 64 */
    void (*begin)(struct ppg_list *l, struct slice name); /* may be NULL */
    void (*end)(struct ppg_list *l);                      /* only for a section without mistakes */
    struct ppg_list *next; /* for sections of another kind in the same file; NULL: none */

    struct ppg_place at; /* of the section's head */
    uint64_t seen;       /* bit i: keys[i] was set */
    size_t faults;       /* told when the section began */
    bool open;
    struct ppg_list *current; /* of the first list: whose section is being read */
};

/* Reads the file and feeds the list; tells every mistake.  `forbidden` as ppg_load_file. */
void ppg_list_read(struct ppg_list *l, const char *path, size_t max_n, unsigned forbidden,
                   struct ppg_place at, struct slice key);
/* The same for text. */
void ppg_list_read_text(struct ppg_list *l, struct slice text, const char *file);

/* "file:line: key: what" */
void ppg_list_say(struct ppg_list *l, const struct ppg_ini_line *line, const char *what);
/* Value setters: tell what is wrong, or write *out. */
void ppg_list_bool(struct ppg_list *l, const struct ppg_ini_line *line, bool *out);
void ppg_list_text(struct ppg_list *l, const struct ppg_ini_line *line, struct arena *mem, struct slice *out);
void ppg_list_word(struct ppg_list *l, const struct ppg_ini_line *line, const struct ppg_word *words,
                   int *out);
/* The one line of the file that the value names; the file must be its owner's alone (0600).  `secret` is wiped by the
 * caller; one that holds something is a mistake of the section's, and stays. */
void ppg_list_secret(struct ppg_list *l, const struct ppg_ini_line *line, struct buf *secret);
/* The key for x-syncml-hmac in that file: 64 hexadecimal digits. */
void ppg_list_mac_key(struct ppg_list *l, const struct ppg_ini_line *line, struct sec_secret *out);
/* A key shared for TLS: hexadecimal digits as every tool writes keys, for a password would be too weak (RFC 9257 §4). */
void ppg_list_psk(struct ppg_list *l, const struct ppg_ini_line *line, struct sec_secret *out);
/* Of a file with 128 hexadecimal digits: the first half signs, the other wraps keys. */
void ppg_list_xml_keys(struct ppg_list *l, const struct ppg_ini_line *line, struct sec_xml_keys *out);

#endif
