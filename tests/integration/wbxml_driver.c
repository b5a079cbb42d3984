/* The tokeniser as a program: wbxml_driver CONTENT-TYPE < TEXT > WBXML.  Prints the name of the error otherwise, and
 * its exit status is 1. */
#include <stdio.h>
#include "base/buf.h"
#include "ota/wbxml.h"

int main(int argc, char **argv)
{
    static char text[OTA_WBXML_TEXT_MAX_N + 1];
    struct buf out;
    enum err e;
    size_t n;

    if (argc != 2)
        return 2;
    n = fread(text, 1, sizeof text, stdin);
    buf_init(&out, 2 * OTA_WBXML_TEXT_MAX_N);
    e = ota_wbxml_from_text(slice_str(argv[1]), slice_of(text, n), &out);
    if (e)
        (void)fprintf(stderr, "%s\n", err_name(e));
    else if (fwrite(out.p, 1, out.n, stdout) != out.n)
        e = ERR_IO;
    buf_clear(&out);
    return e ? 1 : 0;
}
