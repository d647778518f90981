// Medians, rows and tables.

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// One row of the report from repeated samples [{value, limit?}]: the median of the values,
// and the median of the ratios within each pair, which a slow moment moves on both sides.
// `lower_is_better` says what a goal means.
export function make_row({ scenario, figure, unit, goal }, samples) {
  const values = samples.map((sample) => sample.value);
  const row = { scenario, figure, unit, value: round(median(values)) };
  if (samples[0].limit !== undefined) {
    row.limit = round(median(samples.map((sample) => sample.limit)));
    row.ratio = round(median(samples.map((sample) => sample.value / sample.limit)));
  }
  row.min = round(Math.min(...values));
  row.max = round(Math.max(...values));
  return { row, goal, verdict: verdict_of(row, goal) };
}

function verdict_of(row, goal) {
  if (!goal)
    return '';
  const value = goal.ratio === undefined ? row.value : row.ratio;
  const is_met = goal.at_most === undefined
    ? value >= (goal.ratio ?? goal.at_least)
    : value <= goal.at_most;
  return is_met ? 'met' : 'MISSED';
}

export function goal_text(goal) {
  if (!goal)
    return '';
  if (goal.ratio !== undefined)
    return `ratio >= ${goal.ratio}`;
  return goal.at_most === undefined ? `>= ${goal.at_least}` : `<= ${goal.at_most}`;
}

function round(value) {
  return Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(3));
}

const heads = ['scenario', 'figure', 'value', 'limit', 'ratio', 'min', 'max', 'goal', 'verdict'];

function cells_of({ row, goal, verdict }) {
  const number = (value) => (value === undefined ? '' : value.toLocaleString('en'));
  return [row.scenario, row.figure, `${number(row.value)} ${row.unit}`, number(row.limit),
    row.ratio === undefined ? '' : row.ratio.toFixed(2), number(row.min), number(row.max),
    goal_text(goal), verdict];
}

export function text_table(results) {
  const lines = [heads, ...results.map(cells_of)];
  const widths = heads.map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  return lines.map((line) => line.map((cell, i) => cell.padEnd(widths[i])).join('  ').trimEnd()).join('\n');
}

export function markdown_table(results) {
  const lines = [heads, heads.map(() => '---'), ...results.map(cells_of)];
  return lines.map((line) => `| ${line.join(' | ')} |`).join('\n');
}
