/*
 * What a process says when its seccomp filter (baonet/launch/confinement.py) has refused a system call: the number, on
 * standard error. Then it ends. The filter lets nobody install another handler, and one that is blocked or whose stack is
 * bad makes the kernel end the process, so nothing goes on behind a refused call.
 */
#define _GNU_SOURCE
#include "confined.h"

#include <signal.h>
#include <unistd.h>

#define SECCOMP 1 /* si_code: SYS_SECCOMP of asm-generic/siginfo.h */

static void refused(int number, siginfo_t *info, void *context) {
    (void)context;
    if (info->si_code == SECCOMP) {
        char text[64], *end = text + sizeof text, *begin = end;
        unsigned call = (unsigned)info->si_syscall;
        *--begin = '\n';
        do *--begin = (char)('0' + call % 10);
        while (call /= 10);
        static const char before[] = "seccomp: system call ";
        begin -= sizeof before - 1;
        memcpy(begin, before, sizeof before - 1);
        if (write(STDERR_FILENO, begin, (size_t)(end - begin)) < 0) _exit(128 + number);
    }
    raise(number); /* SA_RESETHAND: nobody takes it now */
    _exit(128 + number);
}

PyObject *tell_refused_calls(PyObject *module, PyObject *arguments) {
    (void)module, (void)arguments;
    struct sigaction action = {.sa_sigaction = refused, .sa_flags = (int)(SA_SIGINFO | SA_RESETHAND | SA_NODEFER)};
    if (sigaction(SIGSYS, &action, NULL)) return PyErr_SetFromErrno(PyExc_OSError);
    Py_RETURN_NONE;
}
