/* Answers to lines; see report.h. */
#include "ppg/tool/report.h"

#include <jansson.h>

#include "pap/time.h"
#include "pap/vocab.h"

int tool_report_exit(enum pap_code code)
{
    unsigned class = (unsigned)pap_code_class(code) / 1000;

    return class == 0 ? TOOL_FAULT : class == 1 ? TOOL_OK : (int)class;
}

/* --- JSON --- */

static void set_text(json_t *into, const char *key, struct slice text)
{
    if (text.p)
        (void)json_object_set_new(into, key, json_stringn(text.p, text.n));
}

static void set_time(json_t *into, const char *key, struct pap_time time)
{
    struct buf text;

    buf_init(&text, 64);
    if (time.given && !pap_time_print(time.utc_s, &text))
        set_text(into, key, buf_slice(&text));
    buf_clear(&text);
}

static void set_code(json_t *into, enum pap_code code, struct slice desc)
{
    (void)json_object_set_new(into, "code", json_integer(code));
    set_text(into, "text", slice_str(pap_code_text(code)));
    set_text(into, "description", desc);
}

static void set_addresses(json_t *into, const struct pap_addrs *addrs)
{
    json_t *list = json_array();

    for (size_t i = 0; i < addrs->n; i++)
        (void)json_array_append_new(list, json_stringn(addrs->v[i].p, addrs->v[i].n));
    (void)json_object_set_new(into, "addresses", list);
}

static void set_qos(json_t *into, const struct pap_qos *qos)
{
    if (!qos->given)
        return;
    set_text(into, "priority", slice_str(pap_priority_text(qos->priority)));
    set_text(into, "method", slice_str(pap_delivery_text(qos->delivery)));
}

/* One object, one line; the object is gone afterwards. */
static void print_json(json_t *object)
{
    (void)json_dumpf(object, stdout, JSON_COMPACT | JSON_SORT_KEYS);
    (void)fputc('\n', stdout);
    (void)fflush(stdout);
    json_decref(object);
}

/* --- text --- */

static void print_word(const char *name, struct slice text)
{
    if (!text.n)
        return;
    (void)printf("%s", name);
    tool_print(stdout, text);
}

static void print_time(const char *name, struct pap_time time)
{
    struct buf text;

    buf_init(&text, 64);
    if (time.given && !pap_time_print(time.utc_s, &text))
        print_word(name, buf_slice(&text));
    buf_clear(&text);
}

/* ": what the gateway adds", and the end of the line */
static void print_end(enum pap_code code, struct slice desc)
{
    if (!slice_eq_ci(desc, slice_str(pap_code_text(code))))
        print_word(": ", desc);
    (void)fputc('\n', stdout);
}

/* "1001 Accepted for Processing push-id=ID: what the gateway adds" */
static void print_code(enum pap_code code, struct slice push_id, struct slice desc)
{
    (void)printf("%u %s", code, pap_code_text(code));
    print_word(" push-id=", push_id);
    print_end(code, desc);
}

/* --- a submission --- */

static void push_json(const struct pap_push_response *r)
{
    json_t *o = json_object(), *notes = json_array();

    set_code(o, r->result.code, r->result.desc);
    set_text(o, "push_id", r->push_id);
    set_text(o, "sender_address", r->sender_address);
    set_text(o, "sender_name", r->sender_name);
    set_time(o, "reply_time", r->reply_time);
    for (size_t i = 0; i < r->notes.n; i++) {
        json_t *note = json_object();

        set_text(note, "stage", r->notes.v[i].stage);
        set_text(note, "note", r->notes.v[i].note);
        set_time(note, "time", r->notes.v[i].time);
        (void)json_array_append_new(notes, note);
    }
    (void)json_object_set_new(o, "progress", notes);
    print_json(o);
}

static void push_text(const struct pap_push_response *r)
{
    print_code(r->result.code, r->push_id, r->result.desc);
    for (size_t i = 0; i < r->notes.n; i++) {
        print_word("note ", r->notes.v[i].stage);
        print_time(" ", r->notes.v[i].time);
        print_word(": ", r->notes.v[i].note);
        (void)fputc('\n', stdout);
    }
}

int tool_report_push(bool json, const struct pap_push_response *r)
{
    if (json)
        push_json(r);
    else
        push_text(r);
    return tool_report_exit(r->result.code);
}

/* --- a cancel, a status query --- */

static void result_json(struct slice push_id, const struct pap_result *r)
{
    json_t *o = json_object();

    set_code(o, r->code, r->desc);
    set_text(o, "push_id", push_id);
    if (r->state != PAP_STATE_NONE)
        set_text(o, "state", slice_str(pap_state_text(r->state)));
    set_time(o, "event_time", r->event_time);
    set_addresses(o, &r->addrs);
    set_qos(o, &r->qos);
    print_json(o);
}

/* "delivered 1000 OK push-id=ID address=A event-time=T" */
static void result_line(struct slice push_id, const struct pap_result *r, struct slice address)
{
    if (r->state != PAP_STATE_NONE)
        (void)printf("%s ", pap_state_text(r->state));
    (void)printf("%u %s", r->code, pap_code_text(r->code));
    print_word(" push-id=", push_id);
    print_word(" address=", address);
    print_time(" event-time=", r->event_time);
    print_end(r->code, r->desc);
}

static void result_text(struct slice push_id, const struct pap_result *r)
{
    for (size_t i = 0; i < r->addrs.n; i++)
        result_line(push_id, r, r->addrs.v[i]);
    if (!r->addrs.n)
        result_line(push_id, r, SLICE_NONE);
}

int tool_report_results(bool json, const struct pap_query_response *r)
{
    int worst = TOOL_OK;

    for (size_t i = 0; i < r->results.n; i++) {
        const struct pap_result *one = &r->results.v[i];
        int status = tool_report_exit(one->code);

        if (json)
            result_json(r->push_id, one);
        else
            result_text(r->push_id, one);
        worst = status > worst ? status : worst;
    }
    return worst;
}

/* --- capabilities --- */

static void capabilities_json(const struct tool_answer *a, const char *file)
{
    const struct pap_ccq_response *r = &a->message.ccq_response;
    json_t *o = json_object();

    set_code(o, r->code, r->desc);
    set_text(o, "query_id", r->query_id);
    set_addresses(o, &r->addrs);
    if (file && a->capabilities.p)
        set_text(o, "file", slice_str(file));
    else
        set_text(o, "capabilities", a->capabilities);
    print_json(o);
}

static void capabilities_text(const struct tool_answer *a, const char *file)
{
    const struct pap_ccq_response *r = &a->message.ccq_response;

    (void)printf("%u %s", r->code, pap_code_text(r->code));
    for (size_t i = 0; i < r->addrs.n; i++)
        print_word(" address=", r->addrs.v[i]);
    print_end(r->code, r->desc);
    if (!file && a->capabilities.n) { /* as it came: it is for programs to read */
        (void)fwrite(a->capabilities.p, 1, a->capabilities.n, stdout);
        (void)fputs(slice_ends(a->capabilities, SLICE("\n")) ? "" : "\n", stdout);
    }
}

int tool_report_capabilities(bool json, const struct tool_answer *a, const char *file)
{
    if (json)
        capabilities_json(a, file);
    else
        capabilities_text(a, file);
    return tool_report_exit(a->message.ccq_response.code);
}

/* --- the rest --- */

int tool_report_bad(bool json, const struct pap_bad *bad)
{
    enum pap_code code = bad->code ? bad->code : PAP_CODE_BAD_REQUEST; /* 1.0 has no code there */
    json_t *o;

    if (!json) {
        print_code(code, SLICE_NONE, bad->desc);
        print_word("fragment ", bad->fragment);
        (void)fputs(bad->fragment.n ? "\n" : "", stdout);
        return tool_report_exit(code);
    }
    o = json_object();
    set_code(o, code, bad->desc);
    set_text(o, "fragment", bad->fragment);
    print_json(o);
    return tool_report_exit(code);
}

static void notification_json(const struct pap_notification *n)
{
    json_t *o = json_object();

    set_code(o, n->code, n->desc);
    set_text(o, "push_id", n->push_id);
    set_text(o, "state", slice_str(pap_state_text(n->state)));
    set_text(o, "sender_address", n->sender_address);
    set_text(o, "sender_name", n->sender_name);
    set_time(o, "received_time", n->received_time);
    set_time(o, "event_time", n->event_time);
    set_addresses(o, &n->addrs);
    set_qos(o, &n->qos);
    print_json(o);
}

void tool_report_notification(bool json, const struct pap_notification *n)
{
    if (json) {
        notification_json(n);
        return;
    }
    (void)printf("%s %u %s", pap_state_text(n->state), n->code, pap_code_text(n->code));
    print_word(" push-id=", n->push_id);
    for (size_t i = 0; i < n->addrs.n; i++)
        print_word(" address=", n->addrs.v[i]);
    print_time(" event-time=", n->event_time);
    print_end(n->code, n->desc);
    (void)fflush(stdout);
}

int tool_report_failure(bool json, int status, const char *why)
{
    json_t *o;

    if (!json) {
        (void)fprintf(stderr, "pap-push: %s\n", why);
        return status;
    }
    o = json_object();
    set_text(o, "error", slice_str(why));
    (void)json_object_set_new(o, "exit", json_integer(status));
    print_json(o);
    return status;
}
