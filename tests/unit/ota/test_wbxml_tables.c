/* The token tables: types, value tokens, and that the rows fit together. */
#include "ota/wbxml_tables.h"

#include "tests/unit/harness.h"

static const char *const types[] = {"text/vnd.wap.si", "text/vnd.wap.sl", "text/vnd.wap.co"};

static void types_are_found(void)
{
    static const struct {
        const char *in;
        unsigned public_id; /* 0: none */
    } rows[] = {
        {"text/vnd.wap.si", 5},
        {"TEXT/VND.WAP.SL ;charset=utf-8", 6},
        {" text/vnd.wap.co; a=b; c=d", 7},
        {"text/vnd.wap.wml", 0},
        {"text/vnd.wap.s", 0},
        {"text/vnd.wap.six", 0},
        {"text/vnd.wap.si charset=utf-8", 0},
        {"application/vnd.wap.sic", 0},
        {"", 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct ota_wbxml_vocab *v = ota_wbxml_vocab_find(slice_str(rows[i].in));

        test_row(i);
        CU_ASSERT_EQUAL(v ? v->public_id : 0u, rows[i].public_id);
    }
}

static void value_tokens(void)
{
    static const struct {
        const char *in;
        unsigned want;
    } rows[] = {
        {".com/", 0x85}, {".edu/a", 0x86}, {".net/.com/", 0x87}, {".org//", 0x88}, {".com", 0},
        {"a.com/", 0},   {".COM/", 0},     {".co/", 0},          {"", 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t n = 0;

        test_row(i);
        CU_ASSERT_EQUAL(ota_wbxml_value_token(slice_str(rows[i].in), &n), rows[i].want);
        CU_ASSERT_EQUAL(n, rows[i].want ? 5u : 0u);
    }
}

static const struct ota_wbxml_elem *by_token(const struct ota_wbxml_vocab *v, unsigned token)
{
    for (size_t i = 0; i < v->elems_n; i++)
        if (v->elems[i].token == token)
            return &v->elems[i];
    return NULL;
}

static void check_attrs(const struct ota_wbxml_elem *e)
{
    bool required = e->required == NULL;

    for (size_t i = 0; i < e->attrs_n; i++) {
        const struct ota_wbxml_attr *a = &e->attrs[i];

        CU_ASSERT(a->token >= 5 && a->token < 0x40); /* attribute starts of code page 0 */
        for (size_t k = 0; k < i; k++) {
            bool same = strcmp(a->name, e->attrs[k].name) == 0;

            CU_ASSERT(a->token != e->attrs[k].token);
            CU_ASSERT(!same || a->type == e->attrs[k].type);
            CU_ASSERT(!same || strcmp(a->value, e->attrs[k].value) != 0);
        }
        required = required || strcmp(a->name, e->required) == 0;
    }
    CU_ASSERT(required);
}

static void rows_fit_together(void)
{
    for (size_t i = 0; i < COUNT(types); i++) {
        const struct ota_wbxml_vocab *v = ota_wbxml_vocab_find(slice_str(types[i]));

        test_row(i);
        CU_ASSERT_FATAL(v != NULL);
        CU_ASSERT_EQUAL(v->elems[0].parent, 0);
        for (size_t k = 0; k < v->elems_n; k++) {
            const struct ota_wbxml_elem *e = &v->elems[k];
            size_t depth = 1;

            CU_ASSERT(e->token >= 5 && e->token < 0x40);
            CU_ASSERT(by_token(v, e->token) == e);
            CU_ASSERT((e->parent == 0) == (k == 0));
            check_attrs(e);
            for (const struct ota_wbxml_elem *up = e; up->parent; depth++) {
                up = by_token(v, up->parent);
                CU_ASSERT_FATAL(up && up->content == OTA_WBXML_ELEMENTS);
            }
            CU_ASSERT(depth <= OTA_WBXML_DEPTH_MAX);
        }
    }
}

const struct test_case test_cases[] = {
    {"types_are_found", types_are_found},
    {"value_tokens", value_tokens},
    {"rows_fit_together", rows_fit_together},
    {NULL, NULL},
};
