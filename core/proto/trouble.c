#include "proto/trouble.h"

#include "base/must.h"

#include <string.h>

/* A text from outside may be longer than there is room for; half a character at its end
 * would not be UTF-8 any more. */
static void keep_text(struct trouble *t, const char *why)
{
    size_t n = strlen(why);

    if (n >= sizeof t->text) {
        n = sizeof t->text - 1;
        for (int i = 0; i < 3 && ((unsigned char)why[n] & 0xc0) == 0x80; i++)
            n--;
    }
    memcpy(t->text, why, n);
    t->text[n] = '\0';
}

void trouble_failed(struct trouble *t, const char *why, uint64_t now_ms)
{
    must(why[0] != '\0'); /* an empty text means that there is no trouble */
    if (!t->is_on)
        t->since_ms = now_ms;
    t->is_on = true;
    t->is_well = false;
    keep_text(t, why);
}

void trouble_answered(struct trouble *t, uint64_t now_ms)
{
    if (!t->is_shown) {
        *t = (struct trouble){0};
    } else if (!t->is_well) {
        t->is_well = true;
        t->well_ms = now_ms;
    }
}

void trouble_run(struct trouble *t, const struct node_timing *timing, uint64_t now_ms)
{
    if (now_ms < trouble_wake_ms(t, timing))
        return;
    if (t->is_shown)
        *t = (struct trouble){0};
    else
        t->is_shown = true;
}

uint64_t trouble_wake_ms(const struct trouble *t, const struct node_timing *timing)
{
    if (t->is_shown)
        return t->is_well ? sat_add(t->well_ms, timing->degraded_exit) : UINT64_MAX;
    return t->is_on ? sat_add(t->since_ms, timing->degraded_enter) : UINT64_MAX;
}
