#include "base/nearest.h"

#include <string.h>

enum { FAR = 1 << 20 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Edit distance with swaps of neighbours, to the whole candidate and, in *ret_prefix, to
 * the beginning of it that fits best.  Three rows of the usual table suffice. */
static size_t distance(const char *word, size_t n, const char *candidate, size_t m,
                       size_t *ret_prefix)
{
    size_t rows[3][NEAREST_WORD_MAX + 1];
    size_t *above2 = rows[0], *above = rows[1], *row = rows[2];

    for (size_t j = 0; j <= m; j++)
        above[j] = j;
    for (size_t i = 1; i <= n; i++) {
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t same = word[i - 1] == candidate[j - 1] ? 0 : 1;
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + same);
            if (i > 1 && j > 1 && word[i - 1] == candidate[j - 2] &&
                word[i - 2] == candidate[j - 1])
                row[j] = least(row[j], above2[j - 2] + 1);
        }
        size_t *spare = above2;
        above2 = above;
        above = row;
        row = spare;
    }
    *ret_prefix = FAR;
    for (size_t j = 0; j <= m; j++)
        *ret_prefix = least(*ret_prefix, above[j]);
    return above[m];
}

void nearest_init(struct nearest *n, const char *word)
{
    n->word = word;
    n->best = NULL;
    n->score = FAR;
}

void nearest_offer(struct nearest *n, const char *candidate)
{
    size_t word_n = strlen(n->word), m = strlen(candidate);
    size_t whole, prefix, score = FAR;

    if (word_n == 0 || word_n > NEAREST_WORD_MAX || m == 0 || m > NEAREST_WORD_MAX)
        return;
    whole = distance(n->word, word_n, candidate, m, &prefix);
    if (whole < word_n && whole <= (word_n < 6 ? 1 + (word_n > 3) : word_n / 3))
        score = 2 * whole;
    if (word_n >= 4 && prefix <= word_n / 4)
        score = least(score, 2 * prefix + 1);
    if (score < n->score) {
        n->score = score;
        n->best = candidate;
    }
}
