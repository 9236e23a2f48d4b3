/* Between irqc.c and the drivers of each interrupt controller. */
#ifndef GUEST_IRQC_H
#define GUEST_IRQC_H

#include <stdbool.h>

enum controller { AIA, PLIC, APLIC }; /* APLIC: without IMSICs */
extern enum controller controller;

void guest_interrupt(unsigned cause);
const char *irqc_name(void);
void irqc_note(unsigned intid, unsigned cpu); /* what its software interrupt, which SBI sends, is to be */

void plic_init_cpu(void);
void plic_enable(unsigned source);
void plic_interrupt(void);

void aplic_init(bool messages);
void aplic_init_cpu(bool messages);
void aplic_enable(unsigned source, bool level, bool messages);
void aplic_interrupt(void); /* of one that delivers itself */
void imsic_enable(unsigned identity);
void imsic_send(unsigned identity, unsigned cpu);
void imsic_interrupt(void);

#endif
