/* JSON answers of a gateway for people: members as "name value" lines, and lists of objects as tables with a column a
 * member.  Knows no particular answer.  For ppgctl; writes to standard output; peer text loses its control octets.
 * One thread. */
#ifndef PPG_TOOL_TABLE_H
#define PPG_TOOL_TABLE_H

#include <jansson.h>
#include <stdio.h>

#include "base/slice.h"

/* The members of an object, one a line; what they hold, indented below them. */
void tool_table_object(const json_t *o);

/* One row an object, the columns being the members of all rows in the order they are met; nothing for an empty list. */
void tool_table_rows(const json_t *list);

/* A string, number or boolean (yes, no) as text; what it has no text for is "-". */
void tool_table_value(FILE *to, const json_t *v);

/* Texts and numbers of members; "" and 0 when they are absent or something else. */
const char *tool_json_text(const json_t *o, const char *key);
json_int_t tool_json_n(const json_t *o, const char *key);

#endif
