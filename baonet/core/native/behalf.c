#include "behalf.h"

#include "code_map.h"
#include "ownership.h"
#include "regions.h"
#include "rights.h"
#include "uart.h"

static struct uart *console(struct core *core) { return core->uart_count ? core->uarts[0] : NULL; }

PyObject *core_put_output(PyObject *self, PyObject *data) {
    struct uart *uart = console((struct core *)self);
    Py_buffer view;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)) return NULL;
    if (uart) uart_print(uart, view.buf, (size_t)view.len);
    PyBuffer_Release(&view);
    Py_RETURN_NONE;
}

PyObject *core_take_input(PyObject *self, PyObject *most) {
    struct uart *uart = console((struct core *)self);
    size_t room = PyLong_AsSize_t(most);
    if (PyErr_Occurred()) return NULL;
    if (room > RX_CAPACITY) room = RX_CAPACITY;
    uint8_t *data = PyMem_Malloc(room ? room : 1);
    if (!data) return PyErr_NoMemory();
    size_t count = uart ? uart_typed(uart, data, room) : 0;
    PyObject *taken = PyBytes_FromStringAndSize((const char *)data, (Py_ssize_t)count);
    PyMem_Free(data);
    return taken;
}

static size_t in_page(uint64_t ipa, size_t size) {
    size_t rest = PAGE_SIZE - (ipa & ~PAGE_MASK);
    return size < rest ? size : rest;
}

static bool all_ram(struct core *core, uint64_t ipa, size_t size) {
    for (size_t part; size; ipa += part, size -= part) {
        const struct region *region = region_find(core, ipa);
        if (!region || !region->host) return false;
        part = in_page(ipa, size);
    }
    return true;
}

/* Of a page of RAM. */
static uint8_t *enter(struct core *core, uint64_t ipa, bool write) {
    struct region *region = region_find(core, ipa);
    ownership_enter_region(core, region, ipa, write);
    return region->host + (ipa - region->ipa);
}

/* After it, as a store: this core's own translations are gone, and maintenance hears of it for those of others. */
static void stored(struct core *core, uint64_t ipa) {
    uint64_t page = region_page(region_find(core, ipa), ipa);
    atomic_thread_fence(memory_order_seq_cst); /* who makes it code looks at the bytes after it has said so */
    if (!code_map_is_code(core, page)) return;
    unicorn.tb_invalidate(core->uc, page * PAGE_SIZE, (page + 1) * PAGE_SIZE);
    atomic_fetch_or(code_map_word(core, page), MODIFIED(page));
}

PyObject *core_read_memory(PyObject *self, PyObject *args) {
    struct core *core = (struct core *)self;
    unsigned long long ipa;
    Py_ssize_t size;
    if (!PyArg_ParseTuple(args, "Kn", &ipa, &size)) return NULL;
    if (size < 0 || !all_ram(core, ipa, (size_t)size)) Py_RETURN_NONE;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    uint8_t *to = bytes ? (uint8_t *)PyBytes_AS_STRING(bytes) : NULL;
    for (size_t part, left = bytes ? (size_t)size : 0; left; ipa += part, to += part, left -= part) {
        part = in_page(ipa, left);
        memcpy(to, enter(core, ipa, false), part);
        rights_use(core);
    }
    return bytes;
}

PyObject *core_write_memory(PyObject *self, PyObject *args) {
    struct core *core = (struct core *)self;
    unsigned long long ipa;
    Py_buffer data;
    if (!PyArg_ParseTuple(args, "Ky*", &ipa, &data)) return NULL;
    const uint8_t *from = data.buf;
    bool there = all_ram(core, ipa, (size_t)data.len);
    for (size_t part, left = there ? (size_t)data.len : 0; left; ipa += part, from += part, left -= part) {
        part = in_page(ipa, left);
        memcpy(enter(core, ipa, true), from, part);
        stored(core, ipa);
        rights_use(core);
    }
    PyBuffer_Release(&data);
    if (there) Py_RETURN_NONE;
    PyErr_SetString(PyExc_ValueError, "no RAM is there");
    return NULL;
}
