#include "child.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The parent may have ended before the kernel was asked to tell. */
PyObject *die_with_parent(PyObject *module, PyObject *args) {
    (void)module;
    int parent;
    if (!PyArg_ParseTuple(args, "i", &parent)) return NULL;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL)) return PyErr_SetFromErrno(PyExc_OSError);
    if (getppid() != parent) raise(SIGKILL);
    Py_RETURN_NONE;
}

/* This thread is the only one of the process: its directory has a link from each. */
static bool alone(void) {
    struct stat tasks;
    return !stat("/proc/self/task", &tasks) && tasks.st_nlink == 3;
}

static void end(const pid_t *pids, Py_ssize_t count) {
    for (Py_ssize_t i = 0; i < count; i++) kill(pids[i], SIGKILL);
    for (Py_ssize_t i = 0; i < count; i++)
        while (waitpid(pids[i], NULL, 0) < 0 && errno == EINTR) continue;
}

/*
 * A process keeps a page as it was that its parent changes after the fork, so nothing of Python's runs in between. What Python does
 * in a child, a hundred pages of it, is about other threads of the parent: what they hold, and that they are not there.
 */
PyObject *fork_processes(PyObject *module, PyObject *count_object) {
    (void)module;
    Py_ssize_t count = PyNumber_AsSsize_t(count_object, PyExc_OverflowError);
    if (PyErr_Occurred()) return NULL;
    if (count < 0) return PyErr_Format(PyExc_ValueError, "%zd processes", count);
    pid_t *pids = PyMem_Calloc((size_t)count, sizeof *pids);
    if (!pids) return PyErr_NoMemory();
    bool with_others = !alone();
    for (Py_ssize_t i = 0; i < count; i++) {
        if (with_others) PyOS_BeforeFork();
        pid_t pid = fork();
        if (pid == 0) {
            if (with_others) PyOS_AfterFork_Child();
            return PyLong_FromSsize_t(i); /* `pids` stays: to free it is to change another page */
        }
        int error = errno;
        if (with_others) PyOS_AfterFork_Parent();
        if (pid < 0) {
            end(pids, i);
            PyMem_Free(pids);
            errno = error;
            return PyErr_SetFromErrno(PyExc_OSError);
        }
        pids[i] = pid;
    }
    PyObject *made = PyTuple_New(count);
    for (Py_ssize_t i = 0; made && i < count; i++) {
        PyObject *pid = PyLong_FromLong(pids[i]);
        if (!pid) Py_CLEAR(made);
        else PyTuple_SET_ITEM(made, i, pid);
    }
    if (!made) end(pids, count);
    PyMem_Free(pids);
    return made;
}
