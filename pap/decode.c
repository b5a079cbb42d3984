/* See pap/decode.h.  One of the files that include libxml2. */
#include "pap/decode.h"

#include <libxml/encoding.h>

static const char *decoder_name(enum pap_charset charset)
{
    switch (charset) {
    case PAP_CHARSET_ASCII:
        return "ASCII";
    case PAP_CHARSET_LATIN1:
        return "ISO-8859-1";
    case PAP_CHARSET_UTF16LE:
        return "UTF-16LE";
    case PAP_CHARSET_UTF16BE:
        return "UTF-16BE";
    default:
        return NULL;
    }
}

/* Whole at once; none of the decoders makes more than two octets of one. */
static enum err decode_with(xmlCharEncodingHandlerPtr decoder, struct slice in, struct buf *work)
{
    int in_n = (int)in.n, out_n = in_n * 2 + 8;
    char *to;

    buf_clear(work);
    buf_init(work, (size_t)out_n);
    to = buf_room(work, (size_t)out_n);
    if (!to)
        return ERR_NOMEM;
    if (decoder->input((unsigned char *)to, &out_n, (const unsigned char *)in.p, &in_n) < 0 ||
        (size_t)in_n != in.n)
        return ERR_MALFORMED;
    buf_commit(work, (size_t)out_n);
    return ERR_OK;
}

enum err pap_decode(enum pap_charset charset, struct slice in, struct buf *work, struct slice *out)
{
    const char *name = decoder_name(charset);
    xmlCharEncodingHandlerPtr decoder = name ? xmlFindCharEncodingHandler(name) : NULL;
    enum err e = ERR_UNSUPPORTED;

    if (charset == PAP_CHARSET_UTF8) {
        *out = in;
        return ERR_OK;
    }
    if (decoder && decoder->input)
        e = decode_with(decoder, in, work);
    if (decoder)
        (void)xmlCharEncCloseFunc(decoder);
    if (!e)
        *out = buf_slice(work);
    return e;
}
