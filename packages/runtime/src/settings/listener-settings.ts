import { dockerAddress } from './address-parsers.ts';
import { boolean, integer, list, portOrOff, seconds, secondsOrOff, text } from './parsers.ts';
import { given, listening, optional } from './setting.ts';

/** What the listener reads; `DF_…` are Docker Flow's own names. */
export const listenerSettings = {
  dockerHost: optional({
    env: ['DF_DOCKER_HOST', 'DOCKER_HOST'],
    parse: dockerAddress,
    usedBy: listening,
    meaning: 'Docker Engine, `unix://` or `tcp://`. Not set: /var/run/docker.sock',
  }),
  listenerPort: given({
    env: ['LISTENER_PORT'],
    parse: portOrOff,
    default: '8080',
    defaultFor: { standalone: 'off' },
    usedBy: [...listening, 'cli'],
    meaning: 'Listener’s REST; `off` opens none',
  }),
  listenerHost: given({
    env: ['LISTENER_HOST'],
    parse: text,
    default: '127.0.0.1',
    usedBy: listening,
    meaning: 'Where the listener’s port listens; the image sets `::` (all addresses)',
  }),
  listenerUrl: optional({
    env: ['LISTENER_URL'],
    parse: text,
    usedBy: [...listening, 'cli'],
    meaning:
      'Where the agent role (`swarmgate listener --role agent`) and `swarmgate adopt` find the listeners: `http://tasks.listener:8080`',
  }),
  notifyLabel: given({
    env: ['DF_NOTIFY_LABEL'],
    parse: text,
    default: 'com.df.notify',
    usedBy: [...listening, 'cli'],
    meaning: 'Label that selects the services to publish',
  }),
  serviceNamePrefix: given({
    env: ['DF_SERVICE_NAME_PREFIX'],
    parse: text,
    default: '',
    usedBy: [...listening, 'cli'],
    meaning: 'Prefix of every published service name',
  }),
  includeNodeIpInfo: given({
    env: ['DF_INCLUDE_NODE_IP_INFO'],
    parse: boolean,
    default: 'false',
    usedBy: listening,
    meaning: 'Add `nodeInfo` to get-services and notifications',
  }),
  notifyCreateServiceUrls: notifyUrls('DF_NOTIFY_CREATE_SERVICE_URL', 'a service is created or changed'),
  notifyRemoveServiceUrls: notifyUrls('DF_NOTIFY_REMOVE_SERVICE_URL', 'a service is removed'),
  notifyCreateNodeUrls: notifyUrls('DF_NOTIFY_CREATE_NODE_URL', 'a node joins or changes'),
  notifyRemoveNodeUrls: notifyUrls('DF_NOTIFY_REMOVE_NODE_URL', 'a node leaves'),
  notifyCreateServiceMethods: notifyMethods('DF_NOTIFY_CREATE_SERVICE_METHOD'),
  notifyRemoveServiceMethods: notifyMethods('DF_NOTIFY_REMOVE_SERVICE_METHOD'),
  notifyCreateNodeMethods: notifyMethods('DF_NOTIFY_CREATE_NODE_METHOD'),
  notifyRemoveNodeMethods: notifyMethods('DF_NOTIFY_REMOVE_NODE_METHOD'),
  notifyImmediately: given({
    env: ['DF_NOTIFY_CREATE_SERVICE_IMMEDIATELY'],
    parse: boolean,
    default: 'false',
    usedBy: listening,
    meaning: 'Do not wait for running tasks of services with `com.df.scrapeNetwork`',
  }),
  retries: given({
    env: ['DF_RETRY'],
    parse: integer(0, 1_000_000),
    default: '50',
    usedBy: listening,
    meaning: 'Retries of a failed notification',
  }),
  retryIntervalMs: given({
    env: ['DF_RETRY_INTERVAL'],
    parse: seconds,
    default: '5',
    usedBy: listening,
    meaning: 'Seconds between two retries',
  }),
  useServiceEvents: given({
    env: ['DF_USE_DOCKER_SERVICE_EVENTS'],
    parse: boolean,
    default: 'true',
    usedBy: listening,
    meaning: 'React to Docker’s service events',
  }),
  useNodeEvents: given({
    env: ['DF_USE_DOCKER_NODE_EVENTS'],
    parse: boolean,
    default: 'true',
    usedBy: listening,
    meaning: 'React to Docker’s node events',
  }),
  servicePollingIntervalMs: given({
    env: ['DF_SERVICE_POLLING_INTERVAL'],
    parse: secondsOrOff,
    default: '-1',
    usedBy: listening,
    meaning: 'Seconds between two full listings besides `RESYNC_INTERVAL_MS`; -1: none',
  }),
  resyncIntervalMs: given({
    env: ['RESYNC_INTERVAL_MS'],
    parse: integer(100, 86_400_000),
    default: '30000',
    usedBy: listening,
    meaning: 'Time between two full listings, event or not, in milliseconds',
  }),
} as const;

function notifyUrls(env: string, when: string) {
  return given({
    env: [env],
    parse: list,
    default: '',
    usedBy: listening,
    meaning: `Comma list of URLs that are called when ${when}`,
  });
}

function notifyMethods(env: string) {
  return given({
    env: [env],
    parse: list,
    default: 'GET',
    usedBy: listening,
    meaning: 'HTTP methods for those URLs; the last one serves the rest',
  });
}
