/** Characters that some system forbids in file names or that cause trouble. */
const AWKWARD = /[^\p{L}\p{N}._-]+/gu;

const FORBIDDEN = /[\\/:*?"<>|\p{Cc}]+/gu;

/** A name of lower-case letters (of any alphabet), digits, dots, dashes and underscores. */
export function slug(name: string): string {
  return (
    name
      .normalize('NFC')
      .toLowerCase()
      .replace(AWKWARD, '-')
      .replace(/^[-.]+|-+$/g, '') || 'image'
  );
}

/** A lower-case name that keeps its spaces, as in the published code. */
export function paperName(name: string): string {
  return name.normalize('NFC').toLowerCase().replace(FORBIDDEN, '-');
}

/** Appends numbers to duplicate names. */
export function distinct(names: readonly string[]): string[] {
  const seen = new Set<string>();
  return names.map((name) => {
    let own = name;
    for (let n = 2; seen.has(own); n++) own = `${name}-${n}`;
    seen.add(own);
    return own;
  });
}
