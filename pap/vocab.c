/* The tables behind pap/vocab.h: one row per attribute and child of the DTDs, in their order, superset of all
 * versions.  Parser and printer both walk them, so what one writes the other reads.
 * Specification: PAP 1.0 DTD, 1.0 implementation note and 2.0 additions.  Const data; any thread. */
#include "pap/vocab.h"

#include <stddef.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define ATTR(type, name, s, member)                                                                          \
    {                                                                                                        \
        name, PAP_ATTR_##type, false, false, offsetof(struct s, member)                                      \
    }
#define ATTR_REQ(type, name, s, member)                                                                      \
    {                                                                                                        \
        name, PAP_ATTR_##type, true, false, offsetof(struct s, member)                                       \
    }
#define ONE(elem, s, member)                                                                                 \
    {                                                                                                        \
        PAP_ELEM_##elem, false, false, offsetof(struct s, member)                                            \
    }
#define ONE_REQ(elem, s, member)                                                                             \
    {                                                                                                        \
        PAP_ELEM_##elem, true, false, offsetof(struct s, member)                                             \
    }
#define ANY(elem, s, member)                                                                                 \
    {                                                                                                        \
        PAP_ELEM_##elem, false, true, offsetof(struct s, member)                                             \
    }
#define SOME(elem, s, member)                                                                                \
    {                                                                                                        \
        PAP_ELEM_##elem, true, true, offsetof(struct s, member)                                              \
    }

static const struct pap_attr push_attrs[] = {
    ATTR_REQ(TEXT, "push-id", pap_push, push_id),
    ATTR(TEXT, "replace-push-id", pap_push, replace_push_id),
    ATTR(REPLACE, "replace-method", pap_push, replace_method),
    ATTR(TIME, "deliver-before-timestamp", pap_push, deliver_before),
    ATTR(TIME, "deliver-after-timestamp", pap_push, deliver_after),
    ATTR(TEXT, "source-reference", pap_push, source_reference),
    ATTR(URL, "ppg-notify-requested-to", pap_push, notify_to),
    ATTR(BOOL, "progress-notes-requested", pap_push, progress_notes_requested),
};
static const struct pap_child push_children[] = {
    SOME(ADDRESS, pap_push, addrs),
    ONE(QOS, pap_push, qos),
};

static const struct pap_attr push_response_attrs[] = {
    ATTR_REQ(TEXT, "push-id", pap_push_response, push_id),
    ATTR(TEXT, "sender-address", pap_push_response, sender_address),
    ATTR(TEXT, "sender-name", pap_push_response, sender_name),
    ATTR(TIME, "reply-time", pap_push_response, reply_time),
};
static const struct pap_child push_response_children[] = {
    ANY(NOTE, pap_push_response, notes),
    ONE_REQ(RESPONSE_RESULT, pap_push_response, result),
};

static const struct pap_attr query_attrs[] = {
    ATTR_REQ(TEXT, "push-id", pap_query, push_id),
};
static const struct pap_child query_children[] = {
    ANY(ADDRESS, pap_query, addrs),
};

static const struct pap_attr query_response_attrs[] = {
    ATTR_REQ(TEXT, "push-id", pap_query_response, push_id),
};
static const struct pap_child cancel_response_children[] = {
    SOME(CANCEL_RESULT, pap_query_response, results),
};
static const struct pap_child status_response_children[] = {
    SOME(STATUS_RESULT, pap_query_response, results),
};

static const struct pap_attr notification_attrs[] = {
    ATTR_REQ(TEXT, "push-id", pap_notification, push_id),
    ATTR(TEXT, "sender-address", pap_notification, sender_address),
    ATTR(TEXT, "sender-name", pap_notification, sender_name),
    ATTR(TIME, "received-time", pap_notification, received_time),
    ATTR(TIME, "event-time", pap_notification, event_time),
    ATTR_REQ(STATE, "message-state", pap_notification, state),
    ATTR_REQ(CODE, "code", pap_notification, code),
    ATTR(TEXT, "desc", pap_notification, desc),
};
/* The 1.0 DTD has one address; gateways in the field group several. */
static const struct pap_child notification_children[] = {
    SOME(ADDRESS, pap_notification, addrs),
    ONE(QOS, pap_notification, qos),
};

static const struct pap_attr notification_response_attrs[] = {
    ATTR_REQ(TEXT, "push-id", pap_notification_response, push_id),
    ATTR_REQ(CODE, "code", pap_notification_response, code),
    ATTR(TEXT, "desc", pap_notification_response, desc),
};
/* The DTD requires the address; initiators in the field leave it out. */
static const struct pap_child notification_response_children[] = {
    ONE(ADDRESS, pap_notification_response, addrs),
};

static const struct pap_attr ccq_attrs[] = {
    ATTR(TEXT, "query-id", pap_ccq, query_id),
    ATTR(TEXT, "app-id", pap_ccq, app_id),
};
static const struct pap_child ccq_children[] = {
    ONE_REQ(ADDRESS, pap_ccq, addrs),
};

static const struct pap_attr ccq_response_attrs[] = {
    ATTR(TEXT, "query-id", pap_ccq_response, query_id),
    ATTR_REQ(CODE, "code", pap_ccq_response, code),
    ATTR(TEXT, "desc", pap_ccq_response, desc),
};
static const struct pap_child ccq_response_children[] = {
    ONE_REQ(ADDRESS, pap_ccq_response, addrs),
};

/* code came with the 1.0 implementation note, before it the fragment was all there was. */
static const struct pap_attr bad_attrs[] = {
    ATTR(CODE, "code", pap_bad, code),
    ATTR(TEXT, "desc", pap_bad, desc),
    {"bad-message-fragment", PAP_ATTR_TEXT, false, true, offsetof(struct pap_bad, fragment)},
};

/* product-name is an attribute of pap; the message element is its child and handled by kind. */
static const struct pap_attr pap_attrs[] = {
    ATTR(TEXT, "product-name", pap_message, product_name),
};

/* An address is kept as its value alone. */
static const struct pap_attr address_attrs[] = {
    {"address-value", PAP_ATTR_TEXT, true, false, 0},
};

static const struct pap_attr qos_attrs[] = {
    ATTR(PRIORITY, "priority", pap_qos, priority), ATTR(DELIVERY, "delivery-method", pap_qos, delivery),
    ATTR(TEXT, "network", pap_qos, network),       ATTR(BOOL, "network-required", pap_qos, network_required),
    ATTR(TEXT, "bearer", pap_qos, bearer),         ATTR(BOOL, "bearer-required", pap_qos, bearer_required),
};

static const struct pap_attr note_attrs[] = {
    ATTR_REQ(TEXT, "stage", pap_note, stage),
    ATTR(TEXT, "note", pap_note, note),
    ATTR(TIME, "time", pap_note, time),
};

static const struct pap_attr result_attrs[] = {
    ATTR_REQ(CODE, "code", pap_result, code),
    ATTR(TEXT, "desc", pap_result, desc),
};
static const struct pap_child cancel_result_children[] = {
    ANY(ADDRESS, pap_result, addrs),
};

static const struct pap_attr status_result_attrs[] = {
    ATTR(TIME, "event-time", pap_result, event_time),
    ATTR_REQ(STATE, "message-state", pap_result, state),
    ATTR_REQ(CODE, "code", pap_result, code),
    ATTR(TEXT, "desc", pap_result, desc),
};
static const struct pap_child status_result_children[] = {
    ANY(ADDRESS, pap_result, addrs),
    ONE(QOS, pap_result, qos),
};

#define ATTRS(table)    table, COUNT(table)
#define CHILDREN(table) table, COUNT(table)
#define EMPTY           NULL, 0

const struct pap_element pap_elements[PAP_ELEM_COUNT] = {
    [PAP_ELEM_NONE] = {"", EMPTY, EMPTY},
    [PAP_ELEM_PUSH_MESSAGE] = {"push-message", ATTRS(push_attrs), CHILDREN(push_children)},
    [PAP_ELEM_PUSH_RESPONSE] = {"push-response", ATTRS(push_response_attrs),
                                CHILDREN(push_response_children)},
    [PAP_ELEM_CANCEL_MESSAGE] = {"cancel-message", ATTRS(query_attrs), CHILDREN(query_children)},
    [PAP_ELEM_CANCEL_RESPONSE] = {"cancel-response", ATTRS(query_response_attrs),
                                  CHILDREN(cancel_response_children)},
    [PAP_ELEM_RESULTNOTIFICATION_MESSAGE] = {"resultnotification-message", ATTRS(notification_attrs),
                                             CHILDREN(notification_children)},
    [PAP_ELEM_RESULTNOTIFICATION_RESPONSE] = {"resultnotification-response",
                                              ATTRS(notification_response_attrs),
                                              CHILDREN(notification_response_children)},
    [PAP_ELEM_STATUSQUERY_MESSAGE] = {"statusquery-message", ATTRS(query_attrs), CHILDREN(query_children)},
    [PAP_ELEM_STATUSQUERY_RESPONSE] = {"statusquery-response", ATTRS(query_response_attrs),
                                       CHILDREN(status_response_children)},
    [PAP_ELEM_CCQ_MESSAGE] = {"ccq-message", ATTRS(ccq_attrs), CHILDREN(ccq_children)},
    [PAP_ELEM_CCQ_RESPONSE] = {"ccq-response", ATTRS(ccq_response_attrs), CHILDREN(ccq_response_children)},
    [PAP_ELEM_BADMESSAGE_RESPONSE] = {"badmessage-response", ATTRS(bad_attrs), EMPTY},
    [PAP_ELEM_PAP] = {"pap", ATTRS(pap_attrs), EMPTY},
    [PAP_ELEM_ADDRESS] = {"address", ATTRS(address_attrs), EMPTY},
    [PAP_ELEM_QOS] = {"quality-of-service", ATTRS(qos_attrs), EMPTY},
    [PAP_ELEM_NOTE] = {"progress-note", ATTRS(note_attrs), EMPTY},
    [PAP_ELEM_RESPONSE_RESULT] = {"response-result", ATTRS(result_attrs), EMPTY},
    [PAP_ELEM_CANCEL_RESULT] = {"cancel-result", ATTRS(result_attrs), CHILDREN(cancel_result_children)},
    [PAP_ELEM_STATUS_RESULT] = {"statusquery-result", ATTRS(status_result_attrs),
                                CHILDREN(status_result_children)},
};

enum pap_elem pap_elem_find(const char *name)
{
    for (enum pap_elem e = PAP_ELEM_NONE + 1; e < PAP_ELEM_COUNT; e++)
        if (pap_name_eq(name, pap_elements[e].name))
            return e;
    return PAP_ELEM_NONE;
}

static const char *const state_words[] = {
    "",
#define STATE_WORD(name, text) text,
    PAP_STATE_LIST(STATE_WORD)
#undef STATE_WORD
        NULL,
};
static const char *const priority_words[] = {"medium", "high", "low", NULL};
static const char *const delivery_words[] = {"notspecified", "confirmed", "preferconfirmed", "unconfirmed",
                                             NULL};
static const char *const replace_words[] = {"all", "pending-only", NULL};

const char *const *pap_attr_words(enum pap_attr_type type)
{
    switch (type) {
    case PAP_ATTR_STATE:
        return state_words;
    case PAP_ATTR_PRIORITY:
        return priority_words;
    case PAP_ATTR_DELIVERY:
        return delivery_words;
    case PAP_ATTR_REPLACE:
        return replace_words;
    default:
        return NULL;
    }
}

const char *pap_state_text(enum pap_state state)
{
    return state < PAP_STATE_COUNT ? state_words[state] : "";
}

enum err pap_state_parse(struct slice word, bool fold, enum pap_state *out)
{
    for (enum pap_state s = PAP_STATE_NONE + 1; s < PAP_STATE_COUNT; s++) {
        struct slice text = slice_str(state_words[s]);

        if (fold ? slice_eq_ci(word, text) : slice_eq(word, text)) {
            *out = s;
            return ERR_OK;
        }
    }
    return ERR_MALFORMED;
}

bool pap_state_is_final(enum pap_state state)
{
    return state != PAP_STATE_NONE && state != PAP_STATE_PENDING && state != PAP_STATE_UNKNOWN;
}

const char *pap_priority_text(enum pap_priority priority)
{
    return priority < PAP_PRIORITY_COUNT ? priority_words[priority] : "";
}

const char *pap_delivery_text(enum pap_delivery delivery)
{
    return delivery < PAP_DELIVERY_COUNT ? delivery_words[delivery] : "";
}

static const struct {
    enum pap_code code;
    const char *text;
} codes[] = {
#define CODE_ROW(number, name, text) {PAP_CODE_##name, text},
    PAP_CODE_LIST(CODE_ROW)
#undef CODE_ROW
};

static const char *code_text(enum pap_code code)
{
    for (size_t i = 0; i < COUNT(codes); i++)
        if (codes[i].code == code)
            return codes[i].text;
    return NULL;
}

const char *pap_code_text(enum pap_code code)
{
    const char *text = code_text(code);

    if (!text)
        text = code_text(pap_code_class(code));
    return text ? text : "";
}

bool pap_code_is_known(enum pap_code code)
{
    return code_text(code) != NULL;
}

enum pap_code pap_code_class(enum pap_code code)
{
    unsigned n = (unsigned)code;

    return n >= 1000 && n <= 5999 ? (enum pap_code)(n - n % 1000) : PAP_CODE_NONE;
}

enum pap_code pap_code_of_abort(uint8_t wsp_reason)
{
    if (wsp_reason < 0xE0 || wsp_reason > 0xEE)
        return PAP_CODE_CLIENT_ABORTED;
    return (enum pap_code)(PAP_CODE_CLIENT_USERREQ + wsp_reason - 0xEA);
}

const char *pap_kind_text(enum pap_kind kind)
{
    return kind < PAP_KIND_COUNT ? pap_elements[kind].name : "";
}

enum pap_kind pap_kind_answer(enum pap_kind request)
{
    switch (request) {
    case PAP_KIND_PUSH_MESSAGE:
        return PAP_KIND_PUSH_RESPONSE;
    case PAP_KIND_CANCEL_MESSAGE:
        return PAP_KIND_CANCEL_RESPONSE;
    case PAP_KIND_RESULTNOTIFICATION_MESSAGE:
        return PAP_KIND_RESULTNOTIFICATION_RESPONSE;
    case PAP_KIND_STATUSQUERY_MESSAGE:
        return PAP_KIND_STATUSQUERY_RESPONSE;
    case PAP_KIND_CCQ_MESSAGE:
        return PAP_KIND_CCQ_RESPONSE;
    default:
        return PAP_KIND_BADMESSAGE_RESPONSE;
    }
}

const char *pap_version_text(enum pap_version version)
{
    static const char *const text[PAP_VERSION_COUNT] = {
        [PAP_VERSION_NONE] = "",        [PAP_VERSION_1_0] = "1.0", [PAP_VERSION_2_0] = "2.0",
        [PAP_VERSION_2_1] = "2.1",      [PAP_VERSION_2_2] = "2.2", [PAP_VERSION_2_3] = "2.3",
        [PAP_VERSION_UNSUPPORTED] = "",
    };

    return version < PAP_VERSION_COUNT ? text[version] : "";
}
