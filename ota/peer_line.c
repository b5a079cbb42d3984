/* What an operator is told of a terminal's connection over OTA-HTTP; see peer.h.  One loop. */
#include "ota/peer.h"

#include "ota/proof.h"

/* A terminal that the gateway connects to proves itself by its certificate, which must bear the name of its route. */
static void of_route(const struct ota_peer *p, struct ota_line *line)
{
    line->proof = p->tls ? "certificate" : "nothing";
    line->identity = p->terminal_id;
}

static void of_call(const struct ota_peer *p, struct ota_line *line)
{
    line->proof = p->call->proof;
    line->identity = ota_proof_identity(p->terminal);
}

void ota_peer_line(const struct ota_peer *p, ota_line_fn *fn, void *arg)
{
    struct ota_line line = {.address = p->address,
                            .called = p->called,
                            .tls = p->tls,
                            .registered = p->registered,
                            .from = net_httpc_address(p->conn),
                            .since_ms = p->since_ms,
                            .waiting = p->waiting_n,
                            .flying = p->flying_n,
                            .tag = ota_cpi_tag(&p->cpi)};

    if (p->called)
        of_call(p, &line);
    else
        of_route(p, &line);
    fn(&line, arg);
}
