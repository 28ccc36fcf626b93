import { PassThrough } from 'node:stream';
import { createLogger, type Logger, readSettings } from '@swarmgate/runtime';
import { expect } from 'chai';
import { type ConsulUi, type ConsulUiOptions, startConsulUi } from '../src/control/consul-ui/consul-ui.ts';
import { RawClient, type ReceivedResponse } from './raw-client.ts';
import { type ScriptedConsul, startScriptedConsul } from './scripted-consul.ts';

export const adminToken = 'the-admin-token';
export const uiToken = 'the-ui-token';
export const bearer = `Authorization: Bearer ${adminToken}\r\n`;
export const basic = `Authorization: Basic ${Buffer.from(`ops:${adminToken}`).toString('base64')}\r\n`;
/** The path of a service that may be written with the UI's token. */
export const key = '/v1/kv/swarmgate/services/manual/legacy';

/** `CONSUL_UI_PORT` before a scripted Consul, with clients that send exact bytes. */
export class ConsulUiRig {
  consul: ScriptedConsul;
  readonly logged: string[] = [];
  readonly #logger: Logger;
  readonly #clients: RawClient[] = [];
  #ui: ConsulUi | undefined;

  private constructor(consul: ScriptedConsul) {
    this.consul = consul;
    const destination = new PassThrough().setEncoding('utf8').on('data', (line: string) => this.logged.push(line));
    this.#logger = createLogger({ level: 'debug', destination });
  }

  static async start(): Promise<ConsulUiRig> {
    const rig = new ConsulUiRig(await startScriptedConsul());
    await rig.restart();
    return rig;
  }

  get port(): number {
    return this.#ui?.port ?? 0;
  }

  open(
    limits: ConsulUiOptions['limits'] = {},
    env: Readonly<Record<string, string>> = { CONSUL_UI_INSECURE: 'true' },
    port = 0,
  ): Promise<ConsulUi> {
    const settings = readSettings('proxy', {
      env: {
        CONSUL_HTTP_ADDR: `127.0.0.1:${this.consul.port}`,
        ADMIN_TOKEN: adminToken,
        CONSUL_UI_TOKEN: uiToken,
        ...env,
      },
    });
    return startConsulUi({ settings, port, logger: this.#logger, limits });
  }

  async restart(...how: Parameters<ConsulUiRig['open']>): Promise<void> {
    await this.stopUi();
    this.#ui = await this.open(...how);
  }

  async stopUi(): Promise<void> {
    await this.#ui?.stop();
  }

  dial(): RawClient {
    const client = new RawClient(this.port);
    this.#clients.push(client);
    return client;
  }

  head(line: string, fields = bearer): string {
    return `${line} HTTP/1.1\r\nHost: ui.example:${this.port}\r\n${fields}\r\n`;
  }

  async call(line: string, fields = bearer, body = ''): Promise<ReceivedResponse> {
    const client = this.dial();
    client.send(this.head(line, fields) + body);
    return client.response(line.split(' ')[0]);
  }

  /** Checks, too, that no token was logged, whatever happened in the test. */
  async stop(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.destroy();
    await this.stopUi();
    await this.consul.stop();
    expect(this.logged.join('')).to.not.include(adminToken).and.not.include(uiToken);
  }
}
