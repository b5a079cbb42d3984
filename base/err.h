/* The one error list.  Every room returns these; foreign libraries' codes become one of them in the call that
 * received them.  Thread-free. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define ERR_LIST(X)                                                                                          \
    X(OK, "ok")                                                                                              \
    X(AGAIN, "need more input")                                                                              \
    X(MALFORMED, "input breaks its grammar")                                                                 \
    X(LIMIT, "input is past a ceiling")                                                                      \
    X(EXISTS, "already known")                                                                               \
    X(ABSENT, "no such thing")                                                                               \
    X(LATE, "no longer possible")                                                                            \
    X(DENIED, "peer may not do this")                                                                        \
    X(UNSUPPORTED, "understood, not offered")                                                                \
    X(PEER, "far end refused or vanished")                                                                   \
    X(NOMEM, "memory ceiling reached")                                                                       \
    X(IO, "the operating system said no")

enum err {
#define ERR_ENUM(name, text) ERR_##name,
    ERR_LIST(ERR_ENUM)
#undef ERR_ENUM
        ERR_COUNT
};

#define MUST_USE __attribute__((warn_unused_result))

/* Static text of `e`, never NULL. */
const char *err_text(enum err e);
/* Static name of `e` in lower case ("malformed"), for logs and JSON. */
const char *err_name(enum err e);

/* For our own mistakes only; stays on in release builds.  No byte from outside may be able to reach one. */
#define MUST(x) ((x) ? (void)0 : must_fail(#x, __FILE__, __LINE__))
_Noreturn void must_fail(const char *what, const char *file, int line);

#endif
