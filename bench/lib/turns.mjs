/** Two sides that take turns, so that whatever else the machine does meets both. */
import { join } from 'node:path';
import { differencesOf, disagreement, shapeMismatch } from './agreement.mjs';
import { exportModel, startPeer } from './peers.mjs';
import { othersClock } from './processor.mjs';
import { ratiosOf, summaryOf } from './statistics.mjs';

/** A side that cannot run its model, or computes something else; the message is the reason. */
class Refusal extends Error {
  constructor(side, reason) {
    super(reason);
    this.side = side;
  }
}

/** The answer of a side. @throws Refusal if it has none. */
export async function answerOf(side, line) {
  const answer = await side.ask(line);
  if (answer.refused !== undefined) throw new Refusal(side, answer.refused);
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

/** Asks a side to save its outputs; resolves to them. `read` reads a safetensors file. */
export async function outputsOf(side, question, file, read) {
  await answerOf(side, `save ${question} ${file}`);
  return (await read(file)).arrays;
}

/**
 * Every peer against us, one after another, each after its outputs were compared with the reference's.
 *
 * @param asked - the work with its question, folder and so on; `expected` are the reference's outputs, `read` reads those of a peer,
 *   `say` gets a line when a peer starts.
 * @returns one record a peer: its figures, or in `refused` the reason why it has none.
 */
export async function againstPeers(peers, ours, asked) {
  const { work, kind, sizes, folder, python, say } = asked;
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
    say(`${work}: ${peer.name}, ${peer.precision}`);
    const side = await startPeer(peer, kind, sizes, folder, python);
    try {
      await againstPeer(side, record, ours, asked);
    } catch (error) {
      if (error.side !== side) throw error;
      record.refused = error.message;
    } finally {
      await side.end();
    }
  }
  return records;
}

/** Completes the record of a peer. @throws Refusal if it has no figures. */
async function againstPeer(side, record, ours, { work, question, before, runs, folder, expected, read }) {
  if (side.refused !== undefined) throw new Refusal(side, side.refused);
  Object.assign(record, { version: side.version, precision: side.precision });
  if (before) await answerOf(side, before);
  const outputs = await outputsOf(side, question, join(folder, 'outputs-peer.safetensors'), read);
  const mismatch = shapeMismatch(expected, outputs);
  if (mismatch !== undefined) throw new Refusal(side, `computes something else: ${mismatch}`);
  record.difference = differencesOf(expected, outputs);
  const wrong = disagreement(record.difference, record.precision, work);
  if (wrong !== undefined) throw new Refusal(side, wrong);
  const questions = [ours, side].map((one) => [one, question]);
  const { passes, others } = await takeTurns(questions, runs);
  const [own, theirs] = passes;
  Object.assign(record, summaryOf(theirs), { ours: summaryOf(own).seconds, ...ratiosOf(own, theirs), others });
}
