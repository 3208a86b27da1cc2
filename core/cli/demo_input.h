/* The demo's real input: the machine's own package list (dpkg's status file).  A section
 * is a partition, its number of packages the weight.  One user at a time.
 */
#ifndef PARTI_CLI_DEMO_INPUT_H
#define PARTI_CLI_DEMO_INPUT_H

#include <stddef.h>
#include <stdint.h>

enum { DEMO_SECTIONS_MAX = 512, DEMO_SECTION_ROOM = 64 };

#define DEMO_STATUS "/var/lib/dpkg/status"

struct demo_section {
    char name[DEMO_SECTION_ROOM]; /* '/' as in "contrib/net" stays */
    uint32_t packages;
};

struct demo_input {
    struct demo_section section[DEMO_SECTIONS_MAX];
    size_t n;
    uint64_t packages; /* in all sections */
};

/* Counts the installed packages of each section, or of the one named (NULL: all).
 * STATUS_IO: the file cannot be read; STATUS_LIMIT: too many sections. */
int demo_input_read(struct demo_input *input, const char *path, const char *only);

#endif
