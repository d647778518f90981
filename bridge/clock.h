/* The three clocks. Any thread. proto/ never asks them: time comes to it as an argument.
 */
#ifndef BRIDGE_CLOCK_H
#define BRIDGE_CLOCK_H

#include <stdint.h>

uint64_t clock_ms(void); /* monotonic, milliseconds */
int64_t
clock_us(void); /* monotonic, microseconds; the same for all processes of a machine */
int64_t clock_wall_ms(void); /* UTC, milliseconds */

#endif
