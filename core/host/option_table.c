/* Option tables themselves: are they sound, and what do they say to people. */
#include "host/option.h"

#include "base/status.h"
#include "host/option_json.h"
#include "host/option_value.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char *const type_names[] = {"text", "number", "yes|no", "duration", "path"};
enum { TYPES = sizeof type_names / sizeof *type_names };

static const char name_chars[] = "abcdefghijklmnopqrstuvwxyz"
                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
enum { NAME_MAX_BYTES = 64, FLAGS_ALL = PARTI_REQUIRED | PARTI_SECRET | PARTI_LIST };

static bool pattern(const struct parti_option *row)
{
    return row->name[strlen(row->name) - 1] == '*';
}

static bool reserved(const char *name)
{
    for (const char *const *key = option_host_keys(); *key != NULL; key++)
        if (strcmp(*key, name) == 0)
            return true;
    return strncmp(name, "parti_", 6) == 0;
}

/* NULL, or what is wrong with the name. */
static const char *name_fault(const struct parti_option *row)
{
    size_t n = strlen(row->name), good = strspn(row->name, name_chars);

    if (n == 0 || n > NAME_MAX_BYTES)
        return "has a name that is empty or longer than 64 bytes";
    if (good < n && !(good == n - 1 && pattern(row)))
        return "has a name with a byte other than letters, digits, '_', '-' and '.'";
    if (reserved(row->name))
        return "has a name that the host keeps for itself";
    return NULL;
}

static const char *shape_fault(const struct parti_option *row)
{
    bool number = row->type == PARTI_INT || row->type == PARTI_MSEC;

    if (row->type < 0 || row->type >= TYPES)
        return "has a type that is not in the SDK";
    if (row->flags & ~FLAGS_ALL)
        return "has a flag that is not in the SDK";
    if (row->help == NULL || row->help[0] == '\0')
        return "has no help text";
    if (row->min > row->max)
        return "has a least value above the greatest";
    if (!number && (row->min != 0 || row->max != 0))
        return "has limits, which only INT and MSEC can have";
    if (row->choices != NULL && row->type != PARTI_STR)
        return "has choices, which only STR can have";
    if (row->choices != NULL &&
        (row->choices[0] == '\0' || option_value_choice("", row->choices) >= 0))
        return "has an empty choice";
    if ((row->flags & PARTI_LIST) && (row->type != PARTI_STR || row->choices != NULL))
        return "is a LIST, which goes only with STR without choices";
    if (row->fallback != NULL && (row->flags & PARTI_REQUIRED))
        return "is REQUIRED and has a fallback, too";
    if (pattern(row) && (row->type != PARTI_STR || row->fallback != NULL ||
                         (row->flags & PARTI_REQUIRED)))
        return "ends in '*', so it must be STR, not required and without fallback";
    return NULL;
}

static const char *fallback_fault(const struct parti_option *row)
{
    const char *text = row->fallback, *why;
    int64_t n = 0;
    int yes, result = 0;

    if (text == NULL)
        return NULL;
    if (row->type == PARTI_INT)
        result = option_value_int(text, &n, &why);
    else if (row->type == PARTI_MSEC)
        result = option_value_msec(text, &n, &why);
    else if (row->type == PARTI_BOOL)
        result = option_value_bool(text, &yes, &why);
    else if (row->type == PARTI_PATH)
        result = text[0] != '\0' ? 0 : STATUS_INVALID;
    else if (row->choices != NULL)
        result = option_value_choice(text, row->choices) >= 0 ? 0 : STATUS_INVALID;
    if (result < 0)
        return "has a fallback that is no value of its type";
    if ((row->min != 0 || row->max != 0) && (n < row->min || n > row->max))
        return "has a fallback outside its own limits";
    return NULL;
}

int option_table_check(const struct parti_option *table, char *why, size_t room)
{
    for (size_t i = 0; table != NULL && table[i].name != NULL; i++) {
        const char *fault;
        if (i == OPTIONS_MAX) {
            (void)snprintf(why, room, "the list has no end within %d rows", OPTIONS_MAX);
            return STATUS_INVALID;
        }
        fault = name_fault(&table[i]);
        if (fault == NULL)
            fault = shape_fault(&table[i]);
        if (fault == NULL)
            fault = fallback_fault(&table[i]);
        for (size_t j = 0; fault == NULL && j < i; j++)
            if (strcmp(table[i].name, table[j].name) == 0)
                fault = "stands twice";
        if (fault != NULL) {
            (void)snprintf(why, room, "option %zu ('%.64s') %s", i + 1, table[i].name,
                           fault);
            return STATUS_INVALID;
        }
    }
    return 0;
}

static void limits_text(const struct parti_option *row, char *to, size_t room)
{
    char min[32], max[32];

    to[0] = '\0';
    if (row->choices != NULL)
        (void)snprintf(to, room, ", one of %s", row->choices);
    if (row->min == 0 && row->max == 0)
        return;
    if (row->type == PARTI_MSEC) {
        option_value_show_msec((uint64_t)row->min, min, sizeof min);
        option_value_show_msec((uint64_t)row->max, max, sizeof max);
        (void)snprintf(to, room, ", %s .. %s", min, max);
    } else {
        (void)snprintf(to, room, ", %" PRId64 " .. %" PRId64, row->min, row->max);
    }
}

/* The address is what is borrowed (0); the rest goes with it.  -1: not borrowed. */
static int place_in(const struct option_loan *loan, const char *name)
{
    if (loan != NULL)
        for (uint32_t i = 0; i < loan->connection->n; i++)
            if (strcmp(loan->connection->name[i], name) == 0)
                return (int)i;
    return -1;
}

static void describe_text(const struct parti_option *table,
                          const struct option_loan *loan, FILE *to)
{
    char limits[256];

    for (const struct parti_option *row = table; row != NULL && row->name; row++) {
        limits_text(row, limits, sizeof limits);
        fprintf(to, "  %s (%s%s%s%s", row->name, type_names[row->type],
                row->flags & PARTI_LIST ? " list" : "", limits,
                row->flags & PARTI_SECRET ? ", secret" : "");
        if (row->flags & PARTI_REQUIRED)
            fprintf(to, ", required");
        else if (row->fallback != NULL)
            fprintf(to, ", default '%s'",
                    row->flags & PARTI_SECRET ? "***" : row->fallback);
        int place = place_in(loan, row->name);
        if (place == 0)
            fprintf(to, "%s%s", row->flags & PARTI_REQUIRED ? ", here or " : ", or ",
                    loan->from);
        else if (place > 0)
            fprintf(to, ", borrowed with %s", loan->connection->name[0]);
        fprintf(to, ")\n      %s\n", row->help);
    }
    if (table == NULL || table->name == NULL)
        fprintf(to, "  none\n");
}

json_t *option_json_text(const char *text)
{
    json_t *string;
    char ascii[512];
    size_t n = 0;

    if (text == NULL)
        return json_null();
    string = json_string(text);
    if (string != NULL)
        return string;
    for (; n < sizeof ascii && text[n] != '\0'; n++)
        ascii[n] = (char)((unsigned char)text[n] < 0x80 ? text[n] : '?');
    return json_stringn(ascii, n);
}

static json_t *row_json(const struct parti_option *row, const struct option_loan *loan)
{
    bool secret = (row->flags & PARTI_SECRET) != 0;
    json_t *o = json_object();

    json_object_set_new(o, "name", option_json_text(row->name));
    json_object_set_new(o, "type", json_string(type_names[row->type]));
    json_object_set_new(o, "help", option_json_text(row->help));
    json_object_set_new(o, "default", option_json_text(secret ? NULL : row->fallback));
    json_object_set_new(o, "required", json_boolean(row->flags & PARTI_REQUIRED));
    json_object_set_new(o, "secret", json_boolean(secret));
    json_object_set_new(o, "list", json_boolean(row->flags & PARTI_LIST));
    if (place_in(loan, row->name) >= 0)
        json_object_set_new(o, "borrowed_from", option_json_text(loan->from));
    if (row->choices != NULL)
        json_object_set_new(o, "choices", option_json_text(row->choices));
    if (row->min != 0 || row->max != 0) {
        json_object_set_new(o, "min", json_integer(row->min));
        json_object_set_new(o, "max", json_integer(row->max));
    }
    return o;
}

json_t *option_table_json(const struct parti_option *table,
                          const struct option_loan *loan)
{
    json_t *list = json_array();

    for (const struct parti_option *row = table; row != NULL && row->name; row++)
        json_array_append_new(list, row_json(row, loan));
    return list;
}

void option_describe(const struct parti_option *table, const struct option_loan *loan,
                     enum option_format format, FILE *to)
{
    json_t *list;

    if (format == OPTION_TEXT) {
        describe_text(table, loan, to);
        return;
    }
    list = option_table_json(table, loan);
    (void)json_dumpf(list, to, JSON_COMPACT);
    json_decref(list);
}
