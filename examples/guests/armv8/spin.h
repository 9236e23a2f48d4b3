/* Of spin.c */

static void spin(void) {
    __asm__ volatile(
        "1: add x0, x0, #1\n"
        "eor x1, x1, x0\n"
        "add x2, x2, x1, lsl #3\n"
        "sub x3, x3, x2\n"
        "b 1b"
        :
        :
        : "x0", "x1", "x2", "x3");
    __builtin_unreachable();
}
