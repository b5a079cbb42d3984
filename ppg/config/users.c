/* Sections [user ID]; see users.h.  Passwords are hashed as they come and forgotten. */
#include "ppg/config/users.h"

#include "base/list.h"
#include "ppg/config/lists.h"
#include "security/login/digest.h"
#include "security/rules/entities.h"

#define FILE_MAX_N (64 << 20)
#define USERS_MAX  100000u
#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))

struct draft {
    struct ppg_list list; /* keys name fields by their distance from it */
    struct arena mem;
    struct slice name;
    struct buf password; /* wiped */
    const struct sec_keyring *keyring;
    struct sec_accounts *to;
};
_Static_assert(offsetof(struct draft, list) == 0, "the list is first");

static struct draft *draft_of(struct ppg_list *l)
{
    return container_of(l, struct draft, list);
}

static void forget(struct draft *d)
{
    buf_wipe(&d->password);
    buf_init(&d->password, PPG_LIST_SECRET_MAX_N);
    arena_clear(&d->mem);
}

static void begin(struct ppg_list *l, struct slice name)
{
    struct draft *d = draft_of(l);

    forget(d);
    d->name = SLICE_NONE;
    if (name.n > SEC_ENTITY_USER_MAX_N)
        ppg_load_say(l->load, ERR_MALFORMED, l->at, name, "a user's id has at most 64 octets");
    else if (arena_dup(&d->mem, name, &d->name))
        ppg_load_say(l->load, ERR_NOMEM, l->at, SLICE_NONE, "no memory");
}

static void set_key(struct ppg_list *l, const struct ppg_ini_line *line)
{
    struct draft *d = draft_of(l);
    const struct sec_key *k = sec_keyring_find(d->keyring, line->value);
    struct sec_secret secret;

    sec_secret_init(&secret);
    if (!k || k->kind != SEC_KEY_PASSWORD || sec_keyring_password(d->keyring, k, &secret))
        ppg_list_say(l, line, "the keyring has no password of that name");
    else if (buf_room(&d->password, secret.n))
        buf_add(&d->password, sec_secret_slice(&secret));
    sec_secret_clear(&secret);
}

static const struct ppg_list_key keys[] = {
    {"password-file", .secret_at = offsetof(struct draft, password)},
    {"key", set_key, .must = false},
};

static void end(struct ppg_list *l)
{
    struct draft *d = draft_of(l);
    struct sec_account a = {.name = d->name, .digest_user = d->name, .basic = true};
    const char *why = "one of password-file and key";
    enum err e = d->password.n && l->seen != 3 ? ERR_OK : ERR_MALFORMED;

    if (!e)
        e = sec_digest_ha1(SEC_DIGEST_SHA256, d->name, PPG_USERS_REALM, buf_slice(&d->password),
                           &a.ha1_sha256);
    if (!e)
        e = sec_accounts_add(d->to, &a, &why);
    if (e)
        ppg_load_say_of(l->load, e, l->at, d->name, "%s", why);
    sec_secret_clear(&a.ha1_sha256);
    forget(d);
}

void ppg_users_read(struct ppg_load *load, const char *path, const struct sec_keyring *keyring,
                    struct sec_accounts **out)
{
    struct ppg_place at = {path, 0};
    struct draft d = {
        .list =
            {.load = load, .kind = "user", .keys = keys, .keys_n = COUNT(keys), .begin = begin, .end = end},
        .keyring = keyring};
    enum err e = sec_accounts_create(PPG_USERS_REALM, USERS_MAX, &d.to);

    if (e) {
        ppg_load_say(load, e, at, SLICE_NONE, "%s", err_text(e));
        return;
    }
    arena_init(&d.mem, 1024, 1 << 16);
    buf_init(&d.password, PPG_LIST_SECRET_MAX_N);
    ppg_list_read(&d.list, path, FILE_MAX_N, 0, at, SLICE_NONE);
    forget(&d);
    *out = d.to;
}
