import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './until.js';

const PROGRAMS = ['/usr/sbin/Orthanc', '/usr/local/sbin/Orthanc', '/usr/bin/Orthanc'];
const PLUGINS = ['/usr/share/orthanc/plugins/libOrthancDicomWeb.so', '/usr/local/share/orthanc/plugins/libOrthancDicomWeb.so'];

const program = PROGRAMS.find((path) => existsSync(path));
const plugin = PLUGINS.find((path) => existsSync(path));

/** Why tests against Orthanc are skipped; undefined where it is installed. */
export const orthancMissing =
  program !== undefined && plugin !== undefined
    ? undefined
    : 'there is no Orthanc with its DICOMweb plug-in; apt-get install orthanc orthanc-dicomweb';

/** Who may use it. */
const USER = { name: 'anna', password: 'a secret: with a colon' };

/** Orthanc with its DICOMweb plug-in on a free port of this machine, with everything in a temporary folder. */
export class Orthanc {
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    private readonly origin: string,
  ) {}

  static async start(): Promise<Orthanc> {
    const folder = await mkdtemp(join(tmpdir(), 'sonoground-orthanc-'));
    const port = await freePort();
    const config = {
      Name: 'test',
      StorageDirectory: join(folder, 'storage'),
      IndexDirectory: join(folder, 'index'),
      HttpPort: port,
      RemoteAccessAllowed: false,
      AuthenticationEnabled: true,
      RegisteredUsers: { [USER.name]: USER.password },
      DicomServerEnabled: false,
      Plugins: [plugin],
      DicomWeb: { Enable: true, Root: '/dicom-web/' },
    };
    const file = join(folder, 'orthanc.json');
    await writeFile(file, JSON.stringify(config));
    const child = spawn(program ?? '', [file], { stdio: 'ignore' });
    const orthanc = new Orthanc(child, folder, `http://127.0.0.1:${port}`);
    await until(() =>
      orthanc.ask('/system').then(
        (response) => response.ok,
        () => false,
      ),
    );
    return orthanc;
  }

  get address(): string {
    return `${this.origin}/dicom-web`;
  }

  /** The environment of a command that uses it. */
  get env(): Record<string, string> {
    return { SONOGROUND_DICOMWEB_USER: USER.name, SONOGROUND_DICOMWEB_PASSWORD: USER.password };
  }

  /** Sends a file, by Orthanc's own API. */
  async put(bytes: Uint8Array): Promise<void> {
    const response = await this.ask('/instances', { method: 'POST', body: bytes as Uint8Array<ArrayBuffer> });
    if (!response.ok) throw new Error(`Orthanc answers ${response.status}`);
  }

  /** The files of all instances of a modality, by SOP Instance UID, as Orthanc keeps them. */
  async filesOf(modality: string): Promise<Map<string, Buffer>> {
    const found = new Map<string, Buffer>();
    for (const id of (await (await this.ask('/instances')).json()) as string[]) {
      const tags = (await (await this.ask(`/instances/${id}/simplified-tags`)).json()) as Record<string, string>;
      if (tags['Modality'] !== modality) continue;
      found.set(tags['SOPInstanceUID'] ?? '', Buffer.from(await (await this.ask(`/instances/${id}/file`)).arrayBuffer()));
    }
    return found;
  }

  /** Removes all instances of a modality. */
  async remove(modality: string): Promise<void> {
    for (const id of (await (await this.ask('/instances')).json()) as string[]) {
      const tags = (await (await this.ask(`/instances/${id}/simplified-tags`)).json()) as Record<string, string>;
      if (tags['Modality'] === modality) await this.ask(`/instances/${id}`, { method: 'DELETE' });
    }
  }

  /** The number of studies and patients. */
  async counts(): Promise<{ studies: number; patients: number }> {
    const { CountStudies, CountPatients } = (await (await this.ask('/statistics')).json()) as Record<string, number>;
    return { studies: CountStudies ?? 0, patients: CountPatients ?? 0 };
  }

  private ask(path: string, init: RequestInit = {}): Promise<Response> {
    const authorization = `Basic ${Buffer.from(`${USER.name}:${USER.password}`).toString('base64')}`;
    return fetch(`${this.origin}${path}`, { ...init, headers: { authorization } });
  }

  async stop(): Promise<void> {
    const over = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGKILL');
    await over;
    await rm(this.folder, { recursive: true, force: true });
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
