/* What the decoder is given to decode. */
#ifndef BAONET_ARMV8_DECODE_H
#define BAONET_ARMV8_DECODE_H

#include "core.h"

/* Around the translation of a block (TranslationBlock). */
void decode_begin(void *tb);
void decode_end(void);

#endif
