import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Logger, pause, readRegularFile } from '@swarmgate/runtime';
import { type Certificate, readCertificate } from './certificate.ts';
import type { CertificateStore } from './certificate-store.ts';

export interface CertificateFilesOptions {
  readonly certificates: CertificateStore;
  /** `DATA_DIR/certs`: every `*.pem`. */
  readonly directory: string;
  /** Secrets named `cert-<name>` or `cert_<name>`. Default `/run/secrets`. */
  readonly secretsDirectory?: string;
  readonly clientAuthorities?: string;
  readonly logger: Logger;
}

/** Reads certificates from files, and again when they change, so that a renewed one is served without a restart. */
export class CertificateFiles {
  readonly #options: CertificateFilesOptions;
  // What was read last, so that an unchanged file is neither parsed nor reported again.
  readonly #seen = new Map<string, { readonly pem: string; readonly certificate: Certificate | undefined }>();

  constructor(options: CertificateFilesOptions) {
    this.#options = options;
  }

  async read(): Promise<void> {
    const { certificates, directory, secretsDirectory = '/run/secrets' } = this.#options;
    const files = await this.#readDirectory(directory, (name) => name.endsWith('.pem'));
    certificates.replace('file', files);
    const secrets = await this.#readDirectory(secretsDirectory, (name) => /^cert[-_]./.test(name));
    certificates.replace('secret', secrets);
  }

  /** Reads every `everyMs` until the signal aborts. Its owner awaits it. */
  async follow(everyMs: number, signal: AbortSignal): Promise<void> {
    while (await pause(everyMs, signal)) await this.read();
  }

  async #readDirectory(directory: string, required: (name: string) => boolean): Promise<Certificate[]> {
    let names: string[];
    try {
      names = (await readdir(directory)).filter(required).sort();
    } catch {
      // No such directory: no certificates there.
      return [];
    }
    const found: Certificate[] = [];
    for (const name of names) {
      const certificate = await this.#readFile(join(directory, name), nameOf(name));
      if (certificate !== undefined) found.push(certificate);
    }
    return found;
  }

  async #readFile(path: string, name: string): Promise<Certificate | undefined> {
    const { logger, clientAuthorities } = this.#options;
    const seen = this.#seen.get(path);
    let pem: string;
    try {
      pem = await readRegularFile(path);
    } catch (error) {
      logger.warn({ file: path, err: error }, 'a certificate file cannot be read');
      return seen?.certificate;
    }
    if (seen?.pem === pem) return seen.certificate;
    const read = readCertificate(name, pem, clientAuthorities);
    if (!read.ok) logger.warn({ file: path }, read.reason);
    // A half-written renewal keeps the old certificate in service.
    const certificate = read.ok ? read.certificate : seen?.certificate;
    this.#seen.set(path, { pem, certificate });
    return certificate;
  }
}

function nameOf(file: string): string {
  return file.replace(/\.pem$/, '').replace(/^cert[-_]/, '');
}
