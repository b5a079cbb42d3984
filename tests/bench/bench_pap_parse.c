/* Parses of a 600-octet control entity a second: pap_parse() against a bare libxml2 SAX2 pass over a reused
 * context with empty handlers.  Both in one run, in turns, median of the rounds. */
#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "base/arena.h"
#include "pap/parse.h"

#define ROUNDS 15
#define DOCS   10000

static const char doc[] =
    "<?xml version=\"1.0\"?>\n"
    "<!DOCTYPE pap PUBLIC \"-//WAPFORUM//DTD PAP 2.0//EN\" \"http://www.wapforum.org/DTD/pap_2.0.dtd\">\n"
    "<pap product-name=\"DemoPI/1.0\">\n"
    "  <push-message push-id=\"20240501-0001@news.example.com\" "
    "deliver-before-timestamp=\"2024-05-02T00:00:00Z\"\n"
    "      source-reference=\"News\" ppg-notify-requested-to=\"https://pi.example.com/pap-notify\">\n"
    "    <address address-value=\"WAPPUSH=+15550100/TYPE=PLMN@ppg.example.net\"/>\n"
    "    <address address-value=\"WAPPUSH=alice%40example.com/TYPE=USER@ppg.example.net\"/>\n"
    "    <quality-of-service priority=\"high\" delivery-method=\"confirmed\"/>\n"
    "  </push-message>\n</pap>\n";

static double now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void ours(struct pap_parser *parser, struct arena *arena)
{
    struct pap_limits limits = PAP_LIMITS_DEFAULT;
    struct pap_message m;
    struct pap_fault fault;

    for (int i = 0; i < DOCS; i++) {
        MUST(pap_parse(parser, slice_of(doc, sizeof doc - 1), &limits, arena, &m, &fault) == ERR_OK);
        arena_reset(arena);
    }
}

static void peer_start(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int ns_n,
                       const xmlChar **ns, int attrs_n, int defaulted_n, const xmlChar **attrs)
{
    (void)arg, (void)name, (void)prefix, (void)uri, (void)ns_n, (void)ns, (void)attrs_n, (void)defaulted_n;
    (void)attrs;
}

static void peer_end(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    (void)arg, (void)name, (void)prefix, (void)uri;
}

static void peer(xmlParserCtxtPtr ctxt)
{
    for (int i = 0; i < DOCS; i++) {
        MUST(xmlCtxtResetPush(ctxt, NULL, 0, NULL, NULL) == 0);
        MUST(xmlParseChunk(ctxt, doc, (int)sizeof doc - 1, 1) == 0);
    }
}

int main(void)
{
    xmlSAXHandler sax = {
        .initialized = XML_SAX2_MAGIC, .startElementNs = peer_start, .endElementNs = peer_end};
    double ours_s[ROUNDS], peer_s[ROUNDS];
    struct pap_parser *parser;
    xmlParserCtxtPtr ctxt;
    struct arena arena;

    MUST(pap_parser_create(&parser) == ERR_OK);
    ctxt = xmlCreatePushParserCtxt(&sax, NULL, NULL, 0, NULL);
    MUST(ctxt != NULL);
    arena_init(&arena, 4096, 1 << 20);
    for (int r = 0; r < ROUNDS; r++) {
        double t0 = now_s(), t1;

        ours(parser, &arena);
        t1 = now_s();
        peer(ctxt);
        ours_s[r] = t1 - t0;
        peer_s[r] = now_s() - t1;
    }
    qsort(ours_s, ROUNDS, sizeof ours_s[0], by_value);
    qsort(peer_s, ROUNDS, sizeof peer_s[0], by_value);
    (void)printf("bench pap_parse ours=%.0f peer=%.0f ratio=%.2f\n", DOCS / ours_s[ROUNDS / 2],
                 DOCS / peer_s[ROUNDS / 2], peer_s[ROUNDS / 2] / ours_s[ROUNDS / 2]);
    arena_clear(&arena);
    pap_parser_free(&parser);
    xmlFreeParserCtxt(ctxt);
    xmlCleanupParser();
    return 0;
}
