/* The bearer for SIP on a loop of its own, before a scripted server, for tests of its parts. */
#ifndef TESTS_UNIT_AGENT_SIP_FIX_H
#define TESTS_UNIT_AGENT_SIP_FIX_H

#include <stdio.h>
#include <stdlib.h>

#include "ota/bearer.h"
#include "ota/sip/message.h"
#include "tests/unit/agent/agent_env.h"
#include "tests/unit/harness.h"
#include "tests/unit/sippeer.h"

#define JOBS_MAX 80
#define HEAD                                                                                                 \
    "Content-Type: text/plain\r\nX-Push-Message-ID: m-1\r\nX-Wap-Application-Id: "                           \
    "x-wap-application:mms.ua\r\n"

struct fix {
    struct netloop nl;
    struct ota_env env;
    void *bearer;
    struct sip_peer peer;
    struct ota_terminal terminal;
    char uri[96];
    struct ota_job jobs[JOBS_MAX];
    size_t order[JOBS_MAX]; /* which job ended as the n-th */
    size_t done;
    enum err why[JOBS_MAX];
    size_t closed;
};

static void on_done(struct ota_job *job, enum err why, void *arg)
{
    struct fix *f = arg;

    CU_ASSERT(job->attempt == NULL);
    f->why[job - f->jobs] = why;
    f->order[f->done++] = (size_t)(job - f->jobs);
}

static void on_closed(void *arg)
{
    ((struct fix *)arg)->closed++;
}

static void route(struct fix *f, const char *fmt, unsigned port)
{
    (void)snprintf(f->uri, sizeof f->uri, fmt, port);
    f->terminal.sip_uri = slice_str(f->uri);
}

static struct fix *fix_open(unsigned over, const char *uri, struct net_tls_ctx *server,
                            struct net_tls_ctx *client)
{
    struct fix *f = calloc(1, sizeof *f);

    CU_ASSERT_FATAL(f != NULL);
    netloop_open(&f->nl);
    f->env = agent_env(&f->nl.env);
    f->env.tls = client;
    sip_peer_open(&f->peer, &f->nl, over, server);
    f->peer.script[0] = "200 OK";
    f->terminal = (struct ota_terminal){.key = SLICE("sip:alice@127.0.0.1"), .route = OTA_ROUTE_SIP};
    route(f, uri, f->peer.port);
    CU_ASSERT_FATAL(ota_bearer_sip.create(&f->env, &f->bearer) == ERR_OK);
    return f;
}

static void fix_close(struct fix *f)
{
    ota_bearer_sip.close(f->bearer, on_closed, f);
    (void)netloop_until(&f->nl, &f->closed, 1);
    sip_peer_close(&f->peer);
    netloop_close(&f->nl);
    free(f);
}

#define UDP "sip:alice@127.0.0.1:%u"
#define TCP "sip:alice@127.0.0.1:%u;transport=tcp"

static enum err push_to(struct fix *f, size_t i, const struct ota_terminal *t, struct slice body)
{
    f->jobs[i] = (struct ota_job){.terminal = t,
                                  .message_head = SLICE(HEAD),
                                  .body = body,
                                  .authenticated = true,
                                  .trusted = true,
                                  .priority = 1,
                                  .push_id = SLICE("p")};
    return ota_bearer_sip.send(f->bearer, &f->jobs[i], on_done, f);
}

static enum err push(struct fix *f, size_t i, const char *body)
{
    return push_to(f, i, &f->terminal, slice_str(body));
}

static bool ended_as(const struct fix *f, size_t i, enum ota_outcome outcome, unsigned code)
{
    return agent_ended_as(&f->jobs[i], outcome, code);
}

static void push_and_wait(struct fix *f, size_t i)
{
    CU_ASSERT_EQUAL(push(f, i, "hello"), ERR_OK);
    (void)netloop_until(&f->nl, &f->done, i + 1);
}

#endif
