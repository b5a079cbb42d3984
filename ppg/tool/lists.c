/* Answers with rows in them to lines; see lists.h. */
#include "ppg/tool/lists.h"

#include <stdio.h>
#include <stdlib.h>

#include "ppg/tool/table.h"
#include "ppg/tool/tool.h"

void tool_lists_queue(const json_t *answer)
{
    const json_t *heads = json_object_get(answer, "due_longest");

    tool_table_rows(json_object_get(answer, "initiators"));
    if (!json_array_size(heads)) {
        (void)puts("nothing waits");
        return;
    }
    (void)puts("\ndue longest:");
    tool_table_rows(heads);
}

void tool_lists_act(const json_t *answer)
{
    static const char *const lists[] = {"results", "refused"};

    if (json_object_get(answer, "replayed"))
        (void)printf("replayed %" JSON_INTEGER_FORMAT " as ", tool_json_n(answer, "replayed"));
    else
        (void)printf("cancelled %" JSON_INTEGER_FORMAT " of ", tool_json_n(answer, "cancelled"));
    tool_print(stdout, slice_str(tool_json_text(answer, "push_id")));
    (void)putchar('\n');
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        tool_table_rows(json_object_get(answer, lists[i]));
}

/* The rows of one list, and how many there are beside them. */
static void print_list(const json_t *answer, const char *list, const char *none)
{
    json_int_t more = tool_json_n(answer, "more");

    if (json_array_size(json_object_get(answer, list)))
        tool_table_rows(json_object_get(answer, list));
    else
        (void)puts(none);
    if (more > 0)
        (void)printf("and %" JSON_INTEGER_FORMAT " more\n", more);
}

void tool_lists_keys(const json_t *answer)
{
    print_list(answer, "keys", "no keys");
}

void tool_lists_associations(const json_t *answer)
{
    print_list(answer, "associations", "no associations");
}

void tool_lists_terminals(const json_t *answer)
{
    print_list(answer, "terminals", "no terminals");
}

void tool_lists_initiators(const json_t *answer)
{
    tool_table_rows(json_object_get(answer, "initiators"));
}

void tool_lists_checks(const json_t *answer)
{
    tool_table_rows(json_object_get(answer, "checks"));
    (void)puts(json_is_true(json_object_get(answer, "good")) ? "good" : "not good");
}

/* "NUMBER RULE" each, after a sign. */
static void print_rules(const json_t *rules, const char *sign)
{
    const json_t *one;
    size_t i;

    json_array_foreach(rules, i, one)
    {
        (void)printf("%s%5" JSON_INTEGER_FORMAT "  ", sign, tool_json_n(one, "line"));
        tool_print(stdout, slice_str(tool_json_text(one, "rule")));
        (void)putchar('\n');
    }
}

void tool_lists_list(const json_t *answer)
{
    print_rules(json_object_get(answer, "rules"), "");
    if (tool_json_n(answer, "more_from"))
        (void)printf("more: --from %" JSON_INTEGER_FORMAT "\n", tool_json_n(answer, "more_from"));
}

/* "allow, protect none: /etc/ppg/whitelist.conf:12 (allow rule)" */
void tool_lists_verdict(const json_t *answer)
{
    (void)fputs(json_is_true(json_object_get(answer, "allow")) ? "allow" : "deny", stdout);
    if (*tool_json_text(answer, "protect"))
        (void)printf(", protection at least %s", tool_json_text(answer, "protect"));
    (void)fputs(": ", stdout);
    tool_print(stdout, slice_str(tool_json_text(answer, "file")));
    if (tool_json_n(answer, "line"))
        (void)printf(":%" JSON_INTEGER_FORMAT, tool_json_n(answer, "line"));
    (void)printf(" (%s)\n", tool_json_text(answer, "reason"));
}

void tool_lists_change(const json_t *answer)
{
    static const struct {
        const char *rules, *all, *sign;
    } sides[] = {{"removed", "removed_in_all", "-"}, {"added", "added_in_all", "+"}};

    for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++) {
        json_int_t more = tool_json_n(answer, sides[i].all) -
                          (json_int_t)json_array_size(json_object_get(answer, sides[i].rules));

        print_rules(json_object_get(answer, sides[i].rules), sides[i].sign);
        if (more > 0)
            (void)printf("%s and %" JSON_INTEGER_FORMAT " more\n", sides[i].sign, more);
    }
    if (tool_json_n(answer, "generation"))
        (void)printf("reloaded, generation %" JSON_INTEGER_FORMAT "\n", tool_json_n(answer, "generation"));
}

void tool_lists_diff(const json_t *answer)
{
    tool_lists_change(answer);
    if (!json_object_get(answer, "pushes"))
        return;
    (void)printf("%" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT " decisions about %" JSON_INTEGER_FORMAT
                 " pushes would be otherwise\n",
                 tool_json_n(answer, "otherwise_in_all"), tool_json_n(answer, "decisions"),
                 tool_json_n(answer, "pushes"));
    tool_table_rows(json_object_get(answer, "otherwise"));
}

/* What the change was about, in one line: a key's name, a push-id, a terminal.  Of a list the rules say it. */
static void print_facts(const json_t *side, const char *sign)
{
    const char *before = sign, *name;
    const json_t *fact;

    if (json_object_get(side, "rules"))
        return;
    json_object_foreach((json_t *)(uintptr_t)side, name, fact)
    {
        char *text = json_is_string(fact) ? NULL : json_dumps(fact, JSON_COMPACT | JSON_ENCODE_ANY);

        (void)printf("%s %s ", before, name);
        tool_print(stdout, slice_str(text ? text : tool_json_text(side, name)));
        free(text);
        before = ",";
    }
    if (before != sign)
        (void)putchar('\n');
}

/* Each line with its time, who, what, and what went and came. */
void tool_lists_audit(const json_t *answer)
{
    const json_t *one;
    size_t i;

    json_array_foreach(json_object_get(answer, "lines"), i, one)
    {
        const char *const names[] = {"at", "who", "what"};

        (void)printf("%" JSON_INTEGER_FORMAT, tool_json_n(one, "seq"));
        for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
            (void)putchar(' ');
            tool_print(stdout, slice_str(tool_json_text(one, names[k])));
        }
        (void)putchar('\n');
        print_facts(json_object_get(one, "before"), "  -");
        print_facts(json_object_get(one, "after"), "  +");
        print_rules(json_object_get(json_object_get(one, "before"), "rules"), "  -");
        print_rules(json_object_get(json_object_get(one, "after"), "rules"), "  +");
    }
}

void tool_lists_chain(const json_t *answer)
{
    json_int_t line = tool_json_n(answer, "bad_line");

    if (line) {
        (void)printf("line %" JSON_INTEGER_FORMAT " ", line);
        tool_print(stdout, slice_str(tool_json_text(answer, "what")));
        (void)putchar('\n');
    }
    (void)printf("%" JSON_INTEGER_FORMAT " good lines, the last has the hash %s\n",
                 tool_json_n(answer, "lines"), tool_json_text(answer, "last"));
}
