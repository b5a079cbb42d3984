/* Reading the vector files of tests/vectors/: the JSON tree, and its hexadecimal strings as octets.  A file or a
 * member that is missing ends the program: a vector test that finds no vectors proves nothing. */
#ifndef TESTS_UNIT_SECURITY_VECTORS_H
#define TESTS_UNIT_SECURITY_VECTORS_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/codec.h"
#include "tests/unit/harness.h"

#define VECTOR_MAX_N 4096 /* octets of one value */

struct octets {
    uint8_t p[VECTOR_MAX_N];
    size_t n;
};

static inline json_t *vectors_load(const char *file)
{
    char path[128];
    size_t n;
    char *text;
    json_t *tree;

    (void)snprintf(path, sizeof path, "vectors/%s", file);
    text = test_read(path, &n);
    tree = json_loadb(text, n, 0, NULL);
    free(text);
    MUST(tree);
    return tree;
}

static inline json_t *vectors_list(json_t *tree, const char *member)
{
    json_t *list = json_object_get(tree, member);

    MUST(json_is_array(list) && json_array_size(list) > 0);
    return list;
}

static inline struct slice vector_text(json_t *row, const char *member)
{
    json_t *v = json_object_get(row, member);

    MUST(json_is_string(v));
    return slice_of(json_string_value(v), json_string_length(v));
}

static inline uint32_t vector_u32(json_t *row, const char *member)
{
    json_t *v = json_object_get(row, member);

    MUST(json_is_integer(v));
    return (uint32_t)json_integer_value(v);
}

static inline struct slice octets_of(struct slice hex, struct octets *o)
{
    o->n = hex.n / 2;
    MUST(o->n <= sizeof o->p && codec_unhex(hex, o->p, o->n) == ERR_OK);
    return slice_of(o->p, o->n);
}

static inline struct slice vector_octets(json_t *row, const char *member, struct octets *o)
{
    return octets_of(vector_text(row, member), o);
}

#endif
