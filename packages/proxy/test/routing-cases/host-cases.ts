import { everywhere, type GivenService, paths, type RoutingCase, shop, site, strict } from './routing-case.ts';

export const hostCases: readonly RoutingCase[] = [
  strict('an exact host', [shop], 'shop.example/', 'shop/0'),
  strict('another host has no route', [shop], 'blog.example/', 'no-route'),
  strict('the host’s letter case does not matter', [shop], 'SHOP.Example/', 'shop/0'),
  strict('the label’s letter case does not matter', [site('shop', ['Shop.EXAMPLE'])], 'shop.example/', 'shop/0'),
  strict('the port in Host does not matter', [shop], 'shop.example:8080/', 'shop/0'),
  strict('a trailing dot does not matter', [shop], 'shop.example./', 'shop/0'),
  strict('a longer name is another host', [shop], 'shop.example.evil.example/', 'no-route'),
  strict('one of several domains', [site('shop', ['a.example', 'b.example'])], 'b.example/', 'shop/0'),
  strict('an IPv6 literal', [site('shop', ['[2001:db8::1]'])], '[2001:DB8:0::1]:80/', 'shop/0'),
  strict('an international name', [site('shop', ['bücher.example'])], 'xn--bcher-kva.example/', 'shop/0'),
  strict('a wildcard', [site('wild', ['*.shop.example'])], 'www.shop.example/', 'wild/0'),
  strict('a wildcard covers deeper names', [site('wild', ['*.shop.example'])], 'a.b.shop.example/', 'wild/0'),
  strict('a wildcard is not the domain itself', [site('wild', ['*.shop.example'])], 'shop.example/', 'no-route'),
  strict('a wildcard ends at a label', [site('wild', ['*.shop.example'])], 'myshop.example/', 'no-route'),
  strict('a star without a dot is a suffix', [site('wild', ['*shop.example'])], 'myshop.example/', 'wild/0'),
  strict('a star without a dot takes the domain itself', [site('wild', ['*shop.example'])], 'shop.example/', 'wild/0'),
  strict(
    'exact before wildcard',
    [site('a-wild', ['*.shop.example']), site('z-www', ['www.shop.example'])],
    'www.shop.example/',
    'z-www/0',
  ),
  strict(
    'the longest wildcard',
    [site('a-short', ['*.example']), site('z-long', ['*.shop.example'])],
    'www.shop.example/',
    'z-long/0',
  ),
  strict(
    'wildcard before algorithm',
    [beginning('a-beg', 'www.'), site('z-wild', ['*.shop.example'])],
    'www.shop.example/',
    'z-wild/0',
  ),
  strict('algorithm before any host', [everywhere, beginning('z-beg', 'www.')], 'www.shop.example/', 'z-beg/0'),
  strict('hdr_beg is a prefix', [beginning('beg', 'shop')], 'shopping.example/', 'beg/0'),
  strict(
    'hdr_end is a suffix',
    [{ ...site('end', ['op.example']), serviceDomainAlgo: 'hdr_end(host)' }],
    'shop.example/',
    'end/0',
  ),
  strict(
    'hdr_dom is whole labels',
    [{ ...site('dom', ['shop']), serviceDomainAlgo: 'hdr_dom(host)' }],
    'www.shop.example/',
    'dom/0',
  ),
  strict(
    'hdr_dom is not part of a label',
    [{ ...site('dom', ['sho']), serviceDomainAlgo: 'hdr_dom(host)' }],
    'www.shop.example/',
    'no-route',
  ),
  strict(
    'an exact host without the path falls to any host',
    [site('shop', ['shop.example'], { servicePath: ['/api'] }), everywhere],
    'shop.example/cart',
    'everywhere/0',
  ),
  strict(
    'the host decides before the path',
    [paths('a-long', '/api/v1/users'), site('shop', ['shop.example'], { servicePath: ['/api'] })],
    'shop.example/api/v1/users',
    'shop/0',
  ),
  strict('an empty label is refused', [everywhere], 'shop..example/', { refused: 'host-invalid' }),
  strict('a name with a comma is refused', [everywhere], 'shop,blog/', { refused: 'host-invalid' }),
];

function beginning(service: string, prefix: string): GivenService {
  return { ...site(service, [prefix]), serviceDomainAlgo: 'hdr_beg(host)' };
}
