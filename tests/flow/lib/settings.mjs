// What the environment tells the tests. It is taken out of it: the program under test takes
// every SIDECAST_ variable for an option and refuses those it does not know.
function take(name) {
  const value = process.env[name];
  delete process.env[name];
  return value;
}

// Times are asserted at so many times their figure.
export const slowness = Number(take('SIDECAST_SLOWNESS') ?? 5);
// Gateways to run with, where a test does not say itself.
export const gateways = take('SIDECAST_GATEWAYS');
// Children to kill in 64_restarts.
export const restarts = Number(take('SIDECAST_RESTARTS') ?? 20);
// Write generated parts of the docs instead of comparing them.
export const updates_docs = Boolean(take('SIDECAST_UPDATE_DOCS'));
// Addresses of another conformance system that the wire tables shall ask (lib/reference.mjs).
export const wire_target = take('SIDECAST_WIRE_TARGET');
// Publishes to repeat in 37_log_faults.
export const retries = Number(take('SIDECAST_RETRIES') ?? 300);
// Upgrades to make in 27_upgrades, idle and under traffic.
export const upgrades = Number(take('SIDECAST_UPGRADES') ?? 60);
// Handshakes that nobody comes back for, in 21_polling.
export const abandoned = Number(take('SIDECAST_ABANDONED') ?? 2000);
// Returns around the edge of what the log still has, in 35_recovery_edges.
export const trials = Number(take('SIDECAST_TRIALS') ?? 200);
