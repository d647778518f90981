// The picture of an event's way, with the times that the gateway knows.

const HOPS = ['publisher', 'bus', 'gateway', 'written'];
const stations = document.getElementById('stations');
const total = document.getElementById('way-total');
const dot = document.createElement('li');
const isStill = matchMedia('(prefers-reduced-motion: reduce)');
const TRAVEL_MS = 1000;

dot.className = 'dot';
dot.setAttribute('role', 'presentation');
stations.append(dot);

const station = (hop) => stations.querySelector(`[data-hop="${hop}"]`);

function print(us) {
  if (us < 1000)
    return `${us} µs`;
  return us < 1e6 ? `${(us / 1000).toFixed(us < 1e4 ? 2 : 1)} ms` : `${(us / 1e6).toFixed(2)} s`;
}

function travel() {
  const list = [...stations.querySelectorAll('.station')];

  list.forEach((item) => item.classList.remove('lit'));
  if (isStill.matches) {
    list.forEach((item) => item.classList.add('lit'));
    return;
  }
  dot.getAnimations().forEach((animation) => animation.cancel());
  dot.animate(
    [
      { left: '10%', opacity: 0 }, { left: '12%', opacity: 1, offset: 0.06 },
      { left: '88%', opacity: 1, offset: 0.94 }, { left: '90%', opacity: 0 },
    ],
    { duration: TRAVEL_MS, easing: 'cubic-bezier(.45,.05,.55,.95)' },
  );
  list.forEach((item, i) => {
    clearTimeout(item.timer);
    item.timer = setTimeout(() => item.classList.add('lit'), (TRAVEL_MS * i) / list.length);
  });
}

function show(trace, seen) {
  const at = new Map(trace.hops.map((hop) => [hop.name, hop.us]));

  for (const hop of HOPS) {
    const us = at.get(hop);
    const time = station(hop).querySelector('.time');
    time.textContent = us === undefined ? '–' : print(us);
    time.dataset.us = us ?? '';
  }
  document.getElementById('accepted').textContent = '0 µs';
  total.textContent = '';
  if (at.has('written')) {
    const strong = document.createElement('b');
    strong.textContent = print(at.get('written'));
    total.append(strong, ' from accepted to written');
    if (seen !== undefined)
      total.append(`; seen here after ${seen}`);
  }
  travel();
}

const sleep = (ms) => new Promise((done) => { setTimeout(done, ms); });

// With several gateways the one that is asked may not have had the event yet.
async function fetchTrace(id) {
  for (let tries = 0; tries < 5; tries++) {
    await sleep(60);
    const answer = await fetch(`/demo/trace/${encodeURIComponent(id)}`);
    if (answer.ok)
      return answer.json();
  }
  return null;
}

// Many events in a row: one question at a time, and always about the latest.
let latest = null;
let isAsking = false;

export async function follow(id, seen) {
  latest = { id, seen };
  if (isAsking)
    return;
  isAsking = true;
  while (latest) {
    const asked = latest;
    latest = null;
    const trace = await fetchTrace(asked.id).catch(() => null);
    if (trace)
      show(trace, asked.seen);
    await sleep(latest ? 400 : 0);
  }
  isAsking = false;
}
