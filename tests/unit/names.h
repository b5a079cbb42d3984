/* Names with several addresses, for the one file of a test that includes this: it takes the place of the system's resolver.
 * A name has as many addresses as its number says, 127.0.0.2 and on; of one that begins with "there" the last is 127.0.0.1. */
#ifndef TESTS_UNIT_NAMES_H
#define TESTS_UNIT_NAMES_H

#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/harness.h"

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
    unsigned n = (unsigned)strtoul(host + strcspn(host, "0123456789"), NULL, 10);

    (void)service, (void)hints;
    for (*out = NULL; n > 0; n--) {
        struct entry {
            struct addrinfo info;
            struct sockaddr_in at;
        } *e = calloc(1, sizeof *e);
        bool last = *out == NULL && strncmp(host, "there", 5) == 0;

        CU_ASSERT_FATAL(e != NULL);
        e->at =
            (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(0x7F000001u + (last ? 0 : n))}};
        e->info = (struct addrinfo){.ai_family = AF_INET,
                                    .ai_addr = (struct sockaddr *)&e->at,
                                    .ai_addrlen = sizeof e->at,
                                    .ai_next = *out};
        *out = &e->info;
    }
    return *out ? 0 : EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *a)
{
    while (a) {
        struct addrinfo *next = a->ai_next;

        free(a);
        a = next;
    }
}

#endif
