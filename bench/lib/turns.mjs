/** Two sides that take turns, so that whatever else the machine does meets both. */
import { join } from 'node:path';
import { differencesOf, disagreement } from './agreement.mjs';
import { dist } from './dist.mjs';
import { exportModel, startPeer } from './peers.mjs';
import { othersClock } from './processor.mjs';
import { ratiosOf, summaryOf } from './statistics.mjs';

/** A side that cannot run its model, or computes something else; its message is the reason. */
class Refusal extends Error {}

/** The answer of a side. @throws Refusal if it has none. */
export async function answerOf(side, line) {
  const answer = await side.ask(line);
  if (answer.refused !== undefined) throw new Refusal(answer.refused);
  return answer;
}

/**
 * Passes of all sides in turns, of which the first does not count.
 *
 * @param questions - pairs of a side and its question.
 * @returns `passes` and `first`, in the order of the pairs, and `others`, the mean number of processors that other programs used.
 */
export async function takeTurns(questions, runs) {
  const clock = othersClock();
  const passes = questions.map(() => []);
  const first = [];
  for (let run = 0; run <= runs; run++)
    for (const [i, [side, question]] of questions.entries()) {
      if (run === 0) first[i] = await answerOf(side, question);
      else passes[i].push(await clock.during(() => answerOf(side, question)));
    }
  return { passes, first, others: clock.mean() };
}

/** Asks a side to save its outputs; resolves to them. */
export async function outputsOf(side, question, folder, name) {
  const file = join(folder, `outputs-${name}.safetensors`);
  await answerOf(side, `save ${question} ${file}`);
  const { readSafetensors } = await dist('weights/formats/index.js');
  return (await readSafetensors(file)).arrays;
}

/**
 * Every peer against us, one after another, each after its outputs were compared with the reference's.
 *
 * @param expected - the reference's outputs.
 * @returns one record a peer: its figures, or in `refused` the reason why it has none.
 */
export async function againstPeers(peers, ours, { work, kind, sizes, question, before, runs, folder, python, expected }) {
  if (peers.length === 0) return [];
  const noModel = peers.some(({ exported }) => exported) ? await exportModel(kind, sizes, folder, python) : undefined;
  const records = [];
  for (const peer of peers) {
    const record = { peer: peer.name, precision: peer.precision };
    records.push(record);
    if (peer.exported && noModel !== undefined) {
      record.refused = noModel;
      continue;
    }
    const side = await startPeer(peer, kind, sizes, folder, python);
    try {
      if (side.refused !== undefined) throw new Refusal(side.refused);
      Object.assign(record, { version: side.version, precision: side.precision });
      if (before) await answerOf(side, before);
      record.difference = differencesOf(expected, await outputsOf(side, question, folder, 'peer'));
      const wrong = disagreement(record.difference, record.precision, work);
      if (wrong !== undefined) throw new Refusal(wrong);
      const { passes, others } = await takeTurns(
        [
          [ours, question],
          [side, question],
        ],
        runs,
      );
      const [own, theirs] = passes;
      Object.assign(record, summaryOf(theirs), { ours: summaryOf(own).seconds, ...ratiosOf(own, theirs), others });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      record.refused = error.message;
    } finally {
      await side.end();
    }
  }
  return records;
}
