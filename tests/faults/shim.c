/* Preloaded into a command: its k-th call that writes below a folder fails, or kills it.

   FAULT_ROOT   only calls on files below this folder count
   FAULT_CALL   write, fsync, rename or any
   FAULT_AT     number of the call, from 1; 0 = none
   FAULT_ERRNO  what the call fails with; 0 = SIGKILL before it is made
   FAULT_COUNT  file that the number of calls is written to at the end of the process
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long calls;

static int counts(const char *call, const char *path) {
    const char *root = getenv("FAULT_ROOT"), *wanted = getenv("FAULT_CALL");
    if (!root || !wanted || strncmp(path, root, strlen(root)) != 0) return 0;
    return strcmp(wanted, "any") == 0 || strcmp(wanted, call) == 0;
}

/* 0 = go on; otherwise errno is set and the call has failed. */
static int struck(const char *call, const char *path) {
    if (!counts(call, path)) return 0;
    const char *at = getenv("FAULT_AT"), *number = getenv("FAULT_ERRNO");
    if (atomic_fetch_add(&calls, 1) + 1 != (at ? atol(at) : 0)) return 0;
    if (!number || atoi(number) == 0) kill(getpid(), SIGKILL);
    errno = atoi(number);
    return -1;
}

static int struck_at(const char *call, int handle) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return struck(call, path);
}

static int struck_by_name(const char *call, const char *name) {
    char path[PATH_MAX];
    if (name[0] == '/') return struck(call, name);
    if (!getcwd(path, sizeof path - 1)) return 0;
    strncat(path, "/", sizeof path - strlen(path) - 1);
    strncat(path, name, sizeof path - strlen(path) - 1);
    return struck(call, path);
}

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = dlsym(RTLD_NEXT, #name)

ssize_t write(int handle, const void *data, size_t size) {
    REAL(ssize_t, write, int, const void *, size_t);
    return struck_at("write", handle) ? -1 : real(handle, data, size);
}

ssize_t writev(int handle, const struct iovec *parts, int count) {
    REAL(ssize_t, writev, int, const struct iovec *, int);
    return struck_at("write", handle) ? -1 : real(handle, parts, count);
}

int fsync(int handle) {
    REAL(int, fsync, int);
    return struck_at("fsync", handle) ? -1 : real(handle);
}

int rename(const char *from, const char *to) {
    REAL(int, rename, const char *, const char *);
    return struck_by_name("rename", to) ? -1 : real(from, to);
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
    REAL(int, renameat2, int, const char *, int, const char *, unsigned);
    return struck_by_name("rename", to) ? -1 : real(from_folder, from, to_folder, to, flags);
}

__attribute__((destructor)) static void report(void) {
    const char *path = getenv("FAULT_COUNT");
    if (!path) return;
    FILE *file = fopen(path, "w");
    if (!file) return;
    fprintf(file, "%ld\n", atomic_load(&calls));
    fclose(file);
}
