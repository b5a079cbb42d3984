/* Service indications of 300 octets tokenised a second: ota_wbxml_from_text() against a bare libxml2 SAX2 pass with
 * empty handlers, each with a context of its own a document.  Both in one run, in turns, median of the rounds. */
#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "base/buf.h"
#include "ota/wbxml.h"

#define ROUNDS 15
#define DOCS   5000

static const char doc[] =
    "<?xml version=\"1.0\"?>\n"
    "<!DOCTYPE si PUBLIC \"-//WAPFORUM//DTD SI 1.0//EN\" \"http://www.wapforum.org/DTD/si.dtd\">\n"
    "<si>\n  <indication href=\"http://www.example.com/mail/1\" si-id=\"1@example.com\" "
    "action=\"signal-high\"\n"
    "      created=\"2024-05-01T12:00:00Z\" si-expires=\"2024-05-02T00:00:00Z\">4 new messages</indication>\n"
    "</si>\n";

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

static void ours(struct buf *out)
{
    for (int i = 0; i < DOCS; i++) {
        buf_reset(out, 1024);
        MUST(ota_wbxml_from_text(SLICE("text/vnd.wap.si"), slice_of(doc, sizeof doc - 1), out) == ERR_OK);
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

static void peer(void)
{
    xmlSAXHandler sax = {
        .initialized = XML_SAX2_MAGIC, .startElementNs = peer_start, .endElementNs = peer_end};

    for (int i = 0; i < DOCS; i++) {
        xmlParserCtxtPtr ctxt = xmlCreatePushParserCtxt(&sax, NULL, NULL, 0, NULL);

        MUST(ctxt != NULL && xmlParseChunk(ctxt, doc, (int)sizeof doc - 1, 1) == 0);
        xmlFreeParserCtxt(ctxt);
    }
}

int main(void)
{
    double ours_s[ROUNDS], peer_s[ROUNDS];
    struct buf out;

    buf_init(&out, 1024);
    for (int r = 0; r < ROUNDS; r++) {
        double t0 = now_s(), t1;

        ours(&out);
        t1 = now_s();
        peer();
        ours_s[r] = t1 - t0;
        peer_s[r] = now_s() - t1;
    }
    qsort(ours_s, ROUNDS, sizeof ours_s[0], by_value);
    qsort(peer_s, ROUNDS, sizeof peer_s[0], by_value);
    (void)printf("bench wbxml ours=%.0f peer=%.0f ratio=%.2f\n", DOCS / ours_s[ROUNDS / 2],
                 DOCS / peer_s[ROUNDS / 2], peer_s[ROUNDS / 2] / ours_s[ROUNDS / 2]);
    buf_clear(&out);
    xmlCleanupParser();
    return 0;
}
