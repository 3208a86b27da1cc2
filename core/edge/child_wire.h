/* What child.c and child_guardian.c share: descriptors, requests, reports.  For these
 * two alone. */
#ifndef PARTI_EDGE_CHILD_WIRE_H
#define PARTI_EDGE_CHILD_WIRE_H

#include <stdatomic.h>
#include <stdint.h>

/* The guardian's descriptors beside 0, 1, 2, which are the command's. */
enum {
    CHILD_FD_SOCKET = 3, /* requests in, reports out; end of file: parti is dead */
    CHILD_FD_PAGE,       /* struct child_page */
    CHILD_FD_WAKE,       /* an eventfd: look at the page again */
    CHILD_FD_NEXT
};

/* Shared memory.  0: the command holds nothing; UINT64_MAX: no lease limits it. */
struct child_page {
    _Atomic uint64_t deadline_ns;
};

enum child_request { CHILD_REQUEST_KILL = 'K' };

enum child_report_what {
    CHILD_REPORT_STARTED, /* value: process id */
    CHILD_REPORT_FAILED,  /* value: errno of fork or exec */
    CHILD_REPORT_ENDED    /* value: enum child_end, number beside it */
};

struct child_report {
    int32_t what;
    int32_t value;
    int32_t number;
};

#endif
