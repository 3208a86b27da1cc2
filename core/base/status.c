#include "base/status.h"

const char *status_text(int status)
{
    switch (status) {
#define X(symbol, value, text) \
    case symbol: return text;
        STATUS_TABLE(X)
#undef X
    }
    return "unknown status";
}
