// The wall clock of a process, set by a file: seconds to add to CLOCK_REALTIME, as one 64-bit number. Loaded with LD_PRELOAD.
//
// The clock of time that passes is left alone, as it is when an administrator sets a machine's clock. (libfaketime 0.9.10 has
// a setting for that, with which Python's time.sleep fails.)
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

static const volatile int64_t none = 0;
static const volatile int64_t *offset = &none;
static int (*real_gettime)(clockid_t, struct timespec *);
static int (*real_semaphore)(sem_t *, const struct timespec *);
static int (*real_condition)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);

__attribute__((constructor)) static void begin(void) {
    real_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    real_semaphore = dlsym(RTLD_NEXT, "sem_timedwait");
    real_condition = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    if (!real_condition) real_condition = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
    const char *path = getenv("CHAOS_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *page = file < 0 ? MAP_FAILED : mmap(0, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    if (page != MAP_FAILED) offset = page;
}

static struct timespec real(const struct timespec *at) {
    struct timespec moved = *at;
    if (moved.tv_sec > 1000000000) moved.tv_sec -= *offset;  // else it is of a clock that began with the machine
    return moved;
}

int clock_gettime(clockid_t id, struct timespec *at) {
    if (!real_gettime) begin();
    int status = real_gettime(id, at);
    if (!status && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) at->tv_sec += *offset;
    return status;
}

int gettimeofday(struct timeval *at, void *zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}

int sem_timedwait(sem_t *semaphore, const struct timespec *until) {
    struct timespec at = real(until);
    return real_semaphore(semaphore, &at);
}

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until) {
    struct timespec at = real(until);
    return real_condition(condition, mutex, &at);
}
