// Scenario "restart": everything is stopped and started again, as `systemctl restart` does, while
// publishers go on. All clients recover.
import { sleep } from '../../flow/lib/wait.mjs';
import { now_ns } from './crowd.mjs';
import { completions, quantile } from './gateway_deaths.mjs';
import { gather_members, settled } from './members.mjs';
import { quick_times } from './mixed.mjs';
import { publish_lanes } from './publishers.mjs';
import { on_stage } from './stage.mjs';

const full = { seed: 1, restarts: 3, members: 16, rooms: 5, lanes: 4, pause_ms: 20, sabotage: [] };
const back_ms = 30_000;

export function restarts(wanted, world, say) {
  const plan = { ...full, ...wanted };
  return on_stage({ plan, world, say, house: { gateways: 2, set: quick_times } }, async (stage) => {
    const { house, history } = stage;
    stage.members = await gather_members(house, history, { count: plan.members, rooms: plan.rooms });
    const publishing = publish_lanes(house, history, stage.chance(2), { ...plan, is_over: () => stage.is_over });
    publishing.catch(() => {}); // told below
    const all = [];
    let returned = 0, recovered = 0;
    for (let i = 0; i < plan.restarts; i++) {
      await sleep(500);
      const from = now_ns(), before = stage.returns();
      await house.restart('SIGTERM');
      await settled(stage.members, back_ms);
      await sleep(500);
      all.push(...completions(history.records, from));
      returned += stage.returns().connects - before.connects;
      recovered += stage.returns().recovered - before.recovered;
      stage.tell(`restarted, ${returned} returned, ${recovered} recovered`);
    }
    stage.is_over = true;
    await publishing;
    await stage.settle(Array.from({ length: plan.rooms }, (_, i) => `r:${i}`));
    Object.assign(stage.figures, { returned, not_recovered: returned - recovered, complete_p99: quantile(all, 0.99) });
  });
}
