/* The encoders of datagrams as a program, for integration/test_wsp.py.
 *     wsp_driver push TID < LINES CRLF CONTENT > DATAGRAM
 *     wsp_driver read < DATAGRAM > LINES CRLF CONTENT
 *     wsp_driver sia APP ADDRESS:PORT [CPITAG [PROVURL]] > CONTENT      APP "-": none
 * Prints the name of the error otherwise, and its exit status is 1. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/buf.h"
#include "ota/sia.h"
#include "ota/wsp.h"

#define IN_MAX_N 65536

static enum err print_push(const char *tid, struct slice in, struct buf *out)
{
    size_t end = slice_find_slice(in, SLICE("\r\n\r\n"));

    if (end == SIZE_MAX)
        return ERR_MALFORMED;
    return ota_wsp_push_print((uint8_t)strtoul(tid, NULL, 10), slice_sub(in, 0, end + 2),
                              slice_sub(in, end + 4, in.n), out);
}

static enum err read_push(struct slice in, struct buf *out)
{
    struct ota_wsp_push p;
    enum err e = ota_wsp_push_parse(in, out, &p);

    if (e)
        return e;
    buf_add(out, SLICE("\r\n"));
    buf_add(out, p.content);
    return buf_err(out);
}

static enum err print_sia(int argc, char **argv, struct buf *out)
{
    struct ota_sia sia = {.apps = {slice_str(argv[2])}, .contacts_n = 1};
    struct ota_sia_contact *c = &sia.contacts[0];
    struct slice host, port;
    struct in_addr v4;
    char text[32];

    if (!slice_cut(slice_str(argv[3]), ':', &host, &port))
        return ERR_MALFORMED;
    (void)snprintf(text, sizeof text, "%.*s", SLICE_FMT(host));
    if (inet_pton(AF_INET, text, &v4) != 1)
        return ERR_MALFORMED;
    *c = (struct ota_sia_contact){.with_bearer = true,
                                  .bearer = OTA_SIA_GPRS,
                                  .port = (uint16_t)strtoul(port.p, NULL, 10),
                                  .address = slice_of(&v4, sizeof v4)};
    sia.apps_n = slice_eq(sia.apps[0], SLICE("-")) ? 0 : 1;
    c->with_tag = argc > 4 && ota_sia_tag(slice_str(argv[4]), c->tag);
    sia.prov_url = argc > 5 ? slice_str(argv[5]) : SLICE_NONE;
    return ota_sia_print(&sia, out);
}

int main(int argc, char **argv)
{
    static char in[IN_MAX_N];
    struct slice what = slice_str(argc > 1 ? argv[1] : "");
    enum err e = ERR_UNSUPPORTED;
    struct buf out;
    size_t n;

    buf_init(&out, 2 * IN_MAX_N);
    n = fread(in, 1, sizeof in, stdin);
    if (argc == 3 && slice_eq(what, SLICE("push")))
        e = print_push(argv[2], slice_of(in, n), &out);
    else if (argc == 2 && slice_eq(what, SLICE("read")))
        e = read_push(slice_of(in, n), &out);
    else if (argc >= 4 && slice_eq(what, SLICE("sia")))
        e = print_sia(argc, argv, &out);
    if (e)
        (void)fprintf(stderr, "%s\n", err_name(e));
    else if (fwrite(out.p, 1, out.n, stdout) != out.n)
        e = ERR_IO;
    buf_clear(&out);
    return e ? 1 : 0;
}
