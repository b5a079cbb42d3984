/* The life of a target as one table: where it may go, and which PAP message-state each stage shows ([PAP §7]).
 * Durable first: the core writes the new stage to the store before anybody is told of it.  Pure; any thread. */
#ifndef PPG_STAGE_H
#define PPG_STAGE_H

#include "base/err.h"
#include "pap/message.h"
#include "ppg/push.h"

enum ppg_event {
    EV_DUE,     /* its time has come and its terminal is free */
    EV_OK,      /* the terminal has it */
    EV_RETRY,   /* not this time; there is time left */
    EV_FAIL,    /* cannot work */
    EV_ABORT,   /* the terminal refused */
    EV_TIMEOUT, /* attempts are used up */
    EV_EXPIRE,  /* deliver-before or the greatest age was reached */
    EV_CANCEL,  /* the initiator took it back */
    EV_COUNT
};

/* The stage after `ev`; ERR_LATE when the table has no such way (a cancel while it is on the wire). */
enum err ppg_stage_next(enum ppg_stage from, enum ppg_event ev, enum ppg_stage *to) MUST_USE;
enum pap_state ppg_stage_state(enum ppg_stage s);
const char *ppg_stage_name(enum ppg_stage s); /* "waiting", ... */
const char *ppg_event_name(enum ppg_event ev);

#endif
