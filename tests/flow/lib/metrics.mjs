// What /metrics tells, by name.
const line_of = /^(sidecast_\w+)(?:\{([^}]*)\})? (\d+)$/;

// Gives read(name, gateway?): the sum over labels, and over gateways where none is named.
export async function read_metrics(sidecast) {
  const { text } = await sidecast.request(`${sidecast.ops}/metrics`);
  const samples = text.split('\n').map((line) => line_of.exec(line)).filter(Boolean);
  return (wanted, gateway = 'g\\d+', reason = '') => samples
    .filter(([, name, labels = '']) => name === `sidecast_${wanted}`
      && new RegExp(`gateway="${gateway}"`).test(labels) && labels.includes(reason))
    .reduce((sum, [, , , value]) => sum + Number(value), 0);
}

// All metrics as a table of Markdown: name, kind, what it counts.
export function metrics_table(text) {
  const rows = [...text.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\w+)$/gm)].map(([, name, help, type]) => {
    const reasons = new Set([...text.matchAll(new RegExp(`^${name}\\{[^}]*reason="(\\w+)"`, 'gm'))].map(([, word]) => word));
    const by = reasons.size > 0 ? ` By \`reason\`: ${[...reasons].map((word) => `\`${word}\``).join(', ')}.` : '';
    return `| \`${name}\` | ${type} | ${help}${by} |`;
  });
  return ['| Name | Kind | What |', '| --- | --- | --- |', ...rows].join('\n');
}
