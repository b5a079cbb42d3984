/* The scenario language: one step a line, words apart by blanks, `#` starts a comment.
 *
 *   cores N                          how many cores; before anything else
 *   set SECTION.KEY VALUE            a line of ppg.conf; counts from the start, later from the next reload
 *   terminal A [tls] [datagrams] [sealed] [key=N] [max-size=N] [takes=TYPE,..] [answers=LIST]     A may be a range: +1000..+1049
 *   terminal A gone                  it is in no configuration written from now on
 *   initiator LIST                   what every server answers to notifications, but for those named by
 *   server HOST LIST                 what this one answers
 *   numbers A N                      uses up N sequence numbers of the terminal's association
 *   submit ID to=A,.. [from=NAME] [method=M] [priority=P] [before=T] [after=T] [ask=L] [demand=L] [size=N] [notify[=HOST]]
 *          [content=si|fixed-si|broken-si]       a service indication; not to be transformed; not well-formed
 *          [replaces=ID] [replace=all|pending-only]
 *   cancel ID [to=A,..] [from=NAME]  of all recipients, or of these
 *   in T [behind] submit|cancel ...  when T has passed: before all else that happens then, or behind the far ends' answers
 *   run T [by=T]                     lets time pass in steps of 100 ms, or of `by`
 *   crash [before=KIND|after=KIND] [down=T]    now; or as soon as the store is about to run an operation of that
 *                                    kind; or when one is durable and nobody has heard of it yet
 *   fail KIND[+N],.. | fail none     operations of these kinds fail in the store, after N that go well
 *   drain                            as SIGTERM does
 *   reload
 *   expect accepted|exists|failed|lost ID      what the submission was told; lost: the process died first
 *   expect replaced ID N             how many targets of the earlier push this one cancelled
 *   expect cancelled ID absent|failed|lost     what the last cancel of it was told
 *   expect cancelled ID/A CODE       likewise of one target: 1000, 2008 or 2003
 *   expect sent ID[/A] N             attempts seen by terminals
 *   expect type ID/A TYPE            of the content of the last one
 *   expect last ID/A T..T            when the last one was seen, since the start of the scenario
 *   expect gap ID/A T..T             between the last two
 *   expect order [A] ID,ID,..        all attempts so far, or those at one terminal
 *   expect state ID/A STAGE [CODE] [tries=N] [note=WORD]       as the store has it
 *   expect notice ID/A STATE CODE [n=N]        what the initiator was posted, n times in all
 *   expect debt ID/A none|owed|told|dropped
 *   expect debts ID STATE N          so many targets of the push are in that state
 *   expect last-notice T..T
 *   expect posts HOST N..N           POSTs at this server so far
 *   expect held HOST N               POSTs under way at once there, at most
 *   expect sealed A N                the number of the last sealed message at that terminal
 *   expect live N                    the most targets there ever were in memory
 *   expect cores N                   attempts came from so many cores
 *   expect withdrawn N               attempts that the bearer took back
 *   expect quiet | expect busy       whether any core holds anything
 *
 * KIND is a store operation: insert finish move claim numbers notice-claim notice-move notice-done.
 * LIST: answers in turn, the last one stays.  A terminal's: ok retry ambiguous busy refused fail hang, ring (ok, but all it gets
 * before that is the question whether the push may come), error (the
 * bearer takes nothing), unsuited (nothing was sent: it said what it takes=), untyped (it refuses the content type).  The initiator's: ok empty bad (document with code 2000) hang broken full (the poster takes
 * nothing) denied silent (time is up after 30 s), or an HTTP status, with what Retry-After asks for: 503+2min.  Each may have a delay: ok@2s.  T: 1500ms 10s 5min 2h 1d; ranges T..T.
 *
 * At the end everything in memory is dropped as in a crash, and the far ends must have seen no breach. */
#ifndef TESTS_REPLAY_SCRIPT_H
#define TESTS_REPLAY_SCRIPT_H

/* Runs tests/replay/scenarios/NAME.scn; a failed step fails the CUnit case and ends the scenario. */
void replay_script_run(const char *name);

#endif
