// What the tests of the systems check, as they say it: for docs/systems.md, which must tell of
// all of it (report.mjs). Listed only, nothing is started.
export const checks = [];
let lists = false;

export function list_only() {
  lists = true;
}

export const is_listing = () => lists;

// The two sides of a title: "S0-08 joins and acks [websocket]".
export function title_of({ number, what, transport }) {
  return `${number} ${what}${transport ? ` [${transport}]` : ''}`;
}
