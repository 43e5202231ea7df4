#ifndef SHNEK_RELAY_LISTENERS_H
#define SHNEK_RELAY_LISTENERS_H

#include "relay/listener.h"
#include "relay/relay.h"
#include "relay/source-datagram.h"
#include "tls/tls.h"

enum { DOORS = 64 };

/* The sockets that we listen on, and what they share. */
struct doors {
    struct listener listeners[DOORS];
    int count;
    struct datagrams *datagrams; /* NULL where no listener takes such */
    struct tls *tls;             /* NULL where there is no certificate */
};

/* Opens all that the configuration names. False, and a report, where one cannot be. */
bool doors_open(struct doors *d, struct relay *r);

/* Reads the certificates again; where they cannot be used, those of before stay. */
void doors_reload(struct doors *d, struct relay *r);

/* Nobody comes in any more. */
void doors_shut(struct doors *d);

/* Frees what is left. */
void doors_close(struct doors *d);

#endif
