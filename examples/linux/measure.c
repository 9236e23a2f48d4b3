/*
 * Runs workloads, which are scripts in /automotive, and tells of each run how long it took and what the CPU counted:
 *
 *     measure [[warmup=N] [runs=N] WORKLOAD...]...
 *
 * Numbers are for what comes behind them. Without a name it runs all. As `perf stat` does, it measures the whole process and its children, from its exec to its end. As
 * the first process of a system it switches this off when it is done, so a kernel can be told `rdinit=/bin/measure -- WORKLOAD`.
 * Nothing is printed between the runs of a workload: a console goes on sending for a while.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "programs.h"

#define WORKLOADS "/automotive"
#define INPUTS "/inputs"
#define OUTPUT "/output" /* of every workload */
#define MOST_RUNS 100
#define MOST_EVENTS 8

struct event {
    const char *name;
    uint32_t type;
    uint64_t code;
};
#ifdef __aarch64__ /* PMUv3 (Arm ARM, D11.11): what a Cortex-A53 counts at a time */
static const struct event events[] = {
    {"instructions", PERF_TYPE_RAW, 0x08}, {"cycles", PERF_TYPE_RAW, 0x11},
    {"L1I refills", PERF_TYPE_RAW, 0x01},  {"L1D refills", PERF_TYPE_RAW, 0x03},
    {"L2 refills", PERF_TYPE_RAW, 0x17},   {"ITLB refills", PERF_TYPE_RAW, 0x02},
    {"DTLB refills", PERF_TYPE_RAW, 0x05},
};
#else
static const struct event events[] = {
    {"instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS},
    {"cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES},
};
#endif
#define EVENTS (sizeof events / sizeof *events)
_Static_assert(EVENTS <= MOST_EVENTS, "a run has room for so many");

struct run {
    uint64_t nanoseconds, checksum, bytes;
    uint64_t counts[MOST_EVENTS];
    bool counted[MOST_EVENTS];
};

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* A counter of a process and its children, from its exec on; -1 where there is none. */
static int open_counter(const struct event *event, pid_t process) {
    struct perf_event_attr attributes = {
        .type = event->type,
        .size = sizeof attributes,
        .config = event->code,
        .disabled = 1,
        .enable_on_exec = 1,
        .inherit = 1,
        .exclude_hv = 1,
        .read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
    };
    return (int)syscall(SYS_perf_event_open, &attributes, process, -1, -1, 0);
}

/* What was counted all the time: a count that is an estimate is none. */
static bool read_counter(int counter, uint64_t *count) {
    struct {
        uint64_t value, enabled, running;
    } counted;
    if (counter < 0) return false;
    bool whole = read(counter, &counted, sizeof counted) == sizeof counted && counted.running && counted.running == counted.enabled;
    close(counter);
    *count = counted.value;
    return whole;
}

/* FNV-1a, of 64 bits, over all bytes. */
static void read_output(struct run *run) {
    run->checksum = 0xcbf29ce484222325u;
    FILE *file = fopen(OUTPUT, "rb");
    if (!file) fail(OUTPUT);
    for (int byte; (byte = getc_unlocked(file)) != EOF; run->bytes++) run->checksum = (run->checksum ^ (uint8_t)byte) * 0x100000001b3u;
    fclose(file);
}

/* The new process waits with its exec until `go` has been written to. */
static pid_t start(const char *path, int *go) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC)) fail("pipe");
    pid_t process = fork();
    if (process < 0) fail("fork");
    if (process == 0) {
        char byte;
        if (read(ends[0], &byte, 1) != 1) _exit(1);
        execl(path, path, (char *)NULL);
        fail(path);
    }
    close(ends[0]);
    *go = ends[1];
    return process;
}

static struct run run_once(const char *workload) {
    struct run run = {0};
    char path[256];
    snprintf(path, sizeof path, WORKLOADS "/%s", workload);
    int go, counters[EVENTS], status;
    pid_t process = start(path, &go);
    for (size_t n = 0; n < EVENTS; n++) counters[n] = open_counter(&events[n], process);
    uint64_t begun = now();
    if (write(go, "", 1) != 1 || waitpid(process, &status, 0) != process) fail(workload);
    run.nanoseconds = now() - begun;
    close(go);
    for (size_t n = 0; n < EVENTS; n++) run.counted[n] = read_counter(counters[n], &run.counts[n]);
    if (!WIFEXITED(status) || WEXITSTATUS(status)) fail(workload);
    read_output(&run);
    return run;
}

static void measure(const char *workload, unsigned warmup, unsigned count) {
    static struct run runs[MOST_RUNS];
    if (count < 1 || count > MOST_RUNS) fail("measure: 1 to 100 runs");
    tcdrain(STDOUT_FILENO);
    for (; warmup; warmup--) run_once(workload);
    for (unsigned n = 0; n < count; n++) runs[n] = run_once(workload);
    for (unsigned n = 0; n < count; n++) {
        const struct run *run = &runs[n];
        printf("%s, run %u: %lu ns, output %016lx of %lu bytes", workload, n + 1, run->nanoseconds, run->checksum, run->bytes);
        for (size_t of = 0; of < EVENTS; of++)
            if (run->counted[of]) printf(", %lu %s", run->counts[of], events[of].name);
        printf("\n");
    }
    fflush(stdout);
}

static bool is_number(const char *argument, const char *name, unsigned *value) {
    size_t length = strlen(name);
    if (strncmp(argument, name, length) || argument[length] != '=') return false;
    *value = (unsigned)strtoul(argument + length + 1, NULL, 10);
    return true;
}

static int is_shown(const struct dirent *entry) { return entry->d_name[0] != '.'; }

static int go_on(int count, char **arguments) {
    unsigned warmup = 1, runs = 3;
    bool all = true;
    mkdir(INPUTS, 0755);
    char *to[] = {"inputs", INPUTS, NULL};
    inputs_main(2, to);
    for (int n = 1; n < count; n++) {
        if (is_number(arguments[n], "warmup", &warmup) || is_number(arguments[n], "runs", &runs)) continue;
        measure(arguments[n], warmup, runs);
        all = false;
    }
    struct dirent **found = NULL;
    int workloads = all ? scandir(WORKLOADS, &found, is_shown, alphasort) : 0;
    for (int n = 0; n < workloads; n++) measure(found[n]->d_name, warmup, runs);
    printf("measure: done\n");
    return 0;
}

/* A first process must not end, so another one does the work. */
int measure_main(int count, char **arguments) {
    if (getpid() != 1) return go_on(count, arguments);
    int status = 0;
    pid_t process = fork();
    if (process == 0) exit(go_on(count, arguments));
    while (process > 0 && waitpid(-1, &status, 0) != process) {}
    if (status) printf("measure: FAILED\n");
    fflush(stdout);
    tcdrain(STDOUT_FILENO);
    reboot(RB_POWER_OFF);
    return 1;
}
