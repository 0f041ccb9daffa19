/** In a browser no volume is read. */
export async function volumePlace(): Promise<undefined> {
  return undefined;
}
