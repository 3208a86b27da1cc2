/* Runs that are not a scenario of faults: one thing for long, at default timing. */
#ifndef PARTI_TESTS_SIM_FORM_H
#define PARTI_TESTS_SIM_FORM_H

#include "judge.h"

enum sim_form {
    FORM_FAULTS,     /* sim_fault.h */
    FORM_ANSWERS,    /* nothing fails, but one answer of the log in a hundred is lost */
    FORM_REBALANCES, /* nothing fails; workers come and go and lists change without end */
    FORM_SLOW        /* nothing fails, but one write in ten takes longer than the first
                        try is waited for: no leader is deposed by that */
};

/* The form of that name, or -1. */
int sim_form_find(const char *name);

/* Sets up knobs, timing, list and processes of a form other than FORM_FAULTS. */
void sim_form_begin(struct sim *s, enum sim_form form);

/* From now on everybody stays, nothing changes and every answer comes. */
void sim_form_stop(struct sim *s);

#endif
