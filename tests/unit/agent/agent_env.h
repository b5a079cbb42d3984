/* What every test of the bearer for SIP begins with: an environment in which nothing ends by itself, and the words for what came of a
 * job.  Each test program is one file, so everything here is static inline. */
#ifndef TESTS_UNIT_AGENT_AGENT_ENV_H
#define TESTS_UNIT_AGENT_AGENT_ENV_H

#include <stdio.h>
#include "ota/bearer.h"
#include "ota/sip/message.h"

static inline struct ota_env agent_env(const struct net_env *net)
{
    return (struct ota_env){.net = net,
                            .product = SLICE("test"),
                            .connect_ms = 5000,
                            .sip = {.identity = SLICE("sip:push@ppg.example"),
                                    .app_tag = SLICE(OTA_SIP_APP_TAG),
                                    .hops_max = 8,
                                    .transactions_max = 64,
                                    .idle_ms = 60000,
                                    .sessions_max = 8,
                                    .ring_ms = 60000,
                                    .report_ms = 120000,
                                    .session_idle_ms = 60000}};
}

/* Says on failure what it ended as instead. */
static inline bool agent_ended_as(const struct ota_job *job, enum ota_outcome outcome, unsigned code)
{
    bool as = job->result.outcome == outcome && job->result.code == code;

    if (!as)
        (void)fprintf(stderr, "outcome %d code %u: %s\n", job->result.outcome, job->result.code,
                      job->result.note);
    return as;
}

#endif
