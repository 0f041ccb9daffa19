import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type DownloadedModel,
  type DownloadOptions,
  downloadModel,
  type HubEvent,
  type HubSettings,
  hubSettings,
} from '../../src/pretrained/hub/index.js';
import { COMMIT, FakeHub, REPO } from './fake-hub.js';

/** A fake hub, an empty cache, and what happened between them. */
export class HubCase {
  readonly hub = new FakeHub();
  readonly events: HubEvent[] = [];
  /** Pauses that were asked for; none is made. */
  readonly waits: number[] = [];
  root = '';

  async start(): Promise<this> {
    await this.hub.start();
    this.root = await mkdtemp(join(tmpdir(), 'hub-'));
    return this;
  }

  async stop(): Promise<void> {
    this.hub.stop();
    await rm(this.root, { recursive: true, force: true });
  }

  get cacheDir(): string {
    return join(this.root, 'cache');
  }

  get repoFolder(): string {
    return join(this.cacheDir, 'models--owner--some-model');
  }

  get snapshot(): string {
    return join(this.repoFolder, 'snapshots', COMMIT);
  }

  get blobs(): string {
    return join(this.repoFolder, 'blobs');
  }

  settings(env: Record<string, string> = {}): Promise<HubSettings> {
    return hubSettings({ HF_ENDPOINT: this.hub.endpoint, HF_HUB_CACHE: this.cacheDir, HOME: this.root, ...env });
  }

  async download(
    name = REPO,
    { env = {}, pace = {}, ...options }: DownloadOptions & { env?: Record<string, string> } = {},
  ): Promise<DownloadedModel> {
    return downloadModel(name, {
      settings: await this.settings(env),
      report: (event) => this.events.push(event),
      pace: {
        silenceMs: 900_000, // the machine may be busy with other things
        attempts: 3,
        progressBytes: 100_000,
        pollMs: 5,
        sleep: async (ms) => {
          this.waits.push(ms);
          await new Promise((resolve) => setTimeout(resolve, 1));
        },
        ...pace,
      },
      ...options,
    });
  }

  /** What is in the cache and is no finished file. */
  async unfinished(): Promise<readonly string[]> {
    const names = await readdir(this.root, { recursive: true });
    return names.filter((name) => /\.(?:incomplete|tmp|lock)$/.test(name));
  }

  eventsOf<K extends HubEvent['kind']>(kind: K): readonly Extract<HubEvent, { kind: K }>[] {
    return this.events.filter((event): event is Extract<HubEvent, { kind: K }> => event.kind === kind);
  }
}
