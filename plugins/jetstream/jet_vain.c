/* Messages that are heard of and do not come.
 *
 * The notifier has told of one, a reader that is to bring it says that nothing is
 * pending. For some turns that may be a reader on a server of the cluster that is behind;
 * after VAIN_MS the stream has let go of the message, as a rule, and the lane needs no
 * reader. That it is so nobody has said, so it is looked for again after a while, the
 * next time after twice as long: a server that is behind for longer costs time, and no
 * message.
 */
#include "plugins/jetstream/jet_consumer.h"

enum {
    VAIN_MS = 5000,   /* how long it is looked for, and then not, */
    DOUBLINGS_MAX = 6 /* which is doubled so often: 5 min */
};

void jet_vain(struct jet_turn *t, uint64_t now)
{
    if (t->vain != t->heard) {
        if (t->heard > t->gone_before)
            t->vains = 0; /* another message */
        t->vain = t->heard;
        t->vain_ms = now;
    } else if (now - t->vain_ms >= VAIN_MS) {
        t->gone = t->gone_before = t->heard;
        t->again_ms = now + ((uint64_t)VAIN_MS << t->vains);
        t->vains += t->vains < DOUBLINGS_MAX;
    }
}

int32_t jet_vain_is_over(struct jet_turn *t, uint64_t now)
{
    if (t->gone == 0 || now < t->again_ms)
        return 0;
    t->gone = t->vain = 0;
    return 1;
}
