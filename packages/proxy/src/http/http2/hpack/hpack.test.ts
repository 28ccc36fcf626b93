import { expect } from 'chai';
import { DecodedFields, HpackDecoder } from './decoder.ts';
import { HpackEncoder, writeStatus } from './encoder.ts';
import { decodeHuffman, encodeHuffman, huffmanLength } from './huffman.ts';
import { staticTable } from './static-table.ts';

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

function decode(decoder: HpackDecoder, bytes: Buffer, limitBytes = 1 << 20): DecodedFields | undefined {
  const fields = new DecodedFields();
  fields.begin(limitBytes);
  return decoder.decode(bytes, 0, bytes.length, fields) ? fields : undefined;
}

function lines(fields: DecodedFields | undefined): string[] | undefined {
  return fields?.list.map((field) => `${field.name.text}: ${field.value}`);
}

const firstRequest = [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'];
const secondRequest = [...firstRequest, 'cache-control: no-cache'];
const thirdRequest = [
  ':method: GET',
  ':scheme: https',
  ':path: /index.html',
  ':authority: www.example.com',
  'custom-key: custom-value',
];
const firstResponse = [
  ':status: 302',
  'cache-control: private',
  'date: Mon, 21 Oct 2013 20:13:21 GMT',
  'location: https://www.example.com',
];
const secondResponse = [':status: 307', ...firstResponse.slice(1)];
const thirdResponse = [
  ':status: 200',
  'cache-control: private',
  'date: Mon, 21 Oct 2013 20:13:22 GMT',
  'location: https://www.example.com',
  'content-encoding: gzip',
  'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
];

interface Example {
  readonly section: string;
  readonly tableBytes?: number;
  /** Each block, what it decodes to, and the size of the table behind it. */
  readonly blocks: readonly (readonly [string, readonly string[], number])[];
}

const examples: readonly Example[] = [
  {
    section: 'C.2.1 literal with indexing',
    blocks: [['400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572', ['custom-key: custom-header'], 55]],
  },
  {
    section: 'C.2.2 literal without indexing',
    blocks: [['040c 2f73 616d 706c 652f 7061 7468', [':path: /sample/path'], 0]],
  },
  {
    section: 'C.2.3 literal never indexed',
    blocks: [['1008 7061 7373 776f 7264 0673 6563 7265 74', ['password: secret'], 0]],
  },
  { section: 'C.2.4 indexed', blocks: [['82', [':method: GET'], 0]] },
  {
    section: 'C.3 requests without Huffman coding',
    blocks: [
      ['8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d', firstRequest, 57],
      ['8286 84be 5808 6e6f 2d63 6163 6865', secondRequest, 110],
      ['8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65', thirdRequest, 164],
    ],
  },
  {
    section: 'C.4 requests with Huffman coding',
    blocks: [
      ['8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff', firstRequest, 57],
      ['8286 84be 5886 a8eb 1064 9cbf', secondRequest, 110],
      ['8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf', thirdRequest, 164],
    ],
  },
  {
    section: 'C.5 responses without Huffman coding, with evictions',
    tableBytes: 256,
    blocks: [
      [
        `4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d
         546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
        firstResponse,
        222,
      ],
      ['4803 3330 37c1 c0bf', secondResponse, 222],
      [
        `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f
         6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b
         2076 6572 7369 6f6e 3d31`,
        thirdResponse,
        215,
      ],
    ],
  },
  {
    section: 'C.6 responses with Huffman coding, with evictions',
    tableBytes: 256,
    blocks: [
      [
        `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7
         8f0b 97c8 e9ae 82ae 43d3`,
        firstResponse,
        222,
      ],
      ['4883 640e ffc1 c0bf', secondResponse, 222],
      [
        `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335
         dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
        thirdResponse,
        215,
      ],
    ],
  },
];

describe('HPACK decoder: the examples of RFC 7541, appendix C', () => {
  for (const { section, tableBytes, blocks } of examples) {
    it(`decodes ${section}`, () => {
      const decoder = new HpackDecoder();
      if (tableBytes !== undefined) {
        decoder.limitTable(tableBytes);
        // 256 as an integer with a prefix of 5 bits: the size update that the smaller limit calls for.
        expect(lines(decode(decoder, hex('3fe101')))).to.deep.equal([]);
      }
      for (const [bytes, expected, size] of blocks) {
        expect(lines(decode(decoder, hex(bytes.replaceAll(/\s/g, ''))))).to.deep.equal(expected);
        expect(decoder.tableBytes).to.equal(size);
      }
    });
  }
});

describe('HPACK decoder: errors (RFC 7541)', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['2.3.3 index 0', '80'],
    ['2.3.3 index behind the dynamic table', 'be'],
    ['2.3.3 index far behind', 'ffff7f'],
    ['2.3.3 name index behind the table', '7e0161'],
    ['4.2 size update behind a field', '8220'],
    ['4.3 size update above the limit', '3fe21f'],
    ['5.1 integer without its end', 'ff'],
    ['5.1 integer without its end, with continuation', 'ff80'],
    ['5.1 integer of six bytes', 'ff808080808001'],
    ['5.1 integer over 2^28', 'ffffffffff7f'],
    ['5.1 integer padded with zeros', '0f808080808080000161'],
    ['5.2 string longer than the block', '00036162'],
    ['5.2 string without its length', '00'],
    ['5.2 value without its length', '000161'],
    ['5.2 padding of eight ones', '00826fff0161'],
    ['5.2 padding that is not ones', '0081600161'],
    ['5.2 the end-of-string symbol within a string', '0084ffffffff0161'],
    ['6.3 integer of a size update without its end', '3f'],
  ];
  for (const [name, bytes] of cases) {
    it(`refuses ${name}`, () => {
      expect(decode(new HpackDecoder(), hex(bytes))).to.equal(undefined);
    });
  }

  it('4.2 requires a size update in the next block after the limit was lowered, and only then', () => {
    const decoder = new HpackDecoder();
    decoder.limitTable(100);
    expect(decode(decoder, hex('82'))).to.equal(undefined);
    const other = new HpackDecoder();
    other.limitTable(100);
    expect(lines(decode(other, hex('3f4582')))).to.deep.equal([':method: GET']);
    expect(lines(decode(other, hex('82')))).to.deep.equal([':method: GET']);
  });

  it('4.2 takes several size updates at the beginning of a block', () => {
    const decoder = new HpackDecoder();
    decode(decoder, hex('4001610162'));
    expect(decoder.entryCount).to.equal(1);
    expect(lines(decode(decoder, hex('203fe11f82')))).to.deep.equal([':method: GET']);
    expect(decoder.entryCount).to.equal(0);
  });

  it('4.4 empties the table for an entry that exceeds it, and goes on', () => {
    const decoder = new HpackDecoder();
    decode(decoder, hex('4001610162'));
    const large = Buffer.concat([hex('400163'), hex('7fa11f'), Buffer.alloc(4_128, 0x61)]);
    const fields = decode(decoder, large);
    expect(fields?.list.length).to.equal(1);
    expect([decoder.entryCount, decoder.tableBytes]).to.deep.equal([0, 0]);
  });

  it('keeps decoding behind the limit of a list, so that the table stays right', () => {
    const decoder = new HpackDecoder();
    const fields = decode(decoder, hex('40016101624001630164'), 40) as DecodedFields;
    expect([fields.exceeded, fields.list.length, fields.bytes]).to.deep.equal([true, 1, 68]);
    expect(lines(decode(decoder, hex('bebf')))).to.deep.equal(['c: d', 'a: b']);
  });

  it('holds the newest 128 entries of 32 bytes in order', () => {
    const decoder = new HpackDecoder();
    for (let each = 0; each < 300; each++) {
      const value = Buffer.from(String(each).padStart(3, '0'));
      decode(decoder, Buffer.concat([hex('400161'), Buffer.from([3]), value]));
    }
    expect(decoder.entryCount).to.equal(Math.floor(4_096 / 36));
    expect(lines(decode(decoder, hex('be')))).to.deep.equal(['a: 299']);
    // 62 + 112: the oldest of 113.
    expect(lines(decode(decoder, hex('ff2f')))).to.deep.equal(['a: 187']);
  });
});

describe('HPACK static table (RFC 7541, appendix A)', () => {
  it('has 61 entries, of which the known ones stand where the RFC has them', () => {
    expect(staticTable.length).to.equal(61);
    const at = (index: number) => `${staticTable[index - 1]?.name.text}: ${staticTable[index - 1]?.value}`;
    expect([1, 2, 8, 14, 16, 28, 32, 38, 58, 61].map(at)).to.deep.equal([
      ':authority: ',
      ':method: GET',
      ':status: 200',
      ':status: 500',
      'accept-encoding: gzip, deflate',
      'content-length: ',
      'cookie: ',
      'host: ',
      'user-agent: ',
      'www-authenticate: ',
    ]);
  });
});

describe('HPACK encoder (RFC 7541)', () => {
  function encode(encoder: HpackEncoder, flat: readonly string[], section: 'head' | 'trailers' = 'head'): Buffer {
    const needed = encoder.prepare(flat, section);
    expect(needed).to.not.equal(-1);
    const target = Buffer.alloc(needed);
    const end = encoder.write(target, encoder.writeSizeUpdate(target, 0));
    return target.subarray(0, end);
  }

  const flat = ['Server', 'nginx', 'content-type', 'text/plain; charset=utf-8', 'x-frame-options', 'DENY'];
  const sent = ['server: nginx', 'content-type: text/plain; charset=utf-8', 'x-frame-options: DENY'];

  it('sends a repeated head as one byte a field from the third time on', () => {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder();
    const lengths: number[] = [];
    for (let each = 0; each < 4; each++) {
      const bytes = encode(
        encoder,
        flat.map((text) => `${text}`),
      );
      lengths.push(bytes.length);
      expect(lines(decode(decoder, bytes))).to.deep.equal(sent);
    }
    expect(lengths.slice(2)).to.deep.equal([3, 3]);
    expect(decoder.entryCount).to.equal(3);
  });

  it('keeps values that never repeat out of the table', () => {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder();
    for (let each = 0; each < 20; each++) {
      const bytes = encode(encoder, ['x-request-id', `id-${each}`, 'server', 'nginx']);
      expect(lines(decode(decoder, bytes))).to.deep.equal([`x-request-id: id-${each}`, 'server: nginx']);
    }
    expect(decoder.entryCount).to.equal(1);
  });

  it('finds a field at another place than in the head before', () => {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder();
    for (let each = 0; each < 3; each++) decode(decoder, encode(encoder, ['server', 'nginx', 'vary', 'origin']));
    const bytes = encode(encoder, ['age', '7', 'vary', 'origin', 'server', 'nginx']);
    expect(lines(decode(decoder, bytes))).to.deep.equal(['age: 7', 'vary: origin', 'server: nginx']);
    // Four bytes for the literal, one for each of the others.
    expect(bytes.length).to.equal(6);
  });

  it('7.1.3 never indexes secrets', () => {
    for (const name of ['authorization', 'proxy-authorization', 'cookie', 'set-cookie']) {
      const encoder = new HpackEncoder();
      const decoder = new HpackDecoder();
      let bytes: Buffer = Buffer.alloc(0);
      for (let each = 0; each < 3; each++) {
        bytes = encode(encoder, [name, 'secret']);
        expect(lines(decode(decoder, bytes))).to.deep.equal([`${name}: secret`]);
      }
      expect((bytes[0] as number) & 0xf0, name).to.equal(0x10);
      expect(decoder.entryCount, name).to.equal(0);
    }
  });

  it('compares trailers with trailers', () => {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder();
    let bytes: Buffer = Buffer.alloc(0);
    for (let each = 0; each < 3; each++) {
      decode(decoder, encode(encoder, ['content-type', 'application/grpc']));
      bytes = encode(encoder, ['grpc-status', '0'], 'trailers');
      expect(lines(decode(decoder, bytes))).to.deep.equal(['grpc-status: 0']);
    }
    expect(bytes.length).to.equal(1);
  });

  const limits: readonly (readonly [string, readonly number[], string])[] = [
    ['a lower limit', [100], '3f45'],
    ['no table', [0], '20'],
    ['a limit that was lowered and raised', [0, 4_096], '203fe11f'],
    ['a limit above 4,096 bytes', [65_536], ''],
  ];
  for (const [name, sizes, announced] of limits) {
    it(`4.2 announces ${name}`, () => {
      const encoder = new HpackEncoder();
      for (let each = 0; each < 3; each++) encode(encoder, flat);
      for (const size of sizes) encoder.limitTable(size);
      const bytes = encode(encoder, flat);
      expect(bytes.subarray(0, announced.length / 2).toString('hex')).to.equal(announced);
    });
  }

  it('4.3 evicts what a lower limit has no room for, and sends it as a literal', () => {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder();
    for (let each = 0; each < 3; each++) decode(decoder, encode(encoder, flat));
    encoder.limitTable(60);
    for (let each = 0; each < 3; each++) expect(lines(decode(decoder, encode(encoder, flat)))).to.deep.equal(sent);
    expect(decoder.tableBytes).to.be.at.most(60);
  });

  const unsendable: readonly (readonly [string, readonly string[]])[] = [
    ['a line break in a value', ['x', 'a\r\nb: c']],
    ['a character whose low byte is a line break', ['x', 'a\u010ab']],
    ['NUL in a value', ['x', '\0']],
    ['a blank in front of a value', ['x', ' a']],
    ['a blank behind a value', ['x', 'a ']],
    ['a colon in a name', ['a:b', 'c']],
    ['a pseudo-header field', [':status', '200']],
    ['an unknown pseudo-header field', [':x', '200']],
    ['an empty name', ['', 'a']],
    ['a blank in a name', ['a b', 'c']],
  ];
  for (const [name, fields] of unsendable) {
    it(`does not send ${name}`, () => {
      expect(new HpackEncoder().prepare(fields, 'head')).to.equal(-1);
    });
  }

  it('writes every status', () => {
    for (let status = 100; status < 600; status++) {
      const target = Buffer.alloc(8);
      const bytes = target.subarray(0, writeStatus(target, 0, status));
      expect(lines(decode(new HpackDecoder(), bytes))).to.deep.equal([`:status: ${status}`]);
    }
  });
});

describe('Huffman coding (RFC 7541, section 5.2 and appendix B)', () => {
  it('codes every byte, and decodes it', () => {
    for (let byte = 0; byte < 256; byte++) {
      const text = String.fromCharCode(byte).repeat(5);
      const coded = Buffer.alloc(32);
      const length = encodeHuffman(text, coded, 0);
      expect(length).to.equal(huffmanLength(text));
      const decoded = Buffer.alloc(64);
      expect(decodeHuffman(coded, 0, length, decoded)).to.equal(5);
      expect(decoded.toString('latin1', 0, 5)).to.equal(text);
    }
  });

  it('has the codes of appendix B', () => {
    const coded = Buffer.alloc(8);
    const codes: readonly (readonly [string, string])[] = [
      ['0', '07'],
      ['a', '1f'],
      [' ', '53'],
      ['!', 'fe3f'],
      ['\0', 'ffc7'],
      ['\x16', 'fffffffb'],
      ['\xff', 'fffffbbf'],
    ];
    for (const [text, expected] of codes) {
      expect(coded.toString('hex', 0, encodeHuffman(text, coded, 0)), JSON.stringify(text)).to.equal(expected);
    }
  });
});
