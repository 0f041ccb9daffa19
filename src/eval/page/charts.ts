import { escapeHtml } from '../../util/index.js';

/** A line or a cloud of points. */
export interface Series {
  readonly label: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Default: `line`. */
  readonly kind?: 'line' | 'dots' | 'guide';
}

export interface ChartOptions {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  /** Range of the axes. Default: that of the points. */
  readonly xDomain?: readonly [number, number];
  readonly yDomain?: readonly [number, number];
  /** An axis of counts, with ticks only at integers. */
  readonly counted?: 'x' | 'y';
}

const WIDTH = 480;
const HEIGHT = 280;
/** Height of one row of a {@link spreadChart}. */
const SPREAD_LINE = 52;
const MARGIN = { left: 56, right: 12, top: 12, bottom: 44 };
/** Okabe and Ito's colours that are legible on light and dark; the style sheet switches the blues. */
const COLOURS = ['var(--blue)', '#d55e00', '#009e73', '#cc79a7', '#e69f00', 'var(--other-blue)'];

/** Renders lines and points as an SVG without scripts. */
export function lineChart(series: readonly Series[], options: ChartOptions): string {
  const drawn = series.map((one) => ({
    ...one,
    points: one.points.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y)),
  }));
  const all = drawn.flatMap(({ points }) => points);
  if (all.length === 0) return '';
  const ends = [options.xDomain ?? extent(all.map(([x]) => x)), options.yDomain ?? extent(all.map(([, y]) => y))] as const;
  const frame = frameOf(...ends, options.counted);
  const marks = drawn.map(({ points, kind = 'line' }, k) => {
    const colour = COLOURS[k % COLOURS.length];
    const places = points.map(([x, y]) => [frame.x(x).toFixed(1), frame.y(y).toFixed(1)] as const);
    if (kind === 'dots')
      return places.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="3" fill="${colour}" fill-opacity=".6"/>`).join('');
    const dash = kind === 'guide' ? ' stroke-dasharray="4 4" stroke="GrayText"' : ` stroke="${colour}"`;
    return `<polyline fill="none" stroke-width="2"${dash} points="${places.map((place) => place.join(',')).join(' ')}"/>`;
  });
  return figureOf(options, `${axes(frame, options)}${marks.join('')}`, drawn);
}

/** Counts values in `bins` equal intervals of the range. */
export function countBins(values: readonly number[], bins: number, [low, high]: readonly [number, number]): number[] {
  const counts = new Array<number>(bins).fill(0);
  for (const value of values) {
    const k = Math.min(bins - 1, Math.max(0, Math.floor(((value - low) / (high - low)) * bins)));
    counts[k] = (counts[k] as number) + 1;
  }
  return counts;
}

/** Renders the bars of {@link countBins}. */
export function histogram(
  values: readonly number[],
  bins: number,
  [low, high]: readonly [number, number],
  options: ChartOptions,
): string {
  const counts = countBins(values, bins, [low, high]);
  const frame = frameOf([low, high], options.yDomain ?? [0, Math.max(1, ...counts)], 'y');
  const bars = counts.map((count, k) => {
    const [from, to] = [frame.x(low + ((high - low) * k) / bins), frame.x(low + ((high - low) * (k + 1)) / bins)];
    const top = frame.y(count);
    return `<rect x="${(from + 1).toFixed(1)}" y="${top.toFixed(1)}" width="${(to - from - 2).toFixed(1)}" height="${(frame.y(0) - top).toFixed(1)}" fill="${COLOURS[0]}"><title>${count}</title></rect>`;
  });
  return figureOf(options, `${axes(frame, options)}${bars.join('')}`, []);
}

/** A row of a {@link spreadChart}. */
export interface Spread {
  readonly label: string;
  /** Printed at the end of the row. */
  readonly remark: string;
  readonly values: readonly { readonly label: string; readonly value: number }[];
}

/** One row per item, with a dot for each value and a bar from minimum to maximum. */
export function spreadChart(rows: readonly Spread[], [low, high]: readonly [number, number], options: ChartOptions): string {
  if (rows.length === 0) return '';
  const height = rows.length * SPREAD_LINE + MARGIN.bottom;
  const x = (value: number) => MARGIN.right + ((value - low) / (high - low)) * (WIDTH - 2 * MARGIN.right);
  const grid = ticks(low, high).map(
    (tick) =>
      `<line class="grid" x1="${x(tick)}" x2="${x(tick)}" y1="0" y2="${height - MARGIN.bottom}"/><text x="${x(tick)}" y="${height - MARGIN.bottom + 16}" text-anchor="middle">${tick}</text>`,
  );
  const lines = rows.map(({ label, remark, values }, k) => {
    const y = k * SPREAD_LINE + 34;
    const numbers = values.map(({ value }) => value);
    const bar =
      numbers.length > 1
        ? `<line x1="${x(Math.min(...numbers)).toFixed(1)}" x2="${x(Math.max(...numbers)).toFixed(1)}" y1="${y}" y2="${y}" stroke="${COLOURS[0]}" stroke-width="3"/>`
        : '';
    const dots = values.map(
      (one) =>
        `<circle cx="${x(one.value).toFixed(1)}" cy="${y}" r="5" fill="${COLOURS[1]}"><title>${escapeHtml(`${one.label}: ${one.value.toFixed(1)}`)}</title></circle>`,
    );
    return `<text x="${MARGIN.right}" y="${y - 14}">${escapeHtml(label)}</text><text x="${WIDTH - MARGIN.right}" y="${y - 14}" text-anchor="end">${escapeHtml(remark)}</text>${bar}${dots.join('')}`;
  });
  const name = `<text x="${WIDTH / 2}" y="${height - 6}" text-anchor="middle">${escapeHtml(options.x)}</text>`;
  return `<figure class="chart"><figcaption>${escapeHtml(options.title)}</figcaption><svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeHtml(options.title)}">${grid.join('')}${lines.join('')}${name}</svg></figure>`;
}

interface Frame {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
}

function frameOf(
  [x0, x1]: readonly [number, number],
  [y0, y1]: readonly [number, number],
  counted: ChartOptions['counted'],
): Frame {
  const [spanX, spanY] = [x1 - x0 || 1, y1 - y0 || 1];
  return {
    x: (value) => MARGIN.left + ((value - x0) / spanX) * (WIDTH - MARGIN.left - MARGIN.right),
    y: (value) => HEIGHT - MARGIN.bottom - ((value - y0) / spanY) * (HEIGHT - MARGIN.top - MARGIN.bottom),
    xTicks: ticks(x0, x0 + spanX, counted === 'x' ? 1 : 0),
    yTicks: ticks(y0, y0 + spanY, counted === 'y' ? 1 : 0),
  };
}

/** About five round numbers within a range, with a minimum step. */
function ticks(low: number, high: number, least = 0): number[] {
  const raw = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  // Counts cannot have fractional steps such as 2.5.
  const factors = [1, 2, ...(least === 1 ? [] : [2.5]), 5, 10];
  const step = Math.max(least, (factors.find((factor) => factor * power >= raw) ?? 10) * power);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, k) => (first + k) * step);
}

function axes({ x, y, xTicks, yTicks }: Frame, { x: xLabel, y: yLabel }: ChartOptions): string {
  const bottom = HEIGHT - MARGIN.bottom;
  const label = (value: number) => String(Math.round(value * 1e4) / 1e4);
  const vertical = xTicks.map(
    (tick) =>
      `<line class="grid" x1="${x(tick)}" x2="${x(tick)}" y1="${MARGIN.top}" y2="${bottom}"/><text x="${x(tick)}" y="${bottom + 16}" text-anchor="middle">${label(tick)}</text>`,
  );
  const horizontal = yTicks.map(
    (tick) =>
      `<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(tick)}" y2="${y(tick)}"/><text x="${MARGIN.left - 6}" y="${y(tick) + 4}" text-anchor="end">${label(tick)}</text>`,
  );
  const names = `<text x="${(MARGIN.left + WIDTH - MARGIN.right) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${escapeHtml(xLabel)}</text><text x="14" y="${(MARGIN.top + bottom) / 2}" text-anchor="middle" transform="rotate(-90 14 ${(MARGIN.top + bottom) / 2})">${escapeHtml(yLabel)}</text>`;
  return `${vertical.join('')}${horizontal.join('')}${names}`;
}

function figureOf({ title }: ChartOptions, content: string, series: readonly Series[]): string {
  const legend = series.length > 1 || series[0]?.kind === 'guide' ? legendOf(series) : '';
  return `<figure class="chart"><figcaption>${escapeHtml(title)}${legend}</figcaption><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(title)}">${content}</svg></figure>`;
}

function legendOf(series: readonly Series[]): string {
  return series
    .map(({ label, kind }, k) => {
      const colour = kind === 'guide' ? 'GrayText' : COLOURS[k % COLOURS.length];
      return ` <span class="key"><i style="background:${colour}"></i>${escapeHtml(label)}</span>`;
    })
    .join('');
}

function extent(values: readonly number[]): [number, number] {
  // A spread would exceed the argument limit: there are as many values as images.
  const low = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}
