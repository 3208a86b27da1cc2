/* The plugin's file, before anything in it runs: name, kind, owners, ELF. */
#include "host/plugin_private.h"

#include "base/errors.h"
#include "base/nearest.h"
#include "base/status.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int plugin_refuse(struct plugin_error *error, int status, int code, const char *name,
                  const char *format, ...)
{
    va_list args;
    int n = snprintf(error->text, sizeof error->text,
                     "PARTI-E%d plugin \"%.200s\": ", code, name);

    error->code = code;
    va_start(args, format);
    (void)vsnprintf(error->text + n, sizeof error->text - (size_t)n, format, args);
    va_end(args);
    return status;
}

const char *plugin_dir_default(void)
{
    return PARTI_PLUGIN_DIR;
}

int plugin_find(const char *name, const char *dir, char path[PATH_MAX],
                struct plugin_error *error)
{
    int n;

    if (dir == NULL)
        dir = plugin_dir_default();
    if (name[0] == '\0')
        return plugin_refuse(error, STATUS_INVALID, ERR_PLUGIN_NAME, name,
                             "the name is empty.\n  Give a bare name such as "
                             "\"static\", or an absolute path.");
    if (name[0] != '/' && strchr(name, '/') != NULL)
        return plugin_refuse(error, STATUS_INVALID, ERR_PLUGIN_NAME, name,
                             "this is a relative path, which would mean another file "
                             "wherever parti is started.\n  Give a bare name such as "
                             "\"static\", or an absolute path.");
    if (name[0] != '/' && dir[0] != '/')
        return plugin_refuse(error, STATUS_INVALID, ERR_PLUGIN_NAME, name,
                             "the plugin directory %.200s is a relative path.\n  Give "
                             "an absolute one.",
                             dir);
    n = name[0] == '/' ? snprintf(path, PATH_MAX, "%s", name)
                       : snprintf(path, PATH_MAX, "%s/%s.so", dir, name);
    if (n < 0 || n >= PATH_MAX)
        return plugin_refuse(error, STATUS_INVALID, ERR_PLUGIN_NAME, name,
                             "its path has more than %d bytes.\n  Install it in a folder "
                             "with a shorter path.",
                             PATH_MAX - 1);
    return 0;
}

/* The nearest name among the plugins beside 'path', into near[256]; false: none. */
static bool near_name(const char *name, const char *path, char near[256])
{
    char dir[PATH_MAX], *slash;
    struct nearest n;
    size_t score = 0;
    DIR *d;

    (void)snprintf(dir, sizeof dir, "%s", path);
    slash = strrchr(dir, '/');
    if (slash == NULL || name[0] == '/')
        return false;
    *slash = '\0';
    d = opendir(dir);
    if (d == NULL)
        return false;
    near[0] = '\0';
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        size_t length = strlen(e->d_name);
        char stem[256];
        if (length < 4 || strcmp(e->d_name + length - 3, ".so") != 0)
            continue;
        (void)snprintf(stem, sizeof stem, "%.*s", (int)length - 3, e->d_name);
        nearest_init(&n, name);
        nearest_offer(&n, stem);
        /* Ties by name, not by the directory's order. */
        if (n.best != NULL && (near[0] == '\0' || n.score < score ||
                               (n.score == score && strcmp(stem, near) < 0))) {
            score = n.score;
            (void)snprintf(near, 256, "%s", stem);
        }
    }
    (void)closedir(d);
    return near[0] != '\0';
}

static int missing(const char *name, const char *path, int error_number,
                   struct plugin_error *error)
{
    char near[256];
    size_t n = strlen(name);

    if (error_number != ENOENT && error_number != ENOTDIR)
        return plugin_refuse(error, STATUS_NOTFOUND, ERR_PLUGIN_MISSING, name,
                             "%s cannot be reached: %s.\n  Let this user read the file "
                             "and every folder above it.",
                             path, strerror(error_number));
    if (name[0] != '/' && n > 3 && strcmp(name + n - 3, ".so") == 0)
        return plugin_refuse(error, STATUS_NOTFOUND, ERR_PLUGIN_MISSING, name,
                             "there is no file %s.\n  A bare name goes without its "
                             "\".so\".",
                             path);
    if (near_name(name, path, near))
        return plugin_refuse(error, STATUS_NOTFOUND, ERR_PLUGIN_MISSING, name,
                             "there is no file %s; did you mean \"%s\"?\n  'parti "
                             "plugins list' shows what is there.",
                             path, near);
    return plugin_refuse(error, STATUS_NOTFOUND, ERR_PLUGIN_MISSING, name,
                         "there is no file %s.\n  Install it there, or name another "
                         "folder with [parti] plugin_dir.",
                         path);
}

static const char *kind_of(mode_t mode)
{
    if (S_ISDIR(mode))
        return "a directory";
    if (S_ISFIFO(mode))
        return "a named pipe";
    if (S_ISSOCK(mode))
        return "a socket";
    return "a device";
}

/* Owner and mode of the file or of one folder above it.  A sticky folder may be open to
 * all: in it, only the owner of an entry can replace that entry, and each entry's owner
 * is checked. */
static int check_owner(const char *name, const char *file, const char *at,
                       const struct stat *st, struct plugin_error *error)
{
    const char *whose = strcmp(file, at) == 0 ? "" : ", a folder above the plugin,";
    struct passwd user, *found = NULL;
    char names[1024];

    if (st->st_uid != 0 && st->st_uid != geteuid()) {
        (void)getpwuid_r(st->st_uid, &user, names, sizeof names, &found);
        return plugin_refuse(
            error, STATUS_DENIED, ERR_PLUGIN_UNSAFE, name,
            "%s%s belongs to user %u (%s), who could change the plugin; it must "
            "belong to root or to this user (%u).\n  chown root %s, if you trust what is "
            "in it.",
            at, whose, (unsigned)st->st_uid, found != NULL ? found->pw_name : "unknown",
            (unsigned)geteuid(), at);
    }
    if (!(st->st_mode & (S_IWGRP | S_IWOTH)) ||
        (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX)))
        return 0;
    return plugin_refuse(error, STATUS_DENIED, ERR_PLUGIN_UNSAFE, name,
                         "%s%s can be written by %s (mode %04o), who could change the "
                         "plugin.\n  chmod go-w %s, if you trust what is in it.",
                         at, whose, st->st_mode & S_IWOTH ? "anyone" : "its group",
                         (unsigned)st->st_mode & 07777, at);
}

/* The file, then each folder up to the root. */
static int check_owners(const char *name, const char *real, const struct stat *file,
                        struct plugin_error *error)
{
    char at[PATH_MAX];
    struct stat st;
    int result = check_owner(name, real, real, file, error);

    (void)snprintf(at, sizeof at, "%s", real);
    while (result == 0 && strcmp(at, "/") != 0) {
        char *slash = strrchr(at, '/');
        slash[slash == at] = '\0';
        if (lstat(at, &st) < 0)
            return missing(name, at, errno, error);
        result = check_owner(name, real, at, &st, error);
    }
    return result;
}

#if defined(__x86_64__)
enum { OUR_MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
enum { OUR_MACHINE = EM_AARCH64 };
#elif defined(__i386__)
enum { OUR_MACHINE = EM_386 };
#elif defined(__arm__)
enum { OUR_MACHINE = EM_ARM };
#elif defined(__riscv)
enum { OUR_MACHINE = EM_RISCV };
#elif defined(__powerpc64__)
enum { OUR_MACHINE = EM_PPC64 };
#elif defined(__s390x__)
enum { OUR_MACHINE = EM_S390 };
#else
enum { OUR_MACHINE = EM_NONE }; /* not compared: the dynamic linker will */
#endif

static const char *machine_name(unsigned machine)
{
    switch (machine) {
    case EM_X86_64: return "x86-64";
    case EM_AARCH64: return "aarch64";
    case EM_386: return "i386";
    case EM_ARM: return "arm";
    case EM_RISCV: return "riscv";
    case EM_PPC64: return "ppc64";
    case EM_S390: return "s390x";
    default: return "another machine";
    }
}

/* The first bytes alone: kind, word size, byte order, machine. */
static int check_elf(const char *name, const char *real, struct plugin_error *error)
{
    Elf64_Ehdr h = {0}; /* what is looked at lies alike in Elf32_Ehdr */
    const unsigned char class = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
    const unsigned char order =
        __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
    int fd = open(real, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t n;

    if (fd < 0)
        return missing(name, real, errno, error);
    n = read(fd, &h, sizeof h);
    (void)close(fd);
    if (n < (ssize_t)sizeof(Elf32_Ehdr) || memcmp(h.e_ident, ELFMAG, SELFMAG) != 0)
        return plugin_refuse(error, STATUS_INVALID, ERR_PLUGIN_FOREIGN, name,
                             "%s is no shared object: it does not begin as an ELF file "
                             "does.\n  Build it as the guide in the SDK says, or install "
                             "it again.",
                             real);
    if (h.e_ident[EI_CLASS] != class || h.e_ident[EI_DATA] != order ||
        (OUR_MACHINE != EM_NONE && h.e_machine != OUR_MACHINE))
        return plugin_refuse(error, STATUS_INVALID, ERR_PLUGIN_FOREIGN, name,
                             "%s is built for %s (%s bits), this host for %s (%zu "
                             "bits).\n  Get a build for this machine.",
                             real, machine_name(h.e_machine),
                             h.e_ident[EI_CLASS] == ELFCLASS64 ? "64" : "32",
                             machine_name(OUR_MACHINE), 8 * sizeof(void *));
    if (h.e_type != ET_DYN)
        return plugin_refuse(error, STATUS_INVALID, ERR_PLUGIN_FOREIGN, name,
                             "%s is an ELF file, but no shared object (type %u, needed "
                             "%u).\n  Link it with -shared.",
                             real, (unsigned)h.e_type, (unsigned)ET_DYN);
    return 0;
}

int plugin_file_check(const char *name, const char *path, char real[PATH_MAX],
                      struct stat *ret_stat, struct plugin_error *error)
{
    int result;

    if (realpath(path, real) == NULL || lstat(real, ret_stat) < 0)
        return missing(name, path, errno, error);
    if (!S_ISREG(ret_stat->st_mode))
        return plugin_refuse(error, STATUS_INVALID, ERR_PLUGIN_FILE, name,
                             "%s is %s; a plugin is a regular file.\n  Put the shared "
                             "object there, or name another path.",
                             real, kind_of(ret_stat->st_mode));
    result = check_owners(name, real, ret_stat, error);
    return result < 0 ? result : check_elf(name, real, error);
}
