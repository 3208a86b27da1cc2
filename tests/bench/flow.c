/* The processes of `make bench-flow` and `make bench-handover`; flow.py starts them. */
#include "flow.h"

#include <string.h>

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } roles[] = {{"fill", flow_fill}, {"bare", flow_bare},     {"load", flow_load},
                 {"spy", flow_spy},   {"worker", flow_worker}, {"child", flow_child},
                 {"spin", flow_spin}};

    for (size_t i = 0; argc > 1 && i < sizeof roles / sizeof *roles; i++) {
        if (strcmp(argv[1], roles[i].name) == 0)
            return roles[i].run(argc - 2, argv + 2);
    }
    flow_die("flow.py starts this program");
}
