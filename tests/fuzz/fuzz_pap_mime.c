/* A Content-Type, a line feed, a multipart body; then the headers and transfer encodings of what was split. */
#include <stdint.h>
#include "base/arena.h"
#include "pap/mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void inside(struct slice whole, struct slice part)
{
    MUST(part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

static void walk(const struct pap_part *part)
{
    struct slice headers = part->headers, value, octets;
    struct pap_header h;
    struct arena arena;
    struct buf work;
    enum err e;

    arena_init(&arena, 1024, 1 << 20);
    buf_init(&work, 1 << 20);
    while ((e = pap_mime_header_next(&headers, &arena, &h)) == ERR_OK)
        for (size_t i = 0; i < h.value.n; i++)
            MUST(h.value.p[i] != '\r' && h.value.p[i] != '\n' && h.value.p[i] != '\0');
    MUST(e == ERR_ABSENT);
    if (pap_mime_header_find(part->headers, SLICE("Content-Transfer-Encoding"), &arena, &value) == ERR_OK &&
        pap_mime_decode(value, part->body, &work, &octets) == ERR_OK)
        MUST(octets.n <= part->body.n);
    if (pap_mime_decode(SLICE("quoted-printable"), part->body, &work, &octets) == ERR_OK)
        MUST(octets.n <= part->body.n);
    buf_clear(&work);
    arena_clear(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct slice in = slice_of(data, n), type, body;
    struct pap_parts parts;
    const char *why = NULL;

    if (!slice_cut(in, '\n', &type, &body))
        return 0;
    for (int strict = 0; strict < 2; strict++) {
        if (pap_mime_split(type, body, strict, &parts, &why)) {
            MUST(why != NULL);
            continue;
        }
        MUST(parts.n == 2 || parts.n == 3);
        for (size_t i = 0; i < parts.n; i++) {
            inside(body, parts.part[i].headers);
            inside(body, parts.part[i].body);
            walk(&parts.part[i]);
        }
    }
    return 0;
}
