/* A push submission as an initiator writes it: the control entity, the content and perhaps the capabilities it assumes,
 * in one multipart/related body.  [PAP §3.1, §4, §9]; for pap-push.  Pure: bytes out, no files, no clock.  One thread. */
#ifndef PPG_TOOL_SUBMIT_H
#define PPG_TOOL_SUBMIT_H

#include "pap/message.h"
#include "ppg/tool/tool.h"

/* Texts are NULL when not given. */
struct tool_submit {
    const char *push_id;
    const char *replace_id;     /* the push that this one takes the place of */
    const char *replace_method; /* all, pending-only */
    struct pap_addrs to;        /* as PAP spells them */
    const char *app_id;
    const char *type; /* of the content */
    const char *initiator_uri;
    const struct tool_list *headers; /* "Name: value" of the content entity */
    const char *protection;          /* none, integrity, full */
    const char *priority;
    const char *method;
    const char *network;
    const char *bearer;
    bool network_required;
    bool bearer_required;
    const char *after;
    const char *before;
    const char *notify;
    const char *source_ref;
    bool progress;
    const char *version; /* 1.0, 2.0, 2.1 */
    struct slice content;
    struct slice capabilities; /* p NULL: none */
    int64_t now_s;
    const char *boundary; /* does not occur in content and capabilities */
};

/* Prints the body and the value of its Content-Type.  ERR_MALFORMED: a text is not what it should be; ERR_LIMIT,
 * ERR_NOMEM.  why[] says which. */
enum err tool_submit_print(const struct tool_submit *in, struct buf *type, struct buf *body,
                           char why[TOOL_WHY_N]) MUST_USE;
/* The number of "1.0", "2.0" or "2.1"; ERR_MALFORMED with why[]. */
enum err tool_pap_version(const char *text, enum pap_version *out, char why[TOOL_WHY_N]) MUST_USE;

#endif
