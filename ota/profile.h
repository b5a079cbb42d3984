/* What a terminal can take: what its operator wrote in terminals.conf, and what it said itself when it was registered
 * ([OTA-HTTP §4, §5], [PAP §8.7]).  A table shared by all loops, in parts with a lock each, held for a copy only; its
 * size has a ceiling, beyond which the profile that was touched longest ago makes room.  Everything a terminal says is a
 * stranger's text: bounded, and used for nothing but sparing it what it would refuse, and for answering who asks. */
#ifndef OTA_PROFILE_H
#define OTA_PROFILE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

/* Lists are as in the header fields they came from: items separated by commas, "" when not said.  Zeroed: nothing
 * known. */
struct ota_profile {
    struct slice accept;      /* media types, X-Wap-Push-Accept */
    struct slice charsets;    /* X-Wap-Push-Accept-Charset */
    struct slice encodings;   /* X-Wap-Push-Accept-Encoding */
    struct slice languages;   /* X-Wap-Push-Accept-Language */
    struct slice app_ids;     /* X-Wap-Push-Accept-AppID */
    struct slice profile_url; /* Profile or X-Wap-Profile */
    struct slice tag;         /* X-Wap-CPITag: names this state of it */
    uint64_t size_max;        /* octets of content, X-Wap-Push-MsgSize; 0: not said */
    int64_t learnt_ms;        /* UTC; 0: configured, or nothing known */
    bool tls;                 /* it has called inside TLS: it can */
    bool known;
};

struct ota_profiles;
enum err ota_profiles_create(size_t terminals_max, struct ota_profiles **out) MUST_USE;
void ota_profiles_free(struct ota_profiles **p);
/* Replaces what the terminal said, but that it has TLS, which stays; texts are copied.  ERR_LIMIT: longer than OTA_PROFILE_MAX_N in all; ERR_NOMEM: the
 * old one is gone too.  Any thread. */
#define OTA_PROFILE_MAX_N 16384u
enum err ota_profiles_learn(struct ota_profiles *p, struct slice key,
                            const struct ota_profile *said) MUST_USE;
void ota_profiles_forget(struct ota_profiles *p, struct slice key);
/* What it said, copied into mem.  ERR_ABSENT; ERR_NOMEM.  Any thread. */
enum err ota_profiles_find(struct ota_profiles *p, struct slice key, struct arena *mem,
                           struct ota_profile *out) MUST_USE;
/* Its texts, for who treats them all alike. */
#define OTA_PROFILE_TEXTS 7u
void ota_profile_texts(struct ota_profile *p, struct slice *v[OTA_PROFILE_TEXTS]);
/* Are its texts within OTA_PROFILE_MAX_N in all? */
bool ota_profile_fits(const struct ota_profile *p);
/* One of two: the operator's word stands where there is one, field by field. */
struct ota_profile ota_profile_merge(const struct ota_profile *configured, const struct ota_profile *learnt);

/* Would it take this?  What is not known is taken. */
bool ota_profile_takes_type(const struct ota_profile *p, struct slice content_type);
bool ota_profile_takes_app(const struct ota_profile *p,
                           struct slice app_id); /* empty: the default application */
bool ota_profile_takes_size(const struct ota_profile *p, uint64_t content_n);

#endif
