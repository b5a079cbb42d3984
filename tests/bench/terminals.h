/* Handsets for measuring: each an OTA-HTTP server on a port of its own that registers whoever asks and accepts every
 * push without looking into it.  One loop. */
#ifndef TESTS_BENCH_TERMINALS_H
#define TESTS_BENCH_TERMINALS_H

#include "base/net/env.h"

struct terminals;

/* A push arrived at terminal `at` and is about to be accepted. */
typedef void terminals_push_fn(unsigned at, void *arg);

/* n of them on free ports of 127.0.0.1.  ERR_NOMEM, ERR_IO. */
enum err terminals_create(const struct net_env *env, unsigned n, terminals_push_fn *push, void *arg,
                          struct terminals **out) MUST_USE;
uint16_t terminals_port(const struct terminals *t, unsigned at);
/* closed runs when all connections are gone, then the memory goes. */
void terminals_close(struct terminals *t, void (*closed)(void *arg), void *arg);

#endif
