/* The keys of ppg.conf as data: what each is called, what it may be, what it is unless set, and where it goes in
 * struct ppg_settings.  schema.c reads by this table, help.c prints it.  Any thread. */
#ifndef PPG_CONFIG_KEYS_H
#define PPG_CONFIG_KEYS_H

#include "base/buf.h"
#include "ppg/config/value.h"
#include "ppg/settings.h"

enum ppg_key_type {
    PPG_KEY_BOOL,
    PPG_KEY_COUNT,
    PPG_KEY_TIME,
    PPG_KEY_SIZE,
    PPG_KEY_WORD,  /* one of `words`, kept as its number */
    PPG_KEY_WORDS, /* some of `words`, comma separated, kept as their bits */
    PPG_KEY_NAME,  /* one of `words`, kept as text */
    PPG_KEY_TEXT,
    PPG_KEY_PATH,    /* a file or socket; what is there shows when it is used */
    PPG_KEY_MASTER,  /* the same, or credential:NAME */
    PPG_KEY_FILE,    /* a file that must be readable */
    PPG_KEY_PRIVATE, /* likewise, and not by everybody */
    PPG_KEY_FILES,   /* from here on lists, comma separated */
    PPG_KEY_PRIVATES,
    PPG_KEY_LISTENS,
    PPG_KEY_TIMES,
    PPG_KEY_NETWORKS,
};

struct ppg_config_key {
    const char *name; /* first: the table doubles as a list of names */
    const char *section;
    enum ppg_key_type type;
    size_t at;        /* offset in struct ppg_settings */
    size_t width;     /* octets of the field there */
    size_t count_at;  /* lists: offset of the size_t that counts them */
    int64_t min, max; /* numbers: range; text: octets; file names: min 0 may be empty; lists: items */
    int64_t each_min, each_max;              /* PPG_KEY_TIMES: range of each */
    const struct ppg_word *words;            /* PPG_KEY_WORD, PPG_KEY_NAME */
    const char *(*check)(struct slice text); /* of text: NULL when good, else what is wrong; may be NULL */
    const char *preset;                      /* as an operator would write it; NULL: not set */
    const char *sample;                      /* shown in the help when there is no preset */
    const char *help;                        /* one sentence or two; why, not only what */
};

extern const struct ppg_config_key ppg_config_keys[]; /* those of a section stand together */
extern const size_t ppg_config_keys_n;

/* Words whose values are bits: of enum net_tls_cipher; 1 << octet of a suite of security/gpl.h. */
extern const struct ppg_word ppg_cipher_words[], ppg_suite_words[];

/* Only a start can change it; a reload keeps the old value. */
bool ppg_config_key_at_start(const struct ppg_config_key *key);

/* Appends what the key may be, with its range: "a time, 1s to 10min". */
void ppg_config_key_allowed(const struct ppg_config_key *key, struct buf *out);

#endif
