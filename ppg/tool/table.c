/* JSON to lines and columns; see table.h. */
#include "ppg/tool/table.h"

#include "base/num.h"
#include "ppg/tool/tool.h"

#define NAME_WIDTH  20 /* columns of a name */
#define EVENT_WIDTH 32 /* of a name inside an object */
#define COLUMNS_MAX 16u
#define NUMBER_N    32 /* octets of a number in text */

const char *tool_json_text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s ? s : "";
}

json_int_t tool_json_n(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

/* Its text: a view into v or into number[]. */
static struct slice value_text(const json_t *v, char number[NUMBER_N])
{
    if (json_is_string(v))
        return slice_of(json_string_value(v), json_string_length(v));
    if (json_is_boolean(v))
        return json_is_true(v) ? SLICE("yes") : SLICE("no");
    if (!json_is_integer(v))
        return SLICE("-");
    (void)snprintf(number, NUMBER_N, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    return slice_str(number);
}

void tool_table_value(FILE *to, const json_t *v)
{
    char number[NUMBER_N];

    tool_print(to, value_text(v, number));
}

/* Names of JSON members as words; how many columns they took. */
static int print_name(const char *name)
{
    int n = 0;

    for (; *name; name++, n++)
        (void)putchar(*name == '_' ? ' ' : *name);
    return n;
}

static void pad(int n)
{
    (void)printf("%*s", n > 0 ? n : 0, "");
}

static void print_object(const json_t *o, int indent, int width);

static void print_list(const json_t *list, int indent, int width)
{
    const json_t *row;
    size_t i;

    (void)printf("(%zu)\n", json_array_size(list));
    json_array_foreach(list, i, row)
    {
        if (json_is_object(row)) {
            print_object(row, indent + 2, width);
        } else {
            pad(indent + 2);
            tool_table_value(stdout, row);
        }
        (void)putchar('\n');
    }
}

static void print_member(const char *name, const json_t *v, int indent, int width)
{
    int n = indent;

    pad(indent);
    n += print_name(name);
    if (json_is_object(v)) {
        (void)putchar('\n');
        print_object(v, indent + 2, EVENT_WIDTH);
    } else if (json_is_array(v)) {
        (void)putchar(' ');
        print_list(v, indent, width);
    } else {
        pad(width - n);
        (void)putchar(' ');
        tool_table_value(stdout, v);
        (void)putchar('\n');
    }
}

static void print_object(const json_t *o, int indent, int width)
{
    const char *name;
    json_t *v;

    json_object_foreach((json_t *)(uintptr_t)o, name, v) print_member(name, v, indent, width);
}

void tool_table_object(const json_t *o)
{
    print_object(o, 0, NAME_WIDTH);
}

/* --- rows --- */

struct columns {
    const char *name[COLUMNS_MAX];
    size_t width[COLUMNS_MAX];
    size_t n;
};

static void column_see(struct columns *c, const char *name, const json_t *v)
{
    char number[NUMBER_N];
    size_t i = 0, n = value_text(v, number).n;

    while (i < c->n && !slice_eq(slice_str(c->name[i]), slice_str(name)))
        i++;
    if (i == COLUMNS_MAX)
        return;
    if (i == c->n) {
        c->name[i] = name;
        c->width[i] = strlen(name);
        c->n++;
    }
    if (n > c->width[i])
        c->width[i] = n;
}

static void row_print(const struct columns *c, const json_t *row)
{
    char number[NUMBER_N];

    for (size_t i = 0; i < c->n; i++) {
        struct slice text = value_text(json_object_get(row, c->name[i]), number);
        bool right = json_is_integer(json_object_get(row, c->name[i]));
        int space = (int)num_min(c->width[i] - text.n, 1000);

        pad(right ? space : 0);
        tool_print(stdout, text);
        pad(right || i + 1 == c->n ? 0 : space);
        (void)fputs(i + 1 == c->n ? "\n" : "  ", stdout);
    }
}

void tool_table_rows(const json_t *list)
{
    struct columns c = {.n = 0};
    const json_t *row;
    const char *name;
    json_t *v;
    size_t i;

    json_array_foreach(list, i, row)
    {
        json_object_foreach((json_t *)(uintptr_t)row, name, v) column_see(&c, name, v);
    }
    for (i = 0; i < c.n; i++) {
        int n = print_name(c.name[i]);

        pad(i + 1 == c.n ? 0 : (int)num_min(c.width[i], 1000) - n);
        (void)fputs(i + 1 == c.n ? "\n" : "  ", stdout);
    }
    json_array_foreach(list, i, row) row_print(&c, row);
}
