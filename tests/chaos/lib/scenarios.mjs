// All scenarios. A row: `run(rounds, seed, sabotage, world, say)` gives {history, verdict, figures};
// `at_once` is how many rounds one run takes at most; `promises` are ceilings of figures, in ms or
// counts; `sabotage` are runs that must fail: switches, and how long such a run is; `by` is the figure
// that must exceed its promise, where the verdict is not what fails.
import { absences } from './absences.mjs';
import { bus_faults } from './bus_faults.mjs';
import { damage } from './damage.mjs';
import { drain } from './drain.mjs';
import { gateway_deaths } from './gateway_deaths.mjs';
import { mixed } from './mixed.mjs';
import { publisher_deaths } from './publisher_deaths.mjs';
import { restarts } from './restarts.mjs';
import { rolling } from './rolling.mjs';

export const scenarios = [
  {
    name: 'mixed', at_once: 50,
    run: (rounds, options, ...stage) => mixed({ faults: rounds, ...options }, ...stage),
    promises: {},
    sabotage: [{ switches: ['drop-frame=10', 'no-replay'], rounds: 1, only: ['gateway stopped'] }],
  },
  {
    name: 'bus', at_once: 100,
    run: (rounds, options) => bus_faults({ cuts: rounds, ...options }),
    promises: { repair_p99: 500, tail_max: 250 },
    sabotage: [{ switches: ['no-dedupe'], rounds: 10, clients: 20, rate: 300, ms: 2500, stop_ms: 0, tails: 0 }],
  },
  {
    name: 'publisher', at_once: 20,
    run: (rounds, options, ...stage) => publisher_deaths({ deaths: rounds, ...options }, ...stage),
    promises: { down_max: 1000 },
    sabotage: [{ switches: ['no-idempotency'], rounds: 3, by_itself: true, seed: 1 }],
  },
  {
    name: 'gateway', at_once: 10,
    run: (rounds, options, ...stage) => gateway_deaths({ deaths: rounds, ...options }, ...stage),
    promises: { complete_p99: 2000 },
    sabotage: [{ switches: ['no-replay'], rounds: 1 }],
  },
  {
    name: 'restart', at_once: 10,
    run: (rounds, options, ...stage) => restarts({ restarts: rounds, ...options }, ...stage),
    promises: { not_recovered: 0, complete_p99: 5000 },
    sabotage: [
      { switches: ['no-replay'], rounds: 1 },
      { switches: ['no-sessions'], rounds: 1, by: 'not_recovered' },
    ],
  },
  {
    name: 'away', at_once: 20,
    run: (rounds, options, ...stage) => absences({ rounds, ...options }, ...stage),
    promises: {},
    sabotage: [
      { switches: ['no-recheck'], rounds: 2, ghosts: 0, renewed: 100, keep_events: 50 },
      { switches: ['no-evict'], rounds: 1, ghosts: 100 },
    ],
  },
  {
    name: 'drain', at_once: 20, // a round is 250 clients and a second: 5,000 in 20 s
    run: (rounds, options, ...stage) => drain({ clients: 250 * rounds, window_s: Math.max(3, rounds), ...options }, ...stage),
    promises: { exit_beyond_window: 1000, most_of_mean: 2, crowded_percent: 0, untold_percent: 2, not_recovered: 0 },
    sabotage: [
      { switches: ['no-window'], rounds: 1, by: 'crowded_percent' },
      { switches: ['no-drain'], rounds: 1, by: 'untold_percent' },
      { switches: ['no-last-answer'], rounds: 1, clients: 100, members: 80, by: 'untold_percent' },
    ],
  },
  {
    name: 'rolling', at_once: 20,
    run: (rounds, options, ...stage) => rolling({ rolls: rounds, ...options }, ...stage),
    promises: { failed: 0, not_recovered: 0, untold_percent: 2 },
    sabotage: [
      { switches: ['no-last-answer', 'no-idempotency'], rounds: 4, members: 4, lanes: 100 },
      { switches: ['no-sessions'], rounds: 1, members: 60, by: 'not_recovered' },
    ],
  },
  {
    name: 'damage', at_once: 10,
    run: (rounds, options, ...stage) => damage({ rounds, ...options }, ...stage),
    promises: {},
    sabotage: [{ switches: ['no-checksum'], rounds: 1, signal: 'SIGTERM' }],
  },
];
