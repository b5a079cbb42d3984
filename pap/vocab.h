/* The vocabulary of PAP as data: element, attribute and code tables that parser and printer share, and the
 * words of the enums of pap/message.h.  Not a parser.
 * Specification: PAP 1.0 to 2.1 and their DTDs.  Everything is const; any thread. */
#ifndef PAP_VOCAB_H
#define PAP_VOCAB_H

#include "base/err.h"
#include "pap/message.h"

/* Name of a code.  An unknown code has the name of x000 of its class; never NULL. */
const char *pap_code_text(enum pap_code code);
bool pap_code_is_known(enum pap_code code);
/* x000 of the code's class: 1000, 2000, 3000, 4000 or 5000; PAP_CODE_NONE for a number outside. */
enum pap_code pap_code_class(enum pap_code code);
/* The code for a WSP abort reason: 5026 + (reason - 0xEA) for 0xE0 to 0xEE, else 5000. */
enum pap_code pap_code_of_abort(uint8_t wsp_reason);

const char *pap_kind_text(enum pap_kind kind); /* element name; "" for PAP_KIND_NONE */
/* push-message -> push-response and so on; anything that has no answer -> badmessage-response. */
enum pap_kind pap_kind_answer(enum pap_kind request);
const char *pap_version_text(enum pap_version version); /* "2.0"; "" when it names none */
const char *pap_state_text(enum pap_state state);       /* "" for PAP_STATE_NONE */
/* ERR_MALFORMED for a word that is none; fold: ASCII case does not matter. */
enum err pap_state_parse(struct slice word, bool fold, enum pap_state *out) MUST_USE;
bool pap_state_is_final(enum pap_state state);
const char *pap_priority_text(enum pap_priority priority);
const char *pap_delivery_text(enum pap_delivery delivery);

/* What follows is for pap/parse.c and pap/print.c. */

/* Message elements come first and have the numbers of enum pap_kind. */
enum pap_elem {
    PAP_ELEM_NONE,
#define PAP_ELEM_ENUM(name, text, member) PAP_ELEM_##name,
    PAP_KIND_LIST(PAP_ELEM_ENUM)
#undef PAP_ELEM_ENUM
        PAP_ELEM_PAP,
    PAP_ELEM_ADDRESS,
    PAP_ELEM_QOS,
    PAP_ELEM_NOTE,
    PAP_ELEM_RESPONSE_RESULT,
    PAP_ELEM_CANCEL_RESULT,
    PAP_ELEM_STATUS_RESULT,
    PAP_ELEM_COUNT
};

/* How an attribute is spelt and what it is stored as. */
enum pap_attr_type {
    PAP_ATTR_TEXT,  /* struct slice */
    PAP_ATTR_URL,   /* struct slice, under the URL ceiling */
    PAP_ATTR_TIME,  /* struct pap_time */
    PAP_ATTR_BOOL,  /* bool, default false */
    PAP_ATTR_CODE,  /* enum pap_code */
    PAP_ATTR_STATE, /* the enums; each is an unsigned int that indexes its words */
    PAP_ATTR_PRIORITY,
    PAP_ATTR_DELIVERY,
    PAP_ATTR_REPLACE
};

struct pap_attr {
    const char *name;
    enum pap_attr_type type;
    bool required;
    bool required_1_0; /* by the 1.0 DTD only: then always printed */
    size_t at;         /* offset in the struct of the element */
};

/* A child and where its parent's struct keeps it: struct pap_addrs, pap_qos, pap_notes, pap_result (one) or
 * pap_results, as the child's element says. */
struct pap_child {
    enum pap_elem elem;
    bool required;
    bool many;
    size_t at; /* offset in the struct of the parent */
};

struct pap_element {
    const char *name;
    const struct pap_attr *attrs;
    size_t attrs_n;
    const struct pap_child *children; /* in the order of the DTD */
    size_t children_n;
};

extern const struct pap_element pap_elements[PAP_ELEM_COUNT];
#define PAP_CHILDREN_MAX 2 /* kinds of children of one element below pap */
#define PAP_NESTING_MAX  4 /* pap, message, result, address */

/* Most names differ in their first octet; this is asked a dozen times an element. */
static inline bool pap_name_eq(const char *a, const char *b)
{
    return a[0] == b[0] && strcmp(a, b) == 0;
}
enum pap_elem pap_elem_find(const char *name); /* PAP_ELEM_NONE when unknown */
/* The words of an enum type, indexed by its value, NULL at the end; NULL for other types. */
const char *const *pap_attr_words(enum pap_attr_type type);

#endif
