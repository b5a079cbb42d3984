/* auth-param = token BWS "=" BWS ( token / quoted-string )   (RFC 9110 §11.2).  Any thread. */
#include "security/login/digest_params.h"

#include "base/scan.h"
#include "security/login/digest.h"

#define NAME_MAX_N 64

static const char *const names[SEC_PARAM_COUNT] = {
#define PARAM_NAME(name, text) [SEC_PARAM_##name] = text,
    SEC_PARAM_LIST(PARAM_NAME)
#undef PARAM_NAME
};

enum err sec_params_add(struct sec_params *p, struct slice item)
{
    struct scan s = scan_of(item);
    struct slice name = scan_token(&s, NAME_MAX_N);
    struct slice value;

    scan_lws(&s, 0);
    scan_ch(&s, '=');
    scan_lws(&s, 0);
    value = scan_token_or_quoted(&s, SEC_DIGEST_VALUE_MAX_N);
    scan_lws(&s, 0);
    scan_end(&s);
    if (s.err)
        return s.err;
    for (size_t i = 0; i < SEC_PARAM_COUNT; i++) {
        if (!slice_eq_ci(name, slice_str(names[i])))
            continue;
        if (p->has[i] || slice_find(value, '\\') < value.n)
            return ERR_MALFORMED;
        p->has[i] = true;
        p->value[i] = value;
    }
    return ERR_OK;
}

enum err sec_params_parse(struct slice list, struct sec_params *out)
{
    struct sec_params v = {.has = {false}};
    struct slice item;

    if (list.n > SEC_DIGEST_HEADER_MAX_N)
        return ERR_LIMIT;
    while (slice_item(&list, &item)) {
        enum err e = sec_params_add(&v, item);

        if (e)
            return e;
    }
    *out = v;
    return ERR_OK;
}

bool sec_param_quotable(struct slice value)
{
    for (size_t i = 0; i < value.n; i++) {
        unsigned char ch = (unsigned char)value.p[i];

        if (ch < 0x20 || ch == 0x7f || ch == '"' || ch == '\\')
            return false;
    }
    return true;
}
