import { expect } from 'chai';
import { interpolate } from './interpolate.ts';

const env = { HOST: 'h', EMPTY: '', lower: 'l' };

describe('variables in a stack file', () => {
  // As `docker stack config` of Docker 28.2 returns them.
  const taken = [
    ['plain', 'plain'],
    ['$HOST/x', 'h/x'],
    ['${HOST}', 'h'],
    ['${HOST}${HOST}-$HOST', 'hh-h'],
    ['${lower}', 'l'],
    ['$ABSENT-x', '-x'],
    ['${ABSENT}', ''],
    ['${ABSENT:-d}', 'd'],
    ['${EMPTY:-d}', 'd'],
    ['${EMPTY-d}', ''],
    ['${ABSENT-}', ''],
    ['${ABSENT:-}', ''],
    ['${ABSENT:-a:?b}', 'a:?b'],
    ['${ABSENT:-a}b}', 'ab}'],
    ['${HOST:?}', 'h'],
    ['${HOST:?must be set}', 'h'],
    ['${EMPTY?must be set}', ''],
    ['$$1', '$1'],
    ['^/v\\d{1,3}$$', '^/v\\d{1,3}$'],
    ['$$$HOST', '$h'],
  ] as const;
  for (const [text, value] of taken) {
    it(`make ${JSON.stringify(value)} of ${text}`, () => {
      expect(interpolate(text, env)).to.deep.equal({ value, faults: [] });
    });
  }

  const refused = [
    ['$', 'format-invalid'],
    ['a$', 'format-invalid'],
    ['^/v\\d{1,3}$', 'format-invalid'],
    ['x$/y', 'format-invalid'],
    ['$1', 'format-invalid'],
    ['${}', 'format-invalid'],
    ['${1}', 'format-invalid'],
    ['${ HOST }', 'format-invalid'],
    ['${A.B}', 'format-invalid'],
    ['${HOST', 'format-invalid'],
    ['$Ä', 'format-invalid'],
    ['${HOST:+x}', 'format-invalid'],
    ['${HOST+x}', 'format-invalid'],
    ['${ABSENT:+x}', 'format-invalid'],
    ['${ABSENT:?}', 'variable-missing'],
    ['${ABSENT:?a:b}', 'variable-missing'],
    ['${ABSENT?must be set}', 'variable-missing'],
    ['${EMPTY:?must be set}', 'variable-missing'],
    ['${ABSENT:?${HOST}}', 'variable-missing'],
    // Docker ends these at the first brace, so that the label would hold a literal ${…}.
    ['${ABSENT:-${ALSO:-80}}', 'default-nested'],
    ['${ABSENT:-$HOST}', 'default-nested'],
    ['${HOST:-${ALSO:-80}}', 'default-nested'],
  ] as const;
  for (const [text, kind] of refused) {
    it(`refuse ${text}: ${kind}`, () => {
      expect(interpolate(text, env).faults.map((fault) => fault.kind)).to.deep.equal([kind]);
    });
  }

  it('have in a refused form the value that Compose gives them, so that the rest of the label is checked', () => {
    const values = [
      '${ABSENT:-${ALSO:-80}}/x',
      '${HOST:-${ALSO:-80}}',
      '${HOST:+x}',
      '${ABSENT:+x}',
      '${A:-${B:-${C:-3}}}',
    ];
    expect(values.map((text) => interpolate(text, env).value)).to.deep.equal(['80/x', 'h', 'x', '', '3']);
  });

  it('name the variable and the message', () => {
    const [fault] = interpolate('${PORT:?set it to the port}', {}).faults;
    expect(fault?.message).to.include('PORT').and.include('set it to the port');
  });
});
