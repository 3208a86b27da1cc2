/* The cases of one Check program side by side, for programs whose cases mostly wait:
 * so many processes take one case after the other, each case in a process of its own as
 * always.  The sum is the last line, as Check writes it.
 *
 * One after the other where a debugger or a tool wants that: CK_FORK=no, or CREW=1; CREW
 * says how many else.
 */
#ifndef PARTI_TESTS_EDGE_CREW_H
#define PARTI_TESTS_EDGE_CREW_H

#include <check.h>
#include <stddef.h>

enum { CREW_USUAL = 3, CREW_MAX = 16 };

/* Each of n tests with _i from 0 to loops - 1.  The exit status of the program. */
int crew_run(const char *name, const TTest *const *tests, size_t n, int loops);

#endif
