/** The tables of LEDGER.md, made from the lines of ledger.jsonl. Lines of earlier versions lack some fields. */
const MADE = '<!-- made by `node bench/ledger.mjs` from ledger.jsonl: -->';
const END = '<!-- end -->';

const fixed = (x, digits) => (x === undefined || x === null ? '' : x.toFixed(digits));
const cell = (text) => text.replaceAll('|', '\\|').replace(/\s+/g, ' ');

const workOf = ({ work, sizes, device }) => {
  const shown = Object.entries(sizes).map(([name, size]) => `${name} ${size}`);
  return `${[work, ...shown].join(', ')}${device === 'cpu' ? '' : `, on ${device}`}`;
};

/** The processor of a line, with its instructions if the line records them. */
export function processorOf({ machine, instructions }) {
  const name = machine.replace(/\((?:R|TM)\)|\b(?:Processor|CPU)\b/g, '').replace(/\s+/g, ' ').trim(); // biome-ignore format: short
  return instructions === undefined ? name : `${name}, ${instructions}`;
}

/** `ONNX Runtime 1.32.0, gathers`: the version follows the runtime's name. */
export function peerName({ peer, version }) {
  const [runtime, ...how] = peer.split(', ');
  return [version === undefined ? runtime : `${runtime} ${version}`, ...how].join(', ');
}

/** A table whose columns are as wide as the formatter makes them. */
function table(head, rows) {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
  const line = (cells) => `| ${cells.map((text, i) => text.padEnd(widths[i])).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

const REFERENCE =
  'date|commit|processor|work|threads|ours s|PyTorch s|faster|by processor time|ours MB|PyTorch MB|floor s|load'.split('|');

/** The measurements against eager PyTorch, and those on other devices, in the order of the lines. */
function referenceTable(list) {
  const rows = list.map((r) => [
    r.date,
    r.commit,
    processorOf(r),
    workOf(r),
    String(r.threads),
    fixed(r.ours.seconds, 2),
    fixed(r.reference?.seconds, 2),
    fixed(r.ratio, 2),
    fixed(r.cpuRatio, 2),
    fixed(r.ours.peakMb, 0),
    fixed(r.reference?.peakMb, 0),
    fixed(r.floor, 2),
    fixed(r.load, 1),
  ]);
  return table(REFERENCE, rows);
}

const PEERS = 'date|commit|processor|work|threads|peer|precision|ours s|peer s|faster|quartiles|by processor time|peer MB|difference|load'.split('|'); // biome-ignore format: short

/** One row a peer; a peer without figures has the reason in place of the difference. */
function peerTable(list) {
  const rows = list.flatMap((r) =>
    r.peers.map((peer) => [
      r.date,
      r.commit,
      processorOf(r),
      workOf(r),
      String(r.threads),
      peerName(peer),
      peer.precision,
      fixed(peer.ours, 3),
      fixed(peer.seconds, 3),
      fixed(peer.ratio, 2),
      peer.ratioQuartiles === undefined ? '' : peer.ratioQuartiles.map((x) => x.toFixed(2)).join(' to '),
      fixed(peer.cpuRatio, 2),
      fixed(peer.peakMb, 0),
      cell(peer.refused ?? peer.difference?.typical.toExponential(0) ?? ''),
      fixed(r.load, 1),
    ]),
  );
  return table(PEERS, rows);
}

/** The last measurement of each size that was measured alone. */
function growthTable(list) {
  const last = new Map(list.map((r) => [`${workOf(r)}, ${r.threads}, ${processorOf(r)}`, r]));
  const rows = [...last.values()].map((r) => [
    processorOf(r),
    workOf(r),
    String(r.threads),
    r.commit,
    fixed(r.ours.seconds, 2),
    fixed(r.ours.peakMb, 0),
    fixed(r.floor, 2),
  ]);
  return table('processor|work|threads|commit|s|MB|floor s'.split('|'), rows);
}

/**
 * The text of LEDGER.md with new tables between its marks.
 *
 * @throws Error if a mark is missing.
 */
export function withTables(text, list) {
  const alone = (r) => r.device === 'cpu' && r.reference === undefined;
  const tables = [
    referenceTable(list.filter((r) => !alone(r))),
    peerTable(list.filter((r) => r.peers !== undefined)),
    growthTable(list.filter(alone)),
  ];
  const parts = text.split(MADE);
  if (parts.length !== tables.length + 1 || parts.slice(1).some((part) => !part.includes(END)))
    throw new Error(`LEDGER.md: expected ${tables.length} tables between ${MADE} and ${END}, found ${parts.length - 1}`);
  return parts.map((part, i) => (i === 0 ? part : `${MADE}\n\n${tables[i - 1]}\n\n${part.slice(part.indexOf(END))}`)).join('');
}
