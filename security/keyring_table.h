/* What a keyring is made of, for keyring.c and keyring_file.c only. */
#ifndef SECURITY_KEYRING_TABLE_H
#define SECURITY_KEYRING_TABLE_H

#include "base/map.h"
#include "security/keyring_record.h"

struct sec_keyring_entry {
    struct sec_record *newest; /* owned, with all that is older */
    size_t name_n;
    char name[]; /* the key of the map */
};

struct sec_keyring {
    uint64_t generation; /* of the file it came from; 0: of none */
    bool old;            /* the file is under the previous master key; the records here no longer are */
    uint8_t salt[SEC_KEYRING_SALT_N];
    struct sec_keyring_keys *keys; /* owned */
    struct map names;              /* struct sec_keyring_entry, owned */
    size_t records;                /* with all that are older */
};

/* Makes `rec`, which it takes, the newest of its name.  ERR_EXISTS: not newer than what is there, or another kind;
 * ERR_LIMIT, ERR_NOMEM: *rec is the caller's still. */
enum err sec_keyring_put(struct sec_keyring *r, struct sec_record *rec) MUST_USE;
/* Seals every record anew under that master key and a fresh salt.  ERR_DENIED a record is damaged; ERR_IO, ERR_NOMEM.  On
 * failure *r is good for sec_keyring_free only. */
enum err sec_keyring_rewrap(struct sec_keyring *r, struct slice master) MUST_USE;

#endif
