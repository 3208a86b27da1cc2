/* Faults that somebody puts into a worker of the ledger, which the judge must notice.
 *
 *     skip      acknowledges each 97th message of a partition without handling it
 *     early     acknowledges before it handles, and does not handle each 97th then
 *     blind     does not ask parti_holds()
 *     twice     handles what it has acknowledged and settled once more
 *     jump      handles two messages in the wrong order
 *     naked     counts a message that it cannot do as handled: acknowledges it
 *     unburied  drops what should become a dead letter: acknowledges it
 *     deadly    makes a dead letter of each 97th, which it has handled
 *     overtake  its acks overtake the naks before them (deliver_max above 1)
 *
 * A command under `parti run` has "twice" and those from "naked" on.
 */
#ifndef PARTI_TESTS_LEDGER_MUTANT_H
#define PARTI_TESTS_LEDGER_MUTANT_H

#include "ledger_io.h"

enum mutant { SOUND, SKIP, EARLY, BLIND, TWICE, JUMP, NAKED, UNBURIED, DEADLY, OVERTAKE };

extern enum mutant mutant;

/* Ends the process where there is none of this name. */
void mutant_set(const char *name);

/* Is it one of those that such a mutant is wrong about? */
bool mutant_is_rare(const struct ledger_row *row);

/* What is answered where the row says this kind. */
enum ledger_kind mutant_answer(const struct ledger_row *row);

/* TWICE and JUMP: its row comes, perhaps once more, behind later ones. */
void mutant_keep(const struct ledger_row *row);
void mutant_put_kept(const struct ledger_io *io, const struct ledger_row *row);

#endif
