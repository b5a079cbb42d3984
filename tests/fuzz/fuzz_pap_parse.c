/* Any octets as a control entity, lenient and strict.  What is accepted prints, and the print is accepted and
 * prints the same again. */
#include <stdint.h>
#include "base/arena.h"
#include "base/buf.h"
#include "pap/parse.h"
#include "pap/print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void again(struct pap_parser *parser, const struct pap_limits *limits, const struct buf *first)
{
    struct pap_message m;
    struct pap_fault fault;
    struct arena arena;
    struct buf second;

    arena_init(&arena, 1024, 1 << 20);
    buf_init(&second, 1 << 20);
    MUST(pap_parse(parser, buf_slice(first), limits, &arena, &m, &fault) == ERR_OK);
    MUST(pap_print(&m, &second) == ERR_OK);
    MUST(slice_eq(buf_slice(first), buf_slice(&second)));
    buf_clear(&second);
    arena_clear(&arena);
}

static void once(struct pap_parser *parser, struct slice in, bool strict)
{
    struct pap_limits limits = PAP_LIMITS_DEFAULT, wide = PAP_LIMITS_DEFAULT;
    struct pap_message m = {0};
    struct pap_fault fault = {0};
    struct arena arena;
    struct buf text;

    limits.strict = strict;
    wide.control_max_n = 1 << 20; /* escapes make a document longer */
    arena_init(&arena, 1024, 1 << 20);
    buf_init(&text, 1 << 20);
    if (pap_parse(parser, in, &limits, &arena, &m, &fault)) {
        MUST(fault.code != PAP_CODE_NONE && fault.desc[0] != '\0' && m.kind == PAP_KIND_NONE);
    } else {
        MUST(fault.code == PAP_CODE_NONE && m.kind != PAP_KIND_NONE);
        MUST(pap_print(&m, &text) == ERR_OK);
        again(parser, &wide, &text);
    }
    buf_clear(&text);
    arena_clear(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct pap_parser *parser;

    MUST(pap_parser_create(&parser) == ERR_OK);
    once(parser, slice_of(data, n), false);
    once(parser, slice_of(data, n), true);
    pap_parser_free(&parser);
    return 0;
}
