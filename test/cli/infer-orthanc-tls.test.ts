import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { nanoModels } from '../../src/pretrained/index.js';
import { Orthanc, orthancMissing } from '../support/orthanc.js';
import { programMissing } from '../support/program.js';
import { describeUnless } from '../support/skipped.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { TlsProxy, throwawayCertificate } from '../support/tls-proxy.js';
import { type Study, ultrasoundStudy } from '../support/ultrasound-study.js';

const dir = temporaryFolder('infer-orthanc-tls');

/** Certificates to trust are read when a process starts, so the command is one of its own. */
function infer(words: readonly string[], env: Readonly<Record<string, string>>): Promise<{ code: number | null; text: string }> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [resolve('dist/command-line/index.js'), 'infer', ...words], {
      env: { ...process.env, ...env },
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (text += String(bytes)));
    child.once('close', (code) => done({ code, text }));
  });
}

describeUnless(orthancMissing ?? programMissing('openssl', 'openssl'), 'a study in Orthanc, over TLS', () => {
  let orthanc: Orthanc;
  let study: Study;
  const proxies: TlsProxy[] = [];
  beforeAll(async () => {
    orthanc = await Orthanc.start();
    study = await ultrasoundStudy('1.2.840.99999.8', 1, 0);
    for (const { bytes } of study.instances) await orthanc.put(bytes);
  });
  afterAll(async () => {
    for (const proxy of proxies) proxy.stop();
    await orthanc?.stop();
  });

  const served = async (name: string, altName: string) => {
    const certificate = throwawayCertificate(dir, name, altName);
    const proxy = await TlsProxy.start(orthanc.address, certificate);
    proxies.push(proxy);
    return { address: proxy.address, certFile: certificate.certFile };
  };
  const run = (out: string, address: string, env: Readonly<Record<string, string>> = {}) =>
    infer(
      [
        ...['--dicomweb', address, '--study', study.uid, '--prompt', 'cyst. kidney. mass.', '--threshold', '0.05'],
        ...['--detector', nanoModels.detector, '--masker', nanoModels.masker, '--out', join(dir, out)],
      ],
      { ...orthanc.env, ...env },
    );

  it('is segmented and stored by a certificate that NODE_EXTRA_CA_CERTS names', async () => {
    const { address, certFile } = await served('trusted', 'IP:127.0.0.1');
    const { code, text } = await run('trusted', address, { NODE_EXTRA_CA_CERTS: certFile });
    expect([code, text]).toEqual([0, expect.stringMatching(/2 objects stored in https:/)]);
    expect([(await orthanc.filesOf('SEG')).size, (await orthanc.filesOf('SR')).size]).toEqual([1, 1]);
  });

  it('is not asked for by a certificate that nobody trusts, and says what to do', async () => {
    const { address } = await served('untrusted', 'IP:127.0.0.1');
    const { code, text } = await run('untrusted', address);
    expect(code).toBe(1);
    expect(text).toContain('its certificate is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)');
    expect(text).toContain('Let NODE_EXTRA_CA_CERTS name the file of the certificate that signed it');
    // At once: trying again would not help.
    expect(text).not.toMatch(/trying again/);
  });

  it('is not asked for by a trusted certificate of another host', async () => {
    const { address, certFile } = await served('elsewhere', 'DNS:archive.example.org');
    const { code, text } = await run('elsewhere', address, { NODE_EXTRA_CA_CERTS: certFile });
    expect(code).toBe(1);
    expect(text).toContain('its certificate is of another host (ERR_TLS_CERT_ALTNAME_INVALID)');
    expect(text).toContain('Name the archive as its certificate does');
  });

  it('says that the archive speaks no TLS', async () => {
    const { code, text } = await run('plain', orthanc.address.replace('http:', 'https:'));
    expect(code).toBe(1);
    expect(text).toMatch(/it does not speak TLS \(ERR_SSL_/);
  });
});
