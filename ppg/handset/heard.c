/* See heard.h. */
#include "ppg/handset/heard.h"

void tool_heard(const struct net_http_msg *m, struct tool_heard *out)
{
    size_t n = 0;

    for (; n < m->headers_n && n < TOOL_HEARD_HEADERS_MAX; n++)
        out->headers[n] = (struct kit_header){m->headers[n].name, m->headers[n].value};
    out->answer = (struct kit_heard){m->status, out->headers, n, m->body};
}

enum kit_login_word tool_login_heard(struct kit_login *l, const struct net_http_msg *m)
{
    struct tool_heard heard;

    tool_heard(m, &heard);
    return kit_login_heard(l, &heard.answer);
}
