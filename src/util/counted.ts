/** A number with its noun: `1 image`, `2 images`. @param several - default: the noun with an s. */
export function counted(count: number, one: string, several = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`;
}
