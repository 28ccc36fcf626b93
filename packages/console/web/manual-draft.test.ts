import { expect } from 'chai';
import { asJson, clearDraft, draft, fromForm, parsed } from './manual-draft.ts';

describe('the draft of a manual service', () => {
  const fields = { name: ' shop ', host: '', path: '', address: '10.0.0.7:8080' };
  const destination = { servicePath: ['/'], outboundHostname: '10.0.0.7', port: 8080 };

  const forms = [
    ['host and path are left out where they are empty', fields, { service: 'shop', destinations: [destination] }],
    [
      'blanks around a field do not count',
      { ...fields, host: ' shop.example ', path: ' /cart ' },
      { service: 'shop', destinations: [{ ...destination, serviceDomain: ['shop.example'], servicePath: ['/cart'] }] },
    ],
    [
      'an address of IPv6 keeps its colons',
      { ...fields, address: '[fd00::7]:8080' },
      { service: 'shop', destinations: [{ ...destination, outboundHostname: '[fd00::7]' }] },
    ],
    [
      'a port out of range is the proxy’s to refuse',
      { ...fields, address: '10.0.0.7:99999' },
      { service: 'shop', destinations: [{ ...destination, port: 99_999 }] },
    ],
  ] as const;
  for (const [what, given, definition] of forms)
    it(`is a definition: ${what}`, () => {
      expect(fromForm(given)).to.deep.equal({ ok: true, definition });
      expect(parsed(asJson(given))).to.deep.equal({ ok: true, definition });
    });

  for (const address of ['', '10.0.0.7', '10.0.0.7:', '10.0.0.7:http', 'http://10.0.0.7'])
    it(`is none with the address ${JSON.stringify(address)}, and goes on as JSON with what is written`, () => {
      expect(fromForm({ ...fields, address })).to.have.property('ok', false);
      const [written] = (JSON.parse(asJson({ ...fields, address })) as { destinations: object[] }).destinations;
      expect(written).to.deep.equal({ servicePath: ['/'], outboundHostname: address });
    });

  it('is an example as JSON where nothing is written', () => {
    expect(asJson({ name: '', host: ' ', path: '/', address: '' })).to.include('shop.example');
  });

  it('is none where the JSON is none, or has no service', () => {
    expect(parsed('{')).to.have.property('ok', false);
    for (const json of ['[]', 'null', '7', '{}'])
      expect(parsed(json)).to.deep.equal({ ok: false, message: 'The definition has no field `service`' });
  });

  it('is empty after it has been cleared', () => {
    for (const field of Object.values(draft)) field.value = 'written';
    clearDraft();
    expect(Object.values(draft).map(({ value }) => value)).to.deep.equal(['', '', '/', '', undefined]);
  });
});
