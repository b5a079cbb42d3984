/* One push told as a story: who and what, why it was let through, then each recipient from the rule to the end.  A line
 * is left out when the gateway has nothing to say for it.  See explain.h. */
#include "ppg/tool/explain.h"

#include <stdarg.h>

#include "ppg/tool/table.h"
#include "ppg/tool/tool.h"

#define WRAP_AT 80u /* columns; a list goes on in the next line */

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* printf whose whole line is then cleared of control octets. */
static void say(const char *fmt, ...)
{
    char line[4096];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    tool_print(stdout, slice_str(line));
}

static bool has(const json_t *o, const char *key)
{
    return *tool_json_text(o, key) != 0;
}

/* ", name value" when there is one. */
static void also(const json_t *o, const char *key, const char *name)
{
    if (has(o, key))
        say(", %s %s", name, tool_json_text(o, key));
}

static void end_line(void)
{
    (void)putchar('\n');
}

/* --- the push --- */

static void tell_initiator(const json_t *p)
{
    say("push %s of initiator %s", tool_json_text(p, "push_id"), tool_json_text(p, "initiator"));
    also(p, "source_reference", "for");
    end_line();
    say("  accepted %s; let in by: %s", tool_json_text(p, "accepted"),
        has(p, "let_in_by") ? tool_json_text(p, "let_in_by") : "not recorded");
    end_line();
    if (!has(p, "initiator_uri"))
        return;
    say("  says it comes from %s: %s, content %s", tool_json_text(p, "initiator_uri"),
        json_is_true(json_object_get(p, "authenticated")) ? "it may say so" : "not proved",
        json_is_true(json_object_get(p, "trusted")) ? "trusted" : "not trusted");
    end_line();
}

static void tell_wishes(const json_t *p)
{
    say("  asked for: protection %s, priority %s, method %s", tool_json_text(p, "protection_asked"),
        tool_json_text(p, "priority"), tool_json_text(p, "method"));
    also(p, "network", json_is_true(json_object_get(p, "network_required")) ? "required network" : "network");
    also(p, "bearer", json_is_true(json_object_get(p, "bearer_required")) ? "required bearer" : "bearer");
    end_line();
    say("  content: %s, %" JSON_INTEGER_FORMAT " octets", tool_json_text(p, "content_type"),
        tool_json_n(p, "content_octets"));
    also(p, "application", "for");
    end_line();
    (void)fputs("  times: ", stdout);
    if (has(p, "not_before"))
        say("not before %s, ", tool_json_text(p, "not_before"));
    say("given up at %s", tool_json_text(p, "expires"));
    end_line();
    say("  result: %s%s", has(p, "notify_url") ? "to be told to " : "nobody wants to be told",
        tool_json_text(p, "notify_url"));
    end_line();
}

static void tell_checks(const json_t *p)
{
    const json_t *checks = json_object_get(p, "checks_passed"), *one;
    size_t i, column = 0;

    (void)fputs("  passed: ", stdout);
    json_array_foreach(checks, i, one)
    {
        say("%s,", json_string_value(one) ? json_string_value(one) : "");
        column += json_string_length(one) + 2;
        (void)fputs(column > WRAP_AT ? "\n    " : " ", stdout);
        column = column > WRAP_AT ? 0 : column;
    }
    (void)fputs("unused push-id\n", stdout);
}

/* --- a recipient --- */

/* How it was protected is said when it is otherwise than in the attempt before. */
static void tell_attempt(const json_t *a, const json_t *before, const char *margin)
{
    const char *protection = tool_json_text(a, "protection");

    say("%stry %" JSON_INTEGER_FORMAT " %s", margin, tool_json_n(a, "no"), tool_json_text(a, "began"));
    if (json_object_get(a, "took_ms"))
        say(", %" JSON_INTEGER_FORMAT " ms", tool_json_n(a, "took_ms"));
    if (has(a, "bearer"))
        say(", by %s", tool_json_text(a, "bearer"));
    say(", %" JSON_INTEGER_FORMAT " octets", tool_json_n(a, "octets"));
    if (has(a, "note"))
        say(": %s", tool_json_text(a, "note"));
    end_line();
    if (*protection && !slice_eq(slice_str(protection), slice_str(tool_json_text(before, "protection")))) {
        say("%s  protected: %s", margin, protection);
        end_line();
    }
}

static void tell_state(const json_t *t, const char *margin)
{
    const json_t *attempts = json_object_get(t, "attempts");
    const char *last = tool_json_text(json_array_get(attempts, json_array_size(attempts) - 1), "note");
    bool group = json_is_array(json_object_get(t, "members"));

    if (has(t, "event"))
        say("%s%s %s: %" JSON_INTEGER_FORMAT " %s", margin, tool_json_text(t, "state"),
            tool_json_text(t, "event"), tool_json_n(t, "code"), tool_json_text(t, "text"));
    else if (group)
        say("%spending until the last member is done", margin);
    else if (json_is_true(json_object_get(t, "leased")))
        say("%spending, in work now, %" JSON_INTEGER_FORMAT " tries begun", margin, tool_json_n(t, "tries"));
    else
        say("%spending, %s %s", margin, tool_json_n(t, "tries") ? "tried again" : "first tried",
            tool_json_text(t, "due"));
    if (has(t, "note") && !group && !slice_eq(slice_str(tool_json_text(t, "note")), slice_str(last)))
        say(" (%s)", tool_json_text(t, "note"));
    end_line();
}

static void tell_notification(const json_t *t, const char *margin)
{
    const char *what = tool_json_text(t, "notification");

    if (!*what || slice_eq(slice_str(what), SLICE("none")))
        return;
    say("%snotification: %s", margin, what);
    if (tool_json_n(t, "notification_answer"))
        say(", answered %" JSON_INTEGER_FORMAT, tool_json_n(t, "notification_answer"));
    if (has(t, "notification_due"))
        say(", tried %" JSON_INTEGER_FORMAT " times, next %s", tool_json_n(t, "notification_tries"),
            tool_json_text(t, "notification_due"));
    end_line();
}

static void tell_recipient(const json_t *t, const char *what, const char *margin)
{
    const json_t *attempts = json_object_get(t, "attempts"), *one;
    size_t i;

    say("%s %s", what, tool_json_text(t, "address"));
    end_line();
    if (has(t, "rule")) {
        say("%slet through by %s", margin, tool_json_text(t, "rule"));
        end_line();
    }
    if (!json_is_array(json_object_get(t, "members"))) {
        say("%sprotection demanded: %s", margin, tool_json_text(t, "demanded"));
        end_line();
    }
    json_array_foreach(attempts, i, one)
        tell_attempt(one, i ? json_array_get(attempts, i - 1) : NULL, margin);
    tell_state(t, margin);
    tell_notification(t, margin);
    json_array_foreach(json_object_get(t, "members"), i, one) tell_recipient(one, "  member", "    ");
}

void tool_explain(const json_t *push)
{
    const json_t *t;
    size_t i;

    tell_initiator(push);
    tell_wishes(push);
    tell_checks(push);
    json_array_foreach(json_object_get(push, "targets"), i, t)
        tell_recipient(t, json_is_array(json_object_get(t, "members")) ? "group" : "recipient", "  ");
}
