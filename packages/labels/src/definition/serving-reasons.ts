import { reasonEntry as entry } from './reason-entry.ts';

/** Reasons of problems that the proxies find as they read the registry and serve. */
export const servingReasons = {
  'document-not-json': entry(
    'documents',
    'The value of the key is not JSON.',
    'Correct the key, or publish the service again.',
  ),
  'definition-invalid': entry(
    'documents',
    'A field of the definition is missing or wrong.',
    'Correct the field in `label`, or publish the service again.',
  ),
  'definition-misplaced': entry(
    'documents',
    'Owner or service in the document differ from its key.',
    'Correct them, or move the document.',
  ),
  'field-unknown': entry(
    'documents',
    'The definition has a field that this version does not know; if it may restrict access, its routes respond with 503.',
    'Update the proxies, or remove the field.',
  ),
  'endpoint-unusable': entry(
    'documents',
    'An entry of the endpoints document cannot be used and is left out.',
    'Correct it; the listener writes it again.',
  ),
  'maintenance-invalid': entry(
    'documents',
    'The maintenance document has an error.',
    'Correct it, or set it again with `swarmgate maintenance`.',
  ),
  'key-foreign': entry(
    'documents',
    'A key under the prefix is none of Swarmgate’s; it is left alone.',
    'Move it, or change `PROXY_INSTANCE_NAME`.',
  ),
  rejected: entry(
    'documents',
    'The definition cannot be used and has no earlier version that can: it has no route.',
    'Correct it, or publish the service again.',
  ),
  'last-good-served': entry(
    'documents',
    'The definition cannot be used; the last good one is served.',
    'Correct it; the other problems of the service name the error.',
  ),
  held: entry(
    'documents',
    'The keys vanished without an entry in the journal; the service is served on.',
    'Publish it again, or `swarmgate reload --force`.',
  ),

  overridden: entry(
    'serving',
    'A manual definition of the same name is served instead.',
    '`swarmgate remove NAME` ends that.',
  ),
  'route-conflict': entry(
    'serving',
    'Two services match the same requests; one gets them.',
    'Change host, path or priority of one.',
  ),
  'host-unusable': entry('serving', 'The name cannot be the host of a request.', 'Correct the name.'),
  'path-unusable': entry(
    'serving',
    'The path or pattern cannot be compared with requests.',
    'Correct it as `message` describes.',
  ),
  'redirect-target-missing': entry(
    'serving',
    '`redirectFromDomain` has no host to lead to.',
    'Put a full host name first in `serviceDomain`.',
  ),
  'middleware-unsupported': entry(
    'serving',
    'A middleware cannot be used; the destination responds with 503.',
    'Correct or remove the middleware.',
  ),
  'unsupported-feature': entry(
    'serving',
    'The service restricts access by what this proxy, or its mode, does not have; its routes respond with 503, a relay is closed.',
    'Update the proxy, or remove the label.',
  ),
  'entrypoint-missing': entry(
    'serving',
    'No entrypoint of this proxy has the port that the route needs.',
    'Add it to `BIND_PORTS`, or correct the label.',
  ),
  unreachable: entry(
    'serving',
    'No task runs, or none has an address that this proxy reaches.',
    'See `docker service ps`, or share a network.',
  ),
  'outbound-unresolved': entry(
    'serving',
    'The name in `outboundHostname` does not resolve.',
    'Correct the name or the DNS.',
  ),
  'called-service-unreachable': entry(
    'serving',
    'The service that `forwardAuth` or `errors` calls has no address that this proxy reaches; requests get 503 `auth-unavailable`, or no pages.',
    'Correct the address or the DNS, or share a network.',
  ),
  'stale-endpoint': entry(
    'serving',
    'The known addresses are too old to be used without the registry.',
    'Bring the registry back.',
  ),
  'endpoints-drained': entry(
    'serving',
    'All endpoints are drained; requests get 503 `no-endpoint`.',
    'End the drain of one.',
  ),
  'own-port': entry(
    'serving',
    'The endpoint is a port of the proxy itself or of its registry.',
    'Correct host and port of the service.',
  ),
  'wrong-protocol': entry(
    'serving',
    'The endpoint speaks another protocol than the label names; requests get 502.',
    'Correct `protocol` or `sslVerifyNone`.',
  ),
  'users-unresolved': entry(
    'serving',
    'Users or their secret cannot be read; requests get 401.',
    'Mount the secret, or correct `users`.',
  ),
  'server-name-taken': entry(
    'serving',
    'TLS connections with this server name belong to another service.',
    'Change the name or the port of one.',
  ),
  'relay-port-taken': entry('serving', 'Connections to the port belong to another service.', 'Change the port of one.'),
  'relay-port-unavailable': entry(
    'serving',
    'The port cannot be opened, or is an entrypoint.',
    'Choose another `srcPort`.',
  ),
  'sni-pattern-invalid': entry('serving', 'The pattern cannot be compared with server names.', 'Correct the pattern.'),
  'plugin-missing': entry(
    'serving',
    'The plug-in is not in `PLUGINS_DIR`; the destination responds with 503.',
    'Add the file, or correct the label.',
  ),
  'plugin-unusable': entry(
    'serving',
    'The plug-in cannot be loaded or made of its options; the destination responds with 503.',
    'Correct the file or the options.',
  ),
  'plugin-failed': entry(
    'serving',
    'The plug-in failed in the last minutes and cost requests.',
    'Correct it; the log has the stack.',
  ),
  'plugin-blocked': entry(
    'serving',
    'The plug-in blocked a process in the last minutes.',
    'Move long computations to a thread.',
  ),

  'service-repeated': entry(
    'replica',
    'Two `DFP_SERVICE` variables define one service; the first holds.',
    'Rename one.',
  ),
  'setting-without-effect': entry(
    'replica',
    'A setting is set and has no effect here.',
    'Remove it, or set what it needs.',
  ),
  'task-failed': entry(
    'replica',
    'A control task of this replica failed and is restarted: a fault of the proxy itself.',
    'Report it with the stack in the log.',
  ),
  'descriptors-low': entry(
    'replica',
    'A process has nearly as many connections as its descriptors allow.',
    'Raise the limit of open files.',
  ),
  'memory-low': entry(
    'replica',
    'The container has used nearly all of its memory.',
    'Raise its limit, or lower `WORKERS` or `MAX_CONNECTIONS`.',
  ),
  'snapshot-unwritten': entry(
    'replica',
    'The snapshot in `DATA_DIR` cannot be written: a start while the registry is away would serve an older state.',
    'Make room, or let the proxy write there: it is tried again every 10 s.',
  ),
  'plugin-refused': entry(
    'replica',
    'Changed files in `PLUGINS_DIR` cannot be used; workers keep what they have.',
    'Correct the file, or put the former one back.',
  ),
} as const;
