import { reasonEntry as entry } from './reason-entry.ts';

/** Reasons of problems in labels, files of Traefik and stack files. */
export const labelReasons = {
  'label-unknown': entry(
    'labels',
    'No label has this name. A `com.df` label is ignored; with an unknown `traefik` label nothing of the service is served.',
    'Correct the name; the suggestion has the nearest one.',
  ),
  'label-value-invalid': entry(
    'labels',
    'The value cannot be read. The definition is rejected, and the last good one stays.',
    'Write what `message` expects.',
  ),
  'label-value-refused': entry(
    'labels',
    'The value is meant for HAProxy’s configuration, or could break a head.',
    'Write the value as docs/labels.md shows.',
  ),
  'label-not-honoured': entry(
    'labels',
    'The label, or an option, has no effect in this mode or place.',
    'Remove it, or change what `message` names.',
  ),
  'label-not-indexed': entry(
    'labels',
    'The label holds for the whole service; with an index it is ignored.',
    'Write it without the index.',
  ),
  'label-index-unused': entry(
    'labels',
    'The index belongs to no destination: they are counted from 1 without a gap.',
    'Give the destination a path, domain or port, and all before it.',
  ),
  'label-deprecated': entry('labels', 'The label still works and has a successor.', 'Use the successor.'),
  'label-ignored': entry(
    'labels',
    'The label or variable of Docker Flow Proxy has no effect here.',
    'Remove it; `message` has the reason.',
  ),
  'label-refused': entry(
    'labels',
    'The label holds configuration of HAProxy.',
    'Use the label that does the same (docs/migrating-from-docker-flow.md).',
  ),
  'service-name-missing': entry('labels', 'A reconfigure call names no service.', 'Send `serviceName`.'),
  'service-name-invalid': entry(
    'labels',
    'The name cannot be a key of the registry, or is too long.',
    'Use letters, digits, `.`, `_` and `-`.',
  ),
  'service-name-taken': entry(
    'labels',
    'Two services of the Swarm would be published under one name; the older one is.',
    'Remove `com.df.shortName`, or rename one.',
  ),
  'match-missing': entry(
    'labels',
    'Neither path nor domain is set, so no request belongs to the service.',
    'Set `servicePath` or `serviceDomain`.',
  ),
  'port-missing': entry(
    'labels',
    'The port that the service listens on is not set.',
    'Set `port`, or the router’s `loadbalancer.server.port`.',
  ),
  'tcp-ports-missing': entry('labels', 'A relayed service needs both ports.', 'Set `srcPort` and `port`.'),
  'wildcard-without-dot': entry(
    'labels',
    'The wildcard has no dot after its star: it matches every name that ends so.',
    'Write `*.` to match whole labels only.',
  ),
  'domain-with-port': entry('labels', 'The domain has a port, which no host is compared with.', 'Remove the port.'),
  'path-without-slash': entry('labels', 'The path begins without a slash and never matches.', 'Begin it with `/`.'),
  'redirect-without-domain': entry(
    'labels',
    '`redirectFromDomain` has no host to lead to.',
    'Put a full host name first in `serviceDomain`.',
  ),
  'protocol-with-tls': entry(
    'labels',
    '`h2c` is plain text, and `sslVerifyNone` requires TLS: `h2` is used.',
    'Set `protocol` to `h2`.',
  ),
  'service-too-large': entry(
    'labels',
    'Domains, paths, conditions, middlewares or passwords are more than one service may have.',
    'Use fewer, or split the service.',
  ),
  'definition-too-large': entry(
    'labels',
    'The definition is larger than the registry takes of one service.',
    'Use shorter values, or split the service.',
  ),
  'secrets-key-missing': entry(
    'labels',
    '`serviceCert` holds a private key, and `SECRETS_KEY` is not set: the key is not stored.',
    'Set `SECRETS_KEY` on listeners and proxies.',
  ),
  'service-unreachable': entry(
    'labels',
    'The service joins no overlay network and publishes no port.',
    'Attach it to the proxy’s network.',
  ),
  'registry-refused': entry(
    'labels',
    'The registry refused the write; what is served stays as it was.',
    'Use fewer or shorter labels, or split the service.',
  ),

  'traefik-version-1': entry('traefik', 'Labels of Traefik 1 route nothing.', 'Write them as of version 3.'),
  'traefik-name-taken': entry(
    'traefik',
    'An older service defines a router, middleware or service of this name, and holds.',
    'Give one of the two another name.',
  ),
  'traefik-internal': entry(
    'traefik',
    'The router leads to a service inside Traefik (`api@internal`); its requests get 404.',
    'Remove the router.',
  ),
  'traefik-file-unreadable': entry(
    'traefik',
    '`TRAEFIK_FILE` cannot be read; the version before it stays.',
    'Correct the file or the setting.',
  ),
  'traefik-file-partly': entry(
    'traefik',
    'A part of `TRAEFIK_FILE` has no effect.',
    'Remove it; docs/from-traefik.md lists what has one.',
  ),
  'traefik-flag-unsupported': entry(
    'traefik',
    'A flag of the running Traefik has no counterpart.',
    'See docs/from-traefik.md.',
  ),
  'traefik-flag-differs': entry(
    'traefik',
    'A flag of the running Traefik has a setting that is nearly equivalent.',
    'Read in `message` what differs before you use the setting.',
  ),
  'traefik-service-missing': entry(
    'traefik',
    'No service of the Swarm runs Traefik, whose flags were to be read.',
    'Set `TRAEFIK_SERVICE`, or the settings themselves.',
  ),
  'traefik-service-unnamed': entry(
    'traefik',
    'The flags of the running Traefik hold only as long as it is there; a listener that starts without it would serve what they close.',
    'Set `TRAEFIK_SERVICE` to its name.',
  ),
  'traefik-service-ambiguous': entry(
    'traefik',
    'Several services run Traefik with different flags.',
    'Name one with `TRAEFIK_SERVICE`.',
  ),
  'traefik-static-file': entry(
    'traefik',
    'Traefik has its static settings in a file, which is not read.',
    'Set the settings themselves.',
  ),
  'traefik-flags-unreadable': entry(
    'traefik',
    'The flags of the running Traefik cannot be read.',
    'Set the settings themselves.',
  ),
  'rule-unreadable': entry(
    'traefik',
    'The rule of a router cannot be read; the router is not served.',
    'Correct it at the character that `message` names.',
  ),
  'rule-syntax-v2': entry(
    'traefik',
    'The rule has the syntax of Traefik 2; it is read as `message` shows.',
    'Write it as of version 3.',
  ),
  'entrypoint-unknown': entry(
    'traefik',
    'No entrypoint has this name; the router is not served there.',
    'Correct it, or add it to `TRAEFIK_ENTRYPOINTS`.',
  ),
  'tls-at-plain-entrypoint': entry(
    'traefik',
    'The router has TLS and its entrypoints have none: it is not served.',
    'Name an entrypoint with TLS.',
  ),
  'middleware-unusable': entry(
    'traefik',
    'The middleware is missing or cannot be used; its router responds with 503.',
    'Correct it, or remove it from the router.',
  ),
  'middleware-unused': entry(
    'traefik',
    'No router names the middleware, so it does nothing.',
    'Name it in a router, or remove it.',
  ),
  'rate-limit-without-average': entry(
    'traefik',
    'The rate limit has a burst and no average: it limits nothing.',
    'Set `average`.',
  ),
  'tcp-router-unsupported': entry('traefik', 'The TCP router is not served.', '`suggestion` names those that are.'),
  'udp-unsupported': entry('traefik', 'UDP is not served.', 'Publish the port of the service itself.'),
  'service-unknown': entry('traefik', 'The router names a service that is not defined.', 'Correct the name.'),
  'service-combined': entry(
    'traefik',
    'A weighted or failover service leads to services that cannot be grouped.',
    'Correct it in `TRAEFIK_FILE`, or let the router lead to one service.',
  ),
  'service-ambiguous': entry(
    'traefik',
    'Several services are defined and the router names none.',
    'Name one in the router.',
  ),
  'network-not-shared': entry(
    'traefik',
    'The service shares no overlay network with the proxy.',
    'Attach both to one network.',
  ),
  'network-not-joined': entry(
    'traefik',
    'The service has not joined the network that the label or `TRAEFIK_NETWORK` names; another one is used.',
    'Correct the name, or join it.',
  ),

  'stack-file-invalid': entry(
    'check',
    '`docker stack deploy` refuses the file.',
    'Correct it at the line that is named.',
  ),
  'variable-missing': entry('check', 'A variable that the file requires is not set.', 'Set it.'),
  'format-invalid': entry(
    'check',
    'A `$` of the file begins no variable that Docker reads.',
    'Write `$$` for a dollar sign, or a form that Docker has.',
  ),
  'default-nested': entry(
    'check',
    'A default holds a variable, which Docker does not read.',
    'Write the default as a constant.',
  ),
  'label-duplicate': entry('check', 'A label is given twice; the last one wins.', 'Remove the other one.'),
  'label-misplaced': entry(
    'check',
    'Labels of containers, which the listener cannot see.',
    'Move them to `deploy.labels`.',
  ),
  'notify-missing': entry(
    'check',
    'The service has `com.df` labels and not `com.df.notify=true`: it would not be served.',
    'Add the label.',
  ),
  'traefik-not-enabled': entry(
    'check',
    'The service has `traefik` labels and not `traefik.enable=true`: it would not be served.',
    'Add the label, or set `TRAEFIK_EXPOSED_BY_DEFAULT`.',
  ),
} as const;
