/* Choosing the form of a content; see content.h. */
#include "ppg/content.h"

#include "base/codec.h"
#include "base/net/http1.h"
#include "ota/headers.h"
#include "ota/wbxml.h"
#include "pap/mime.h"

struct ppg_content ppg_content_plain(const struct ppg_push *push)
{
    return (struct ppg_content){.type = push->content_type, .body = push->body};
}

bool ppg_content_type_good(struct slice type)
{
    struct pap_media media;

    return type.n && slice_printable_n(type) == type.n && !pap_media_parse(type, true, &media);
}

/* [PAP §9]: a Cache-Control: no-transform among the headers, in any of several. */
static bool may_transform(const struct ppg_push *push)
{
    struct slice lines = push->headers, name, value, item;
    bool bad = false;

    while (ota_header_next(&lines, &name, &value, &bad)) {
        if (!slice_eq_ci(name, SLICE("Cache-Control")))
            continue;
        while (slice_item(&value, &item))
            if (slice_eq_ci(item, SLICE("no-transform")))
                return false;
    }
    return true;
}

/* `made` once holds the octets for all terminals of a push. */
static enum err tokenise(const struct ppg_push *push, struct buf *made, struct ppg_content *out)
{
    enum err e = made->n ? ERR_OK : ota_wbxml_from_text(push->content_type, push->body, made);

    if (e)
        buf_reset(made, PPG_CONTENT_MADE_MAX_N);
    else
        *out = (struct ppg_content){
            .type = ota_wbxml_type(push->content_type), .body = buf_slice(made), .transformed = true};
    return e;
}

bool ppg_content_other(const struct ppg_push *push, const struct ota_profile *profile, struct buf *made,
                       struct ppg_content *out)
{
    struct slice type = ota_wbxml_type(push->content_type);
    struct ppg_content tokenised;

    if (!type.n || !ota_profile_takes_type(profile, type) || !may_transform(push) ||
        tokenise(push, made, &tokenised) || !ota_profile_takes_size(profile, tokenised.body.n))
        return false;
    *out = tokenised;
    return true;
}

enum err ppg_content_place(const struct ppg_push *push, const struct ppg_content *form,
                           struct ppg_content_place *out)
{
    struct ppg_content_place at = {
        .type = form->type, .size = form->body.n, .until_s = push->expires_ms / 1000};
    enum err e = sec_sha1(form->body, at.sha1);

    if (!e)
        *out = at;
    return e;
}

enum err ppg_content_notice(const struct ppg_content_place *at, struct buf *made, struct ppg_content *out)
{
    size_t type_n;

    buf_addf(made, "message/external-body; access-type=URL; URL=\"%.*s\"; expiration=\"", SLICE_FMT(at->url));
    net_http_print_date_value(made, at->until_s);
    buf_addf(made, "\"; size=%llu; hash=", (unsigned long long)at->size);
    codec_hex(made, slice_of(at->sha1, sizeof at->sha1));
    type_n = made->n;
    buf_addf(made, "Content-Type: %.*s\r\nContent-ID: <%.*s@%.*s>\r\nContent-Length: %llu\r\n\r\n",
             SLICE_FMT(at->type), SLICE_FMT(at->id), SLICE_FMT(at->host), (unsigned long long)at->size);
    if (buf_err(made))
        return buf_err(made);
    *out = (struct ppg_content){.type = slice_of(made->p, type_n),
                                .body = slice_sub(buf_slice(made), type_n, SIZE_MAX),
                                .notice = true};
    return ERR_OK;
}

static enum pap_code refuse(enum pap_code code, const char **why, const char *text)
{
    *why = text;
    return code;
}

static enum pap_code choose_tokenised(const struct ppg_push *push, const struct ota_profile *profile,
                                      struct buf *made, struct ppg_content *out, const char **why)
{
    struct ppg_content tokenised;
    enum err e;

    if (!may_transform(push))
        return refuse(PAP_CODE_CAPABILITIES_NOT_SUPPORTED, why,
                      "the terminal takes the content tokenised only, which no-transform forbids");
    e = tokenise(push, made, &tokenised);
    if (e == ERR_NOMEM)
        return refuse(PAP_CODE_INTERNAL_ERROR, why, "out of memory");
    if (e)
        return refuse(PAP_CODE_TRANSFORMATION_FAILURE, why,
                      "the content cannot be brought to the form that the terminal takes");
    if (!ota_profile_takes_size(profile, tokenised.body.n))
        return refuse(PAP_CODE_CAPABILITIES_NOT_SUPPORTED, why, "content is larger than the terminal takes");
    *out = tokenised;
    return PAP_CODE_OK;
}

enum pap_code ppg_content_choose(const struct ppg_push *push, const struct ota_profile *profile, bool narrow,
                                 struct buf *made, struct ppg_content *out, const char **why)
{
    bool type = ota_profile_takes_type(profile, push->content_type);
    bool size = ota_profile_takes_size(profile, push->body.n);
    struct slice tokenised = ota_wbxml_type(push->content_type);

    if (!ota_profile_takes_app(profile, push->app_id))
        return refuse(PAP_CODE_CAPABILITIES_NOT_SUPPORTED, why,
                      "the terminal does not serve the application");
    if (narrow && !profile->accept.n && ppg_content_other(push, profile, made, out))
        return PAP_CODE_OK;
    if (type && size) {
        *out = ppg_content_plain(push);
        return PAP_CODE_OK;
    }
    if (tokenised.n && profile->accept.n && ota_profile_takes_type(profile, tokenised))
        return choose_tokenised(push, profile, made, out, why);
    return refuse(PAP_CODE_CAPABILITIES_NOT_SUPPORTED, why,
                  type ? "content is larger than the terminal takes"
                       : "the terminal does not take the content type");
}
