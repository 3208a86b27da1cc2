/* must(): an assertion that stays on in release builds.
 *
 * For our own mistakes only; what the world does wrong comes back as a code from
 * status.h.  Prints the condition and where it stands, then aborts.  Any thread.
 */
#ifndef PARTI_BASE_MUST_H
#define PARTI_BASE_MUST_H

_Noreturn void must_failed(const char *condition, const char *file, int line);

#define must(condition) \
    ((condition) ? (void)0 : must_failed(#condition, __FILE__, __LINE__))

#endif
