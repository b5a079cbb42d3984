/* Content that a push does not carry but says where it lies (message/external-body, RFC 2046 §5.2.3, RFC 2017, RFC 4483): fetched from
 * the terminal's own inbox, one item after the other, and from nowhere else, whatever a push says.  For push-terminal; one
 * thread. */
#ifndef PPG_HANDSET_FOLLOW_H
#define PPG_HANDSET_FOLLOW_H

#include "ota/terminal/kit.h"
#include "ppg/handset/home.h"
#include "ppg/handset/inbox.h"

struct tool_follow;
struct tool_follow_conf {
    const struct net_env *env;
    const struct tool_home *inbox; /* outlives it */
    bool md5;                      /* as struct tool_inbox_conf has these */
    struct slice protection;
    size_t max_n;
    tool_inbox_item_fn *got;
    void (*idle)(void *arg); /* nothing is under way any more */
    void *arg;
};

/* Copies conf.  ERR_MALFORMED, ERR_IO, ERR_NOMEM with why[]. */
enum err tool_follow_create(const struct tool_follow_conf *conf, struct tool_follow **out,
                            char why[TOOL_WHY_N]) MUST_USE;
/* A push of this type: true when its content lies in the inbox; got() is told of it once it is here.  False also when too
 * many are waiting, when it is there no more (expiration) or larger than max_n: it stays there. */
bool tool_follow_push(struct tool_follow *f, struct slice content_type);
/* What was said of what is being fetched; good until it is there. */
const struct kit_expected *tool_follow_expected(const struct tool_follow *f);
struct slice tool_follow_host(const struct tool_follow *f);
/* Fetches no more; NULL is fine. */
void tool_follow_close(struct tool_follow *f);
/* After that, once its loop has run out; NULL is fine. */
void tool_follow_free(struct tool_follow **f);

#endif
