// Labels as stack files have them, with what `docker stack config` of Docker 28.2 makes of each. One test holds our reading to
// these tables, another one the tables to the docker command of the machine.

/** A stack file with these labels, indented by eight; the first of them is on line 5. */
export const stackWith = (labels: string) =>
  `services:\n  web:\n    deploy:\n      labels:${labels.startsWith(' ') ? `\n${labels}` : ` ${labels}`}\n`;

/** [labels, their values]; `HOST` is `h`. */
export const takenLabels = [
  ['        a: text', { a: 'text' }],
  ['        a: 80', { a: '80' }],
  ['        a: 1.50', { a: '1.5' }],
  ['        a: 1e3', { a: '1000' }],
  ['        a: 0x1F', { a: '31' }],
  ['        a: 0o17', { a: '15' }],
  ['        a: 017', { a: '15' }],
  ['        a: 0b11', { a: '3' }],
  ['        a: 1_000', { a: '1000' }],
  ['        a: 9007199254740993', { a: '9007199254740993' }],
  ['        a: 12345678901234567890123', { a: '1.2345678901234568e+22' }],
  ['        a: "017"', { a: '017' }],
  ['        a: yes', { a: 'yes' }],
  ['        a: 80:80', { a: '80:80' }],
  ['        a: !!str true', { a: 'true' }],
  ['        a: ~', { a: '' }],
  ['        a:', { a: '' }],
  ['        a: ${HOST}', { a: 'h' }],
  ['        ${HOST}: x', { '${HOST}': 'x' }],
  ['        - a=1', { a: '1' }],
  ['        - a=b=c', { a: 'b=c' }],
  ['        - a', { a: '' }],
  ['        - "a="', { a: '' }],
  ['        - ${HOST}=${HOST}', { h: 'h' }],
  ['{}', {}],
  ['[]', {}],
] as const;

/** [labels, part of our message] */
export const refusedLabels = [
  ['text', 'must be a map or a list'],
  ['5', 'must be a map or a list'],
  ['', 'must be a map or a list'],
  ['        a: true', 'labels.a must be a string, number or null'],
  ['        a: FALSE', 'labels.a must be a string, number or null'],
  ['        a: [1]', 'labels.a must be a string, number or null'],
  ['        a: { x: 1 }', 'labels.a must be a string, number or null'],
  ['        a: .inf', 'labels.a must be a string, number or null'],
  ['        "": x', 'must be a non-empty string'],
  ['        1: x', 'must be a non-empty string'],
  ['        true: x', 'must be a non-empty string'],
  ['        - 5', 'labels.0 must be a string'],
  ['        - true', 'labels.0 must be a string'],
  ['        - a: 1', 'labels.0 must be a string'],
  ['        - null', 'labels.0 must be a string'],
  ['        - a=1\n        - b=1\n        - a=1', 'items 0 and 2 must be unique'],
  ['        a: ^/x$', 'has a $ that begins no variable'],
  ['        - a=^/x$', 'has a $ that begins no variable'],
  ['        - a$=x', 'has a $ that begins no variable'],
] as const;
