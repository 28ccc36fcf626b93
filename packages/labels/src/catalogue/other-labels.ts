/** A label that is no field of the definition: for the listener, deprecated, ignored or refused. */
export interface OtherLabel {
  readonly name: string;
  readonly indexed: boolean;
  readonly meaning: string;
  readonly example: string;
  readonly kind:
    | { readonly kind: 'listener' }
    | { readonly kind: 'deprecated'; readonly replacement: string }
    | { readonly kind: 'ignored'; readonly why: string }
    | { readonly kind: 'refused'; readonly replacement: string };
}

const rawHaproxy = 'Swarmgate has no HAProxy underneath, so there is no configuration to put it into';

/** Labels that are no field of a definition. */
export const otherLabels: readonly OtherLabel[] = [
  listener(
    'serviceName',
    'Name of the service. By `reconfigure` mandatory; for Swarm services the listener sets it.',
    'go-demo',
  ),
  listener('notify', 'Selects the service for publishing. Its key can be changed with `DF_NOTIFY_LABEL`.', 'true'),
  listener('shortName', 'Takes the `<stack>_` off the service’s name.', 'true'),
  listener('notifyService', 'Notification URLs that are called for the service, by position or name.', 'monitor'),
  listener(
    'scrapeNetwork',
    'Network whose addresses notifications carry; they wait for running tasks then.',
    'monitor',
  ),
  listener(
    'nodeInfo',
    'Nodes that run the service; the listener adds it where `DF_INCLUDE_NODE_IP_INFO` is set.',
    '[["node1","10.0.0.1","id1"]]',
  ),
  {
    name: 'serviceDomainMatchAll',
    indexed: false,
    meaning: 'Compares `serviceDomain` as whole labels anywhere in the host.',
    example: 'true',
    kind: { kind: 'deprecated', replacement: 'serviceDomainAlgo=hdr_dom(host)' },
  },
  {
    name: 'reqPathSearch',
    indexed: false,
    meaning: 'Regular expression that `reqPathReplace` replaces in the path, before `reqPathSearchReplace`.',
    example: '^/api',
    kind: { kind: 'deprecated', replacement: 'reqPathSearchReplace' },
  },
  {
    name: 'reqPathReplace',
    indexed: false,
    meaning: 'What `reqPathSearch` is replaced by.',
    example: '/v1',
    kind: { kind: 'deprecated', replacement: 'reqPathSearchReplace' },
  },
  refused(
    'templateFePath',
    'use servicePath, serviceDomain, serviceHeader, userAgent and srcPort',
    '/templates/fe.tmpl',
  ),
  refused(
    'templateBePath',
    'use addReqHeader, reqPathSearchReplace, timeoutServer and the other labels of a destination',
    '/templates/be.tmpl',
  ),
  refused(
    'backendExtra',
    'use addReqHeader, setResHeader, timeoutServer, balance or checkPath for what it does',
    'option httplog',
  ),
  refused(
    'consulTemplateFePath',
    'definitions are in Consul as they are; write one by reconfigure or in Consul’s UI',
    '/templates/fe.ctmpl',
  ),
  refused(
    'consulTemplateBePath',
    'definitions are in Consul as they are; write one by reconfigure or in Consul’s UI',
    '/templates/be.ctmpl',
  ),
  {
    name: 'checkResolvers',
    indexed: false,
    meaning: 'Names are always resolved again in the background.',
    example: 'true',
    kind: { kind: 'ignored', why: 'names are always resolved again in the background' },
  },
  {
    name: 'userDef',
    indexed: true,
    meaning: 'Was for custom templates.',
    example: 'anything',
    kind: { kind: 'ignored', why: 'it was for custom templates, which there are none of' },
  },
];

function listener(name: string, meaning: string, example: string): OtherLabel {
  return { name, indexed: false, meaning, example, kind: { kind: 'listener' } };
}

function refused(name: string, replacement: string, example: string): OtherLabel {
  return { name, indexed: false, meaning: `${rawHaproxy}.`, example, kind: { kind: 'refused', replacement } };
}
