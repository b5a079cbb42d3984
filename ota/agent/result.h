/* What a final SIP status means for a push: whether something else can be done within the attempt, and what comes of it
 * when not.  A status nobody has heard of counts as the x00 of its class (RFC 3261 §8.1.3.2).  Any thread. */
#ifndef OTA_AGENT_RESULT_H
#define OTA_AGENT_RESULT_H

#include "ota/bearer.h"

enum ota_sip_next {
    OTA_SIP_END,        /* the outcome stands */
    OTA_SIP_LOGIN,      /* answer the challenge, once */
    OTA_SIP_AGREE,      /* agree on security with the next hop */
    OTA_SIP_OTHER_FORM, /* content itself instead of the envelope, once */
    OTA_SIP_MOVED,      /* follow Contact */
    OTA_SIP_ELSEWHERE,  /* the next address of the name, then the user's next device */
    OTA_SIP_NOT_THERE,  /* the next device of who has registered here */
    OTA_SIP_GONE,       /* the same, and this one is registered no more */
};

struct ota_sip_verdict {
    enum ota_sip_next next;
    enum ota_outcome outcome; /* when there is no next */
    unsigned code;            /* of PAP */
    const char *note;         /* static */
};

/* Of a final response.  confirmed: the push must be known to have reached the application. */
struct ota_sip_verdict ota_sip_verdict(unsigned status, bool confirmed);

#endif
