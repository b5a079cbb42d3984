/* What an initiator asks about a push it submitted, or about a terminal, as a PAP document; and any answer of a gateway
 * taken apart.  [PAP §2, §3.2, §8.3, §8.4, §8.7]; for pap-push.  Pure: bytes in and out.  One thread. */
#ifndef PPG_TOOL_QUERY_H
#define PPG_TOOL_QUERY_H

#include "base/arena.h"
#include "pap/message.h"
#include "ppg/tool/tool.h"

struct tool_query {
    enum pap_kind kind;  /* cancel-message, statusquery-message or ccq-message */
    const char *id;      /* push-id, or query-id */
    const char *app_id;  /* ccq-message: application asked about; NULL: none named */
    struct pap_addrs to; /* as PAP spells them; none: all recipients */
    const char *version; /* 1.0, 2.0, 2.1 */
};

/* Prints the document.  ERR_MALFORMED: a text is not what it should be, ERR_LIMIT, ERR_NOMEM, with why[]. */
enum err tool_query_print(const struct tool_query *in, struct buf *body, char why[TOOL_WHY_N]) MUST_USE;

struct tool_answer {
    struct pap_message message;
    struct slice capabilities; /* what came with it, its transfer encoding undone; p NULL: nothing */
};

/* The PAP document in a body of that Content-Type: alone, or the first part of a multipart/related.  All of *out lives
 * in `body`, `work` or `mem`.  ERR_MALFORMED, ERR_LIMIT, ERR_UNSUPPORTED, ERR_NOMEM with why[]. */
enum err tool_answer_read(struct slice content_type, struct slice body, struct arena *mem, struct buf *work,
                          struct tool_answer *out, char why[TOOL_WHY_N]) MUST_USE;

#endif
