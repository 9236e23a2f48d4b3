/* Of spin.c */

static void spin(void) {
    __asm__ volatile(
        "1: addi a0, a0, 1\n"
        "xor a1, a1, a0\n"
        "slli a4, a1, 3\n"
        "add a2, a2, a4\n"
        "sub a3, a3, a2\n"
        "j 1b"
        :
        :
        : "a0", "a1", "a2", "a3", "a4");
    __builtin_unreachable();
}
