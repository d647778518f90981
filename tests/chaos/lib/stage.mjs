// What all scenarios on a house have in common: a seed, a history, the house, and the end, when all
// is well again, everybody hears what was said last, and the checker judges.
import { random_from, until } from '../../flow/lib/wait.mjs';
import { check } from './check.mjs';
import { History } from './crowd.mjs';
import { House } from './house.mjs';
import { mark, settled } from './members.mjs';
import { publish_surely } from './publishers.mjs';

const back_ms = 60_000;
const marks_ms = 30_000;
const sabotaged_marks_ms = 3000; // some will never come

export class Stage {
  members = [];
  figures = {};
  faults = []; // what no history shows
  is_over = false; // nothing new is begun

  constructor(plan, world, say) {
    Object.assign(this, { plan, world, say, history: new History(), began: performance.now() });
  }

  // A source of chance of its own for each purpose: what one draws does not shift the others.
  chance(purpose) {
    return random_from(this.plan.seed * 16 + purpose);
  }

  fault(text) {
    this.tell(text);
    this.faults.push({ rule: 'g', line: this.history.records.length, text });
  }

  seconds() {
    return (performance.now() - this.began) / 1000;
  }

  tell(text) {
    this.history.add('fault', 'fault', { text });
    this.say(`${this.seconds().toFixed(1)} s  ${text}`);
  }

  async open(options) {
    const { set = [], hooks = [], ...others } = options;
    this.house = await House.start({
      set, hooks: [...hooks, ...this.plan.sabotage], world: this.world, random: this.chance(15), ...others,
    });
  }

  // All are back, and have what was published last in their rooms; the checker tells who has not.
  async settle(rooms) {
    this.is_over = true;
    await this.house.until_ready();
    await settled(this.members, back_ms);
    await Promise.all(rooms.map((room) => publish_surely(this.house, this.history, room, `${mark}${room}`)));
    const has_all = ({ held, marks }) => [...held].every((room) => !rooms.includes(room) || marks.has(`${mark}${room}`));
    await until(() => this.members.every(has_all), this.plan.sabotage.length ? sabotaged_marks_ms : marks_ms)
      .catch(() => this.tell(`no mark came to ${this.members.filter((one) => !has_all(one)).map(({ who }) => who)}`));
  }

  returns() {
    const back = this.history.records.filter(({ op }) => op === 'connect');
    return { connects: back.length, recovered: back.filter(({ recovered }) => recovered).length };
  }

  // Of those whose connection ended, who had no word before it.
  untold_percent() {
    const ends = this.history.records.filter(({ op }) => op === 'disconnect');
    const untold = ends.filter(({ code, reason }) => code === 1006 || reason === 'transport error');
    return (100 * untold.length) / Math.max(1, ends.length);
  }

  close_members() {
    this.is_over = true;
    this.members.forEach((member) => member.close());
  }
}

// Gives {history, verdict, figures}; `house` are the options of House.start, `play(stage)` is the scenario.
export async function on_stage({ plan, world, say, house }, play) {
  const stage = new Stage(plan, world, say);
  try {
    await stage.open(house);
    await play(stage);
    const verdict = check(stage.history.records);
    verdict.faults.push(...stage.faults);
    const figures = { seconds: stage.seconds(), ...stage.returns(), ...stage.figures };
    stage.close_members();
    await stage.house.stop();
    return { history: stage.history, verdict, figures };
  } catch (error) {
    stage.close_members();
    error.history = stage.history;
    error.log = stage.house?.log();
    stage.house?.end();
    throw error;
  }
}
