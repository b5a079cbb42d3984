/* Grouping through a table; see results.h.  [PAP §8.3, §8.4]. */
#include "ppg/results.h"

#include "base/map.h"
#include "pap/vocab.h"

static struct slice key_of(const struct ppg_row *row)
{
    return slice_of(&row->verdict, sizeof row->verdict);
}

/* Numbers the groups in the order of their first row; *n: how many there are.  One group, the usual case, needs no table:
 * `seen` holds the others. */
static enum err number_groups(struct ppg_row *rows, size_t rows_n, size_t *n)
{
    struct map seen;
    enum err e = ERR_OK;

    *n = 1;
    rows[0].group = 0;
    map_init(&seen, rows_n);
    for (size_t i = 1; i < rows_n && !e; i++) {
        struct slice key = key_of(&rows[i]);
        const struct ppg_row *first = slice_eq(key, key_of(&rows[0])) ? &rows[0] : map_get(&seen, key);

        rows[i].group = first ? first->group : (*n)++;
        if (!first)
            e = map_put(&seen, key, &rows[i]);
    }
    map_clear(&seen);
    return e;
}

static struct pap_result result_of(const struct ppg_verdict *v)
{
    enum pap_code code = (enum pap_code)v->code;
    struct pap_result r = {
        .code = code, .desc = slice_str(pap_code_text(code)), .state = (enum pap_state)v->state};

    if (v->event_s >= 0)
        r.event_time = (struct pap_time){v->event_s, true};
    return r;
}

/* Counts first, so that each result gets its stretch of `room`. */
static void fill(struct pap_result *results, size_t n, const struct ppg_row *rows, size_t rows_n,
                 struct slice *room)
{
    for (size_t i = 0; i < rows_n; i++) {
        struct pap_result *r = &results[rows[i].group];

        if (!r->addrs.n)
            *r = result_of(&rows[i].verdict);
        r->addrs.n++;
    }
    for (size_t i = 0; i < n; i++) {
        results[i].addrs.v = room;
        room += results[i].addrs.n;
        results[i].addrs.n = 0;
    }
    for (size_t i = 0; i < rows_n; i++) {
        struct pap_addrs *a = &results[rows[i].group].addrs;

        a->v[a->n++] = rows[i].address;
    }
}

enum err ppg_results_group(struct arena *mem, struct ppg_row *rows, size_t rows_n, struct pap_results *out)
{
    struct slice *room = arena_array(mem, rows_n, sizeof *room);
    struct pap_result *results;
    size_t n;

    if (!rows_n) {
        *out = (struct pap_results){NULL, 0};
        return ERR_OK;
    }
    if (!room || number_groups(rows, rows_n, &n) || !(results = arena_array(mem, n, sizeof *results)))
        return ERR_NOMEM;
    fill(results, n, rows, rows_n, room);
    *out = (struct pap_results){results, n};
    return ERR_OK;
}
