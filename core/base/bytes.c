#include "base/bytes.h"

#include "base/must.h"

#include <string.h>

struct bytes bytes_of(const char *text)
{
    return (struct bytes){.at = text, .n = strlen(text)};
}

int bytes_compare(struct bytes a, struct bytes b)
{
    size_t shorter = a.n < b.n ? a.n : b.n;
    int order = shorter > 0 ? memcmp(a.at, b.at, shorter) : 0;

    if (order != 0)
        return order;
    return (a.n > b.n) - (a.n < b.n);
}

bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.at, b.at, a.n) == 0);
}

void bytes_to_text(struct bytes b, char *to, size_t room)
{
    must(room > 0);
    size_t n = b.n < room - 1 ? b.n : room - 1;
    if (n > 0)
        memcpy(to, b.at, n);
    to[n] = '\0';
}
