/* Barriers in translated code. */
#ifndef BAONET_ARMV8_ORDER_H
#define BAONET_ARMV8_ORDER_H

/* A block's translation begins. */
void order_block(void);

#endif
