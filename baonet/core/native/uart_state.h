/* What is shared of a UART: the device itself. */
#ifndef BAONET_UART_STATE_H
#define BAONET_UART_STATE_H

#include <stdatomic.h>
#include <stdint.h>

#define RX_CAPACITY 65536u
#define RX_BREAK 0x400u /* no character: the line was held at 0 */

struct uart_state {
    _Atomic uint32_t lock; /* the process that holds it, or 0 */
    union {                /* of each kind what a guest writes, and what of the device only that kind has */
        struct {
            uint32_t ibrd, fbrd, lcr, cr, ifls, imsc, dmacr, ilpr;
        } pl011;
        struct {
            uint32_t ier, fcr, lcr, mcr, scr, divisor, deltas;
        } ns16550;
    };
    uint32_t started; /* it has had its reset values */
    uint32_t pending; /* interrupts, as the kind's registers have them: those that something has set */
    uint32_t wrong;   /* as the kind's registers have it: with a character */
    uint32_t level;
    uint64_t sequence; /* of changes of the interrupt line */
    uint64_t sent;
    uint64_t rx_head, rx_come, rx_tail; /* put in, come into the FIFO, read */
    uint16_t rx[RX_CAPACITY];           /* characters, and breaks */
};

#endif
