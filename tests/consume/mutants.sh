#!/bin/sh
# Shows that the judge of the consuming simulator can fail: each rule of the engine is
# broken in a copy of its source, one after the other, and some seed must show it.
# Part of `make check`.  Prints a line a mutant; the last line is a JSON object.
set -u
LC_ALL=C
export LC_ALL

src=$(cd "${PARTI_SRCDIR:-.}" && pwd) || exit 1
build=$(cd "${PARTI_BUILDDIR:-.}" && pwd) || exit 1
seeds=${MUTANT_SEEDS:-3000}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
mutants=0
caught=0

# The parts that are not changed, once.
compile() { # C OBJECT
    ${CC:-cc} -std=gnu11 -w -O1 -I"$tmp" -I"$src/core" -c -o "$2" "$1"
}
mkdir "$tmp/consume" "$tmp/sim" || exit 1
cp "$src"/core/consume/*.[ch] "$tmp/consume/" || exit 1
for c in "$src"/tests/consume/*.c "$src"/core/base/arena.c "$src"/core/base/must.c \
    "$src"/core/base/rand.c "$src"/core/base/status.c; do
    compile "$c" "$tmp/sim/$(basename "$c" .c).o" || exit 1
done
for part in engine flow lane pool store timer; do
    compile "$tmp/consume/$part.c" "$tmp/$part.o" || exit 1
done

# A judge that condemns the sound engine shows nothing.
${CC:-cc} -o "$tmp/sound.run" "$tmp"/*.o "$tmp"/sim/*.o || exit 1
if ! "$tmp/sound.run" --seeds 300 >"$tmp/said" 2>&1; then
    cat "$tmp/said"
    echo "WRONG: the engine as it is does not pass"
    exit 1
fi

# mutant NAME PART 'SED SCRIPT': what the rule says is no longer done.
mutant() {
    mutants=$((mutants + 1))
    sed "$3" "$src/core/consume/$2.c" >"$tmp/consume/$2.c"
    if cmp -s "$src/core/consume/$2.c" "$tmp/consume/$2.c"; then
        echo "WRONG: $1 changes nothing in $2.c"
        return
    fi
    mv "$tmp/$2.o" "$tmp/sound"
    if compile "$tmp/consume/$2.c" "$tmp/$2.o" &&
        ${CC:-cc} -o "$tmp/mutant" "$tmp"/*.o "$tmp"/sim/*.o; then
        timeout 20 "$tmp/mutant" --until-failure --seeds "$seeds" >"$tmp/said" 2>&1
        ended=$?
        if [ $ended -eq 0 ]; then
            echo "WRONG: $1 passes $seeds seeds"
        elif [ $ended -eq 124 ]; then
            echo "WRONG: $1 goes on for ever"
        else
            caught=$((caught + 1))
            printf '%-34s %s\n' "$1" "$(grep -E '^seed|\.c:[0-9]' "$tmp/said" | head -n 1)"
        fi
    else
        echo "WRONG: $1 does not compile"
    fi
    mv "$tmp/sound" "$tmp/$2.o"
    cp "$src/core/consume/$2.c" "$tmp/consume/$2.c"
}

mutant "C1 reads before its claim" lane \
    's/^    pool_held(c, 1);$/&\n    l->sent.token = token;\n    lane_claimed(c, l);/'
mutant "C1 gives before it is known where" flow \
    's/^    if (flow_has_new_origin(l))$/    if (false)/'
mutant "C2 takes a conflict for success" store \
    's/if (ev->status == STATUS_OK) {/if (ev->status % STATUS_CONFLICT == 0) {/'
mutant "C2 does not look who has it" store \
    's/if (exists \&\& token_compare(ev->record.token, l->token) > 0)/if (false)/'
mutant "C4 moves over what fails" flow \
    's/^    l->given = k;$/&\n    l->next = e->position + 1;/'
mutant "C4 moves over a lost dead letter" flow \
    's/if (ev->status == STATUS_OK) {/if (true) {/'
mutant "C5 goes on behind a nak" flow \
    's/^    l->give = i;$/    l->give = e->next != NOBODY ? e->next : i;/'
mutant "C5 takes a whole stretch for acked" flow \
    's/for (; k != UINT32_MAX; k--) {/for (k = l->given - 1; k != UINT32_MAX; k--) {/'
mutant "C5 begins what was returned too soon" flow \
    's/l->waits_for_answers = true;/;/'
mutant "C6 takes old answers" flow 's/c->entry\[i\].tries != ev->attempt/false/'
mutant "C6 has no time-out" flow 's/c->options.handle_timeout_ms > 0$/false/'
mutant "C8 buries one attempt early" flow \
    's/e->fails >= c->options.attempts_max);/e->fails + 1 >= c->options.attempts_max);/'
mutant "C8 never buries" flow 's/        e->is_dead = true;/        e->is_dead = false;/'
mutant "C9 forgets what was begun" lane 's/bool is_lost = .*/bool is_lost = false;/'
mutant "C9 never goes carefully" lane 's/l->careful_n = .*/l->careful_n = 0;/'
mutant "C10 passes a fence over" engine 's/^        fence(c);.*/        return;/'
mutant "C11 clears before the record" lane \
    's/case PHASE_READING: l->phase = PHASE_DRAINING;/case PHASE_READING: clear(c, l);/'
mutant "C11 does not wait for the handler" store \
    's/return l->phase == PHASE_DRAINING \&\& l->given == 0/return l->phase == PHASE_DRAINING/'
mutant "C11 waits for what nobody answers" lane \
    's/^    l->is_burying = false; \/\* nobody hears.*/    if (l->is_burying)\n        return;/'
mutant "C11 has no deadline" lane 's/if (deadline_ms < l->deadline_ms)/if (false)/'
mutant "C12 gives credit twice" pool 's/        l->credit += n;/        l->credit += n - n \/ 2;/'
mutant "C13 forgets what is void" lane \
    's/l->void_origin != 0 ? l->void_origin/false ? 0/'
mutant "C13 follows a void position" flow 's/l->origin != 0 \&\& ev->origin != l->origin/false/'

printf '{"target":"consume_mutants","mutants":%d,"caught":%d}\n' $mutants $caught
[ $mutants -eq $caught ]
