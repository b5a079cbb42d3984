/* The way of a push to a terminal: over which bearer, how protected, in which form.  One rule for the checks of a
 * submission (recipients.c), for an attempt (deliver.c) and for a terminal that fetches (inbox_item.c).  It only
 * decides: nothing is sent, waited for or remembered.
 *
 * Story of a choice.  The bearers are asked in the order of their table.  The first one that reaches the terminal, is
 * open now and carries the push with the protection that policy wants is taken; then the content gets the form that
 * the terminal is known to take.  What is too large to be pushed there goes as a notice, if the terminal can fetch.
 *
 * The codes are PAP's, [PAP §6]; a route borrows from the registry, the push and ask->made, and owns nothing.  Runs on a
 * core's loop: on the one that owns the terminal for an attempt, on any for a submission. */
#ifndef PPG_ROUTE_H
#define PPG_ROUTE_H

#include "ppg/content.h"
#include "ppg/core.h"

struct ppg_route_ask {
    struct slice key;    /* canonical address of the terminal */
    struct slice device; /* the one of several that is meant; empty: any */
    uint8_t asked;       /* protection levels, as in push.h */
    uint8_t demanded;
    const struct ppg_push *push;
    struct buf *made; /* for the form of the content, as ppg_content_choose() wants it */
    unsigned tried;   /* bearers that are not taken any more, a bit each by place */
    bool home;        /* this loop owns the terminal, so it is known who is absent */
};

struct ppg_route {
    const struct ota_terminal *terminal; /* NULL: there is none */
    const struct ota_bearer *bearer;     /* NULL: none reaches it */
    size_t bearer_at;                    /* its place */
    struct sec_policy_out decision;
    struct ppg_content content; /* in the terminal's form */
    bool indirect;              /* the terminal is told where to fetch that content, instead of getting it */
    const char *why;            /* static: what is wrong; NULL: the decision says it */
};

/* How an attempt goes.  PAP_CODE_OK, or the code that it ends with: *out says then what is wrong, and with which bearer.
 * PAP_CODE_INTERNAL_ERROR: memory. */
unsigned ppg_route_find(const struct ppg_core *c, const struct ota_registry *registry,
                        const struct ppg_route_ask *ask, struct ppg_route *out);

/* Another way to push, none of ask->tried, that is open now; *out is written on true. */
bool ppg_route_next(const struct ppg_core *c, const struct ota_registry *registry,
                    const struct ppg_route_ask *ask, struct ppg_route *out);

/* May it go indirectly on the way it is on?  True: *r has the content to be fetched and the protection of its notice. */
bool ppg_route_indirect(const struct ppg_core *c, const struct ota_registry *registry,
                        const struct ppg_route_ask *ask, struct ppg_route *r);

/* How the terminal itself may fetch it, whatever else would reach it and however large it is.  As ppg_route_find(). */
unsigned ppg_route_fetch(const struct ppg_core *c, const struct ota_registry *registry,
                         const struct ppg_route_ask *ask, struct ppg_route *out);

/* Could it be delivered as the configuration stands, for the checks of a submission?  why[] gets the reason in words. */
#define PPG_ROUTE_WHY_N 160 /* octets of a reason, NUL included */
unsigned ppg_route_possible(const struct ppg_core *c, const struct ppg_route_ask *ask,
                            char why[PPG_ROUTE_WHY_N]);
/* What is wrong with a route, in words. */
void ppg_route_why(const struct ppg_route *r, char why[PPG_ROUTE_WHY_N]);

/* Can the terminal be reached on that way only when it comes by itself, and has not?  On the loop that owns it. */
bool ppg_route_absent(const struct ppg_core *c, const struct ppg_route *r);

/* The form for the route's terminal, by what is known of it now.  PAP_CODE_OK, or as ppg_content_choose(); *why: static. */
unsigned ppg_route_form(const struct ppg_core *c, const struct ppg_route *r, const struct ppg_push *push,
                        struct buf *made, struct ppg_content *out, const char **why);
/* Another one than the textual that its terminal has just refused; false: there is none. */
bool ppg_route_other_form(const struct ppg_core *c, const struct ppg_route *r, const struct ppg_push *push,
                          struct buf *made, struct ppg_content *out);

/* How much protection a message to that terminal over that bearer needs, and who gives it: the one decision about
 * whatever leaves for a terminal, content or not.  xml: it is a document of XML. */
void ppg_route_decide(const struct ppg_core *c, const struct ota_bearer *bearer,
                      const struct ota_terminal *terminal, uint8_t asked, uint8_t demanded, bool xml,
                      struct sec_policy_out *out);

#endif
