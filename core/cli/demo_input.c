#include "cli/demo_input.h"

#include "base/bytes.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The paragraph of one package: what is known of it so far. */
struct paragraph {
    char section[DEMO_SECTION_ROOM];
    bool is_installed;
};

static int count(struct demo_input *input, const struct paragraph *p, const char *only)
{
    size_t i = 0;

    if (!p->is_installed || p->section[0] == '\0')
        return 0;
    if (only != NULL && strcmp(only, p->section) != 0)
        return 0;
    while (i < input->n && strcmp(input->section[i].name, p->section) != 0)
        i++;
    if (i == DEMO_SECTIONS_MAX)
        return STATUS_LIMIT;
    if (i == input->n) {
        input->section[i] = (struct demo_section){0};
        bytes_to_text(bytes_of(p->section), input->section[i].name, DEMO_SECTION_ROOM);
        input->n++;
    }
    input->section[i].packages++;
    input->packages++;
    return 0;
}

static void take_line(struct paragraph *p, const char *line)
{
    if (strncmp(line, "Section: ", 9) == 0)
        bytes_to_text(bytes_of(line + 9), p->section, sizeof p->section);
    else if (strncmp(line, "Status: ", 8) == 0)
        p->is_installed = strstr(line, " installed") != NULL;
}

int demo_input_read(struct demo_input *input, const char *path, const char *only)
{
    FILE *in = fopen(path, "re");
    struct paragraph p = {0};
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    int status = 0;

    if (in == NULL)
        return STATUS_IO;
    *input = (struct demo_input){0};
    while (status == 0 && (n = getline(&line, &room, in)) > 0) {
        if (line[n - 1] == '\n')
            line[n - 1] = '\0';
        if (line[0] != '\0') {
            take_line(&p, line);
            continue;
        }
        status = count(input, &p, only); /* an empty line ends the paragraph */
        p = (struct paragraph){0};
    }
    if (status == 0)
        status = count(input, &p, only);
    if (ferror(in) != 0)
        status = STATUS_IO;
    free(line);
    (void)fclose(in);
    return status;
}
