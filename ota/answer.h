/* What a terminal's answer to a push means: X-Wap-Push-Status or, where there is none, the HTTP status, to outcome
 * and PAP code.  Tables only.  [OTA-HTTP §7.2], [PAP §6].  Any thread. */
#ifndef OTA_ANSWER_H
#define OTA_ANSWER_H

#include "base/net/http1.h"
#include "ota/bearer.h"

enum ota_step {
    OTA_STEP_DONE,     /* the result is final for this attempt */
    OTA_STEP_REGISTER, /* the tag is stale and the content was not taken: register, then send again, once */
    OTA_STEP_LOGIN,    /* prove who we are and send again, once */
};

struct ota_answer {
    enum ota_step step;
    enum ota_outcome outcome; /* with DONE */
    unsigned code;            /* PAP code */
    const char *note;         /* static */
    bool register_again;      /* the terminal broke the protocol: register before the next push */
    bool unusable;            /* nobody at this route takes pushes */
};

/* push_status as ota_push_status() gives it; has_tag: an X-Wap-CPITag came with it. */
struct ota_answer ota_answer_push(unsigned http_status, unsigned push_status, bool has_tag);
/* For an answer without X-Wap-Push-Status that is not a success, to any request. */
struct ota_answer ota_answer_http(unsigned http_status);

#endif
