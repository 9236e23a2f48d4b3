/*
 * A debugger for Linux, of which gdb's `watch` and `hbreak` are made: ptrace(2) with NT_ARM_HW_WATCH, NT_ARM_HW_BREAK and
 * single step. The program that it debugs stores to two words in turn, five times each, and calls a function after each
 * round. Of the second word stores are watched, at the function is a breakpoint. It prints one digit each: the stops at the
 * store, the stops at the function, other stops, and the last value that the watched store had yet to overwrite.
 * `python -m tests.core.assemble` writes debugger_code.py from it.
 */
        .equ    WRITE, 64
        .equ    EXIT, 93
        .equ    PTRACE, 117
        .equ    KILL, 129
        .equ    GETPID, 172
        .equ    CLONE, 220
        .equ    WAIT4, 260
        .equ    TRACEME, 0
        .equ    PEEKDATA, 2
        .equ    CONT, 7
        .equ    SINGLESTEP, 9
        .equ    GETREGSET, 0x4204
        .equ    SETREGSET, 0x4205
        .equ    NT_PRSTATUS, 1
        .equ    NT_ARM_HW_BREAK, 0x402
        .equ    NT_ARM_HW_WATCH, 0x403
        .equ    SIGSTOP, 19
        .equ    SIGCHLD, 17

        .macro  call number
        mov     x8, #\number
        svc     #0
        .endm

        .global start
start:
        mov     x0, #SIGCHLD
        mov     x1, #0
        mov     x2, #0
        mov     x3, #0
        mov     x4, #0
        call    CLONE
        cbz     x0, debugged
        mov     x19, x0
        adr     x20, counts
        bl      wait                            // for its SIGSTOP
        adr     x0, watch_vector
        adr     x1, watch_state
        str     x1, [x0]
        adr     x0, break_vector
        adr     x1, break_state
        str     x1, [x0]
        adr     x0, registers_vector
        adr     x1, registers
        str     x1, [x0]
        mov     w21, #1
        bl      set                             // both on

run:    mov     x0, #CONT
        bl      go_on
        cbz     w0, report                      // it has ended
        mov     x0, #GETREGSET
        mov     x2, #NT_PRSTATUS
        adr     x3, registers_vector
        bl      trace
        adr     x0, registers
        ldr     x0, [x0, #256]                  // its PC
        mov     x22, #2
        adr     x1, store
        cmp     x0, x1
        b.ne    1f
        mov     x22, #0
        adr     x2, watched
        adr     x3, value
        mov     x0, #PEEKDATA
        bl      trace
        b       2f
1:      adr     x1, function
        cmp     x0, x1
        b.ne    2f
        mov     x22, #1
2:      ldrb    w0, [x20, x22]
        add     w0, w0, #1
        strb    w0, [x20, x22]
        mov     w21, #0                         // over it, as a debugger goes
        bl      set
        mov     x0, #SINGLESTEP
        bl      go_on
        mov     w21, #1
        bl      set
        b       run

report: adr     x0, value
        ldr     w0, [x0]
        add     w0, w0, #'0'
        strb    w0, [x20, #3]
        mov     x0, #1
        adr     x1, text
        mov     x2, #(text_end - text)
        call    WRITE
        mov     x0, #0
        call    EXIT

/* Both debug registers: w21 is whether they are enabled. */

set:    mov     x24, x30
        adr     x4, watch_state
        adr     x5, watched
        str     x5, [x4, #8]
        mov     w6, #(0xff << 5 | 2 << 3 | 2 << 1)      // 8 bytes, stores, EL0
        orr     w6, w6, w21
        str     w6, [x4, #16]
        mov     x0, #SETREGSET
        mov     x2, #NT_ARM_HW_WATCH
        adr     x3, watch_vector
        bl      trace
        cbnz    x0, failed
        adr     x4, break_state
        adr     x5, function
        str     x5, [x4, #8]
        mov     w6, #(0xf << 5 | 2 << 1)
        orr     w6, w6, w21
        str     w6, [x4, #16]
        mov     x0, #SETREGSET
        mov     x2, #NT_ARM_HW_BREAK
        adr     x3, break_vector
        bl      trace
        cbnz    x0, failed
        ret     x24
failed: mov     x0, #1
        call    EXIT

trace:  mov     x1, x19
        call    PTRACE
        ret

go_on:  mov     x24, x30
        mov     x2, #0
        mov     x3, #0
        bl      trace
        mov     x30, x24
wait:   mov     x0, x19
        adr     x1, status
        mov     x2, #0
        mov     x3, #0
        call    WAIT4
        adr     x1, status
        ldr     w0, [x1]
        and     w0, w0, #0x7f                   // 0x7f: it stopped
        ret

debugged:
        mov     x0, #TRACEME
        mov     x1, #0
        mov     x2, #0
        mov     x3, #0
        call    PTRACE
        call    GETPID
        mov     x1, #SIGSTOP
        call    KILL
        adr     x1, beside
        adr     x2, watched
        mov     w9, #1
1:      str     w9, [x1]
store:  str     w9, [x2]
        ldr     w10, [x2]
        bl      function
        add     w9, w9, #1
        cmp     w9, #5
        b.ls    1b
        mov     x0, #0
        call    EXIT
function:
        ret

        .balign 16
watched:
        .quad   0
beside: .quad   0
status: .quad   0
value:  .quad   0
watch_vector:
        .quad   0, 24
break_vector:
        .quad   0, 24
registers_vector:
        .quad   0, 272
watch_state:
        .quad   0, 0, 0
break_state:
        .quad   0, 0, 0
text:   .ascii  "debugger: "
counts: .ascii  "0000\n"
text_end:
        .balign 16
registers:
        .space  272
