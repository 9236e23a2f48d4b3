/* What is shared of a PL011: the device itself. */
#ifndef BAONET_PL011_STATE_H
#define BAONET_PL011_STATE_H

#include <stdatomic.h>
#include <stdint.h>

#define RX_CAPACITY 65536u

struct uart_state {
    _Atomic uint32_t lock; /* the process that holds it, or 0 */
    uint32_t ibrd, fbrd, lcr, cr, ifls, imsc, dmacr, ilpr;
    uint32_t started; /* it has had its reset values */
    uint32_t ris;
    uint32_t rsr; /* what was wrong with the character that was read last */
    uint32_t level;
    uint64_t sequence; /* of changes of the interrupt line */
    uint64_t sent;
    uint64_t rx_head, rx_come, rx_tail; /* put in, come into the FIFO, read */
    uint16_t rx[RX_CAPACITY];           /* as DR has them: a character, or a break */
};

#endif
