import { everywhere, paths, type RoutingCase, strict } from './routing-case.ts';

export const spellingCases: readonly RoutingCase[] = [
  strict('dot segments are resolved first', [everywhere, paths('admin', '/admin')], 'any.example/x/../admin/y', {
    route: 'admin/0',
    forwarded: '/admin/y',
  }),
  strict('encoded dots are dots', [everywhere, paths('admin', '/admin')], 'any.example/x/%2e%2E/admin', {
    route: 'admin/0',
    forwarded: '/admin',
  }),
  strict('encoded letters are letters', [everywhere, paths('admin', '/admin')], 'any.example/%61dmin', 'admin/0'),
  strict('doubled slashes are one', [everywhere, paths('admin', '/admin/x')], 'any.example//admin//x', 'admin/0'),
  strict('the root has no parent', [everywhere], 'any.example/../..', { route: 'everywhere/0', forwarded: '/' }),
  strict(
    'an exclusion cannot be spelled around',
    [{ service: 'api', destinations: [{ servicePath: ['/'], servicePathExclude: ['/admin'] }] }],
    'any.example/x/..//%61dmin',
    'no-route',
  ),
  strict('an encoded slash is forwarded as sent', [everywhere], 'any.example/a%2Fb', 'everywhere/0'),
  strict(
    'an encoded slash does not lead past a rule',
    [everywhere, paths('admin', '/admin')],
    'any.example/x%2F..%2fadmin',
    { refused: 'path-ambiguous' },
  ),
  strict('a backslash is forwarded as sent', [everywhere], 'any.example/a\\b', 'everywhere/0'),
  strict('so is an encoded one', [everywhere], 'any.example/a%5cb', 'everywhere/0'),
  strict('half an escape is refused', [everywhere], 'any.example/100%', { refused: 'path-percent' }),
  strict('an encoded NUL is refused', [everywhere], 'any.example/a%00', { refused: 'path-nul' }),
  strict('a fragment is refused', [everywhere], 'any.example/a#b', { refused: 'path-fragment' }),
  strict('a dot segment with a parameter is refused', [everywhere], 'any.example/x/..;a/admin', {
    refused: 'path-dot-parameter',
  }),
  strict(
    'a parameter does not lead past a rule',
    [everywhere, paths('admin', '/admin')],
    'any.example/admin;x=1',
    'admin/0',
  ),
  strict(
    'nor does one of an empty segment',
    [everywhere, paths('admin', '/admin')],
    'any.example/;x/admin;y/z',
    'admin/0',
  ),
  strict(
    'nor past an exclusion',
    [{ service: 'api', destinations: [{ servicePath: ['/'], servicePathExclude: ['/admin'] }] }],
    'any.example/;/admin',
    'no-route',
  ),
  strict('the query is not touched', [everywhere], 'any.example/a?b=%2F..//%', 'everywhere/0'),
];
