import type { DataSet } from 'dicom-parser';
import type { DicomElement, DicomElements } from '../dicom/index.js';
import { parserTag } from './read-kept.js';

/** Study, series, acquisition and content: date and time. */
const PAIRS = [
  ['00080020', '00080030'],
  ['00080021', '00080031'],
  ['00080022', '00080032'],
  ['00080023', '00080033'],
] as const;

/** The date and time of a study are required, but may be empty. */
const EMPTY: DicomElements = { '00080020': { vr: 'DA', Value: [] }, '00080030': { vr: 'TM', Value: [] } };

const DAY_MS = 86_400_000;

/**
 * The dates of an output.
 *
 * @param days - shifts dates by so many days and keeps times of day; undefined removes both.
 */
export function datesOf(set: DataSet, days: number | undefined): DicomElements {
  if (days === undefined) return EMPTY;
  const out: Record<string, DicomElement> = { ...EMPTY };
  for (const [dateTag, timeTag] of PAIRS) {
    const date = shifted(set.string(parserTag(dateTag))?.trim() ?? '', days);
    if (date === undefined) continue;
    out[dateTag] = { vr: 'DA', Value: [date] };
    const time = /^(?:[01]\d|2[0-3])(?:[0-5]\d(?:[0-5]\d)?)?(?=\.\d{1,6}$|$)/.exec(set.string(parserTag(timeTag))?.trim() ?? '');
    if (time !== null) out[timeTag] = { vr: 'TM', Value: [time[0]] };
  }
  return out;
}

/** A date (`YYYYMMDD`) so many days later, or undefined if it is none. */
function shifted(date: string, days: number): string | undefined {
  const [, year, month, day] = /^(\d{4})(\d{2})(\d{2})$/.exec(date) ?? [];
  if (year === undefined) return undefined;
  const time = Date.UTC(Number(year), Number(month) - 1, Number(day));
  if (Number(year) < 1900 || new Date(time).toISOString().slice(0, 10) !== `${year}-${month}-${day}`) return undefined;
  return new Date(time + days * DAY_MS).toISOString().slice(0, 10).replaceAll('-', '');
}
