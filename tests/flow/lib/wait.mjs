// Waiting and time bounds.
import { slowness } from './settings.mjs';

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Waits until `condition` (which may be async) gives something true, and gives that.
export async function until(condition, ms, describe = () => `not so after ${ms} ms: ${condition}`) {
  const end = performance.now() + ms;
  for (;;) {
    const value = await condition();
    if (value)
      return value;
    if (performance.now() > end)
      throw new Error(describe());
    await sleep(10);
  }
}

// Sanitizers and a shared machine are slow: a promised time is asserted at five times its
// figure. SIDECAST_SLOWNESS=1 asserts the figure itself.
export function bound(ms) {
  return ms * slowness;
}

// Numbers that look random and are the same in each run.
export function random_from(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) % below;
  };
}
